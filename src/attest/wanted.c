/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses below the vendors' services: AMD's Key Distribution Service
 * (AMD 57230, "VCEK Certificate and KDS Interface Specification") and Intel's
 * Provisioning Certification Service, version 4.
 */
#include <endian.h>

#include "attest/cert.h"
#include "attest/check.h"
#include "attest/intel.h"
#include "attest/snp.h"
#include "attest/vet.h"
#include "base/fmt.h"
#include "codec/hex.h"

#define ROOT_CRL \
	"https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

/* As AMD's addresses spell them. */
static const char *const products[SNP_PRODUCTS] = { "Milan", "Genoa", "Turin" };

static const struct {
	const char *name, *path, *elsewhere, *header;
} fixed[] = {
	{ "intel-root.crl", "/sgx/certification/v4/rootcacrl", ROOT_CRL, NULL },
	{ "intel-pck-platform.crl",
		"/sgx/certification/v4/pckcrl?ca=platform&encoding=der", NULL,
		"sgx-pck-crl-issuer-chain" },
	{ "intel-pck-processor.crl",
		"/sgx/certification/v4/pckcrl?ca=processor&encoding=der", NULL,
		"sgx-pck-crl-issuer-chain" },
	{ "intel-sgx-qe.json", "/sgx/certification/v4/qe/identity", NULL,
		"sgx-enclave-identity-issuer-chain" },
	{ "intel-tdx-qe.json", "/tdx/certification/v4/qe/identity", NULL,
		"sgx-enclave-identity-issuer-chain" },
};

bool attest_wanted_again(const char *name, struct attest_wanted *out)
{
	char product[8], tee[4], fmspc[13];
	*out = (struct attest_wanted){ .service = ATTEST_PCS };
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!strcmp(fixed[i].name, name)) {
			fmt(out->path, sizeof out->path, "%s", fixed[i].path);
			out->elsewhere = fixed[i].elsewhere;
			out->chain_header = fixed[i].header;
			return true;
		}
	for (size_t p = 0; p < SNP_PRODUCTS; p++) {
		fmt(product, sizeof product, "%s",
			attest_snp_name((enum attest_snp_product)p));
		char want[24];
		fmt(want, sizeof want, "amd-%s.crl", product);
		if (strcmp(want, name) != 0)
			continue;
		out->service = ATTEST_KDS;
		fmt(out->path, sizeof out->path, "/vcek/v1/%s/crl",
			products[p]);
		return true;
	}
	/* intel-TEE-FMSPC.json */
	if (strlen(name) != 27 || strncmp(name, "intel-", 6) != 0 ||
		name[9] != '-' || strcmp(name + 22, ".json") != 0)
		return false;
	fmt(tee, sizeof tee, "%.3s", name + 6);
	fmt(fmspc, sizeof fmspc, "%.12s", name + 10);
	if ((strcmp(tee, "sgx") != 0 && strcmp(tee, "tdx") != 0) ||
		strspn(fmspc, "0123456789abcdef") != 12)
		return false;
	fmt(out->path, sizeof out->path, "/%s/certification/v4/tcb?fmspc=%s",
		tee, fmspc);
	out->chain_header = "tcb-info-issuer-chain";
	return true;
}

static bool add(struct attest_wanted out[ATTEST_WANTED_MAX], size_t *count,
	const char *name)
{
	return *count < ATTEST_WANTED_MAX &&
		attest_wanted_again(name, &out[*count]) && ++*count;
}

/* The certificate of a chip at its reported TCB. */
static bool add_chip(const struct snp_report *v, enum attest_snp_product p,
	struct attest_wanted out[ATTEST_WANTED_MAX], size_t *count)
{
	static const char *const keys[SNP_TCB_PARTS] = {
		[SNP_TCB_FMC] = "fmcSPL",
		[SNP_TCB_BOOTLOADER] = "blSPL",
		[SNP_TCB_TEE] = "teeSPL",
		[SNP_TCB_SNP] = "snpSPL",
		[SNP_TCB_MICROCODE] = "ucodeSPL",
	};
	char hex[129];
	if (*count == ATTEST_WANTED_MAX)
		return false;
	struct attest_wanted *w = &out[(*count)++];
	*w = (struct attest_wanted){ .service = ATTEST_KDS };
	hex_encode(bytes_of(v->chip_id, p == SNP_TURIN ? 8 : 64), hex);
	size_t n = fmt(w->path, sizeof w->path, "/vcek/v1/%s/%s", products[p],
		hex);
	const char *between = "?";
	for (unsigned i = 0; i < SNP_TCB_PARTS; i++) {
		int at = attest_snp_part_at(p, (enum snp_tcb_part)i);
		if (at < 0)
			continue;
		n += fmt(w->path + n, sizeof w->path - n, "%s%s=%02u", between,
			keys[i], v->reported_tcb[at]);
		between = "&";
	}
	return true;
}

/* Whose the report is, by its CPUID, or by a chain that came with it; before
 * version 3 it could be of either of the first two. */
static bool want_snp(const struct attest_bundle *b,
	struct attest_wanted out[ATTEST_WANTED_MAX], size_t *count)
{
	struct snp_report v;
	char name[24];
	memcpy(&v, b->evidence.ptr, sizeof v);
	bool vlek = SNP_KEY_SIGNING(le32toh(v.key_info)) == SNP_SIGNED_BY_VLEK;
	enum attest_snp_product is = attest_snp_product_of(&v);
	for (unsigned p = 0; p < SNP_PRODUCTS; p++) {
		if (is != SNP_PRODUCTS ? p != (unsigned)is : p == SNP_TURIN)
			continue;
		fmt(name, sizeof name, "amd-%s.crl",
			attest_snp_name((enum attest_snp_product)p));
		if (!add(out, count, name))
			return false;
		/* A provider's certificate is its provider's to hand out. */
		if (!vlek &&
			!add_chip(&v, (enum attest_snp_product)p, out, count))
			return false;
	}
	return true;
}

static bool want_intel(const struct attest_bundle *b,
	struct attest_wanted out[ATTEST_WANTED_MAX], size_t *count,
	struct err *e)
{
	struct intel_chain chain;
	struct attest_quote q;
	struct intel_pck pck;
	char hex[13], name[32];
	if (!attest_quote_parse(buf_bytes(&b->evidence), &q, e) ||
		!attest_chain_read(q.pck_chain, 3, &chain, e))
		return false;
	bool ok = attest_pck_read(&chain.cert[0], &pck, e);
	bool processor = bytes_equal(attest_cert_cn(chain.cert[1].subject),
		BYTES_LIT("Intel SGX PCK Processor CA"));
	attest_chain_fini(&chain);
	if (!ok)
		return false;
	hex_encode(BYTES_ARRAY(pck.fmspc), hex);
	fmt(name, sizeof name, "intel-%s-%s.json", q.tdx ? "tdx" : "sgx", hex);
	return (add(out, count, "intel-root.crl") &&
		       add(out, count,
			       processor ? "intel-pck-processor.crl" :
					   "intel-pck-platform.crl") &&
		       add(out, count, name) &&
		       add(out, count,
			       q.tdx ? "intel-tdx-qe.json" :
				       "intel-sgx-qe.json")) ||
		err_fail(e, ERR_LIMIT, "too much is wanted");
}

bool attest_wanted(const struct attest_bundle *b,
	struct attest_wanted out[ATTEST_WANTED_MAX], size_t *count,
	struct err *e)
{
	struct bytes evidence = buf_bytes(&b->evidence);
	*count = 0;
	if (attest_quote_is(evidence))
		return want_intel(b, out, count, e);
	if (attest_snp_is(evidence))
		return want_snp(b, out, count) ||
			err_fail(e, ERR_LIMIT, "too much is wanted");
	return err_fail(e, ERR_INPUT,
		"this evidence needs nothing from a vendor's service");
}
