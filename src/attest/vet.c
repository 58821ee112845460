/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/vet.h"

#include <stdlib.h>

#include "attest/cert.h"
#include "attest/intel.h"
#include "attest/snp.h"
#include "attest/time.h"
#include "attest/vendor.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "crypto/hash.h"

enum { MAX_CHAIN = 8 };

void attest_vetted_fini(struct attest_vetted *v)
{
	buf_fini(&v->file);
}

bool attest_vet_begins(struct bytes file, int64_t *from)
{
	struct attest_crl l;
	struct attest_cert c;
	struct bytes object;
	const char *text;
	json_t *o;
	if (attest_crl_parse(file, &l, NULL)) {
		*from = l.from;
		return true;
	}
	if (attest_cert_parse(file, &c, NULL)) {
		*from = c.from;
		return true;
	}
	if (!(json_span(file, "tcbInfo", &object) ||
		    json_span(file, "enclaveIdentity", &object)) ||
		!json_parse(object, ATTEST_BUNDLE_MAX, &o, NULL))
		return false;
	bool ok = json_member_str(o, "issueDate", 32, &text, NULL) &&
		attest_time_parse(text, from);
	json_decref(o);
	return ok;
}

/* Who may have issued it: certificates that came along, and the vendors'. */
struct issuers {
	struct buf der[MAX_CHAIN];
	struct attest_cert cert[MAX_CHAIN];
	size_t count;
};

static void issuers_fini(struct issuers *s)
{
	for (size_t i = 0; i < s->count; i++)
		buf_fini(&s->der[i]);
}

static void issuers_add(struct issuers *s, struct bytes chain)
{
	struct reader r = { .in = chain };
	while (s->count < MAX_CHAIN && pem_next_is(&r, "CERTIFICATE")) {
		struct buf *der = &s->der[s->count];
		if (!pem_next(&r, "CERTIFICATE", der, NULL) ||
			!attest_cert_parse(buf_bytes(der), &s->cert[s->count],
				NULL)) {
			buf_fini(der);
			return;
		}
		s->count++;
	}
}

/* A vendor's public certificate of that name. */
static bool vendor_cert(struct bytes subject, struct buf *der,
	struct attest_cert *out)
{
	for (size_t i = 0; i < attest_vendor_cert_count; i++) {
		buf_clear(der);
		if (base64_decode(bytes_str(attest_vendor_certs[i].base64), der,
			    NULL) &&
			attest_cert_parse(buf_bytes(der), out, NULL) &&
			bytes_equal(out->subject, subject))
			return true;
	}
	return false;
}

/* A certificate is a vendor's when it is one of those here, or was signed by
 * one: no chain has more between. */
static bool is_vendors(const struct attest_cert *c)
{
	struct attest_cert up;
	auto_buf der = { 0 };
	return vendor_cert(c->issuer, &der, &up) &&
		attest_cert_signed_by(c, &up, NULL, NULL);
}

static bool find_issuer(const struct issuers *s, struct bytes name,
	struct buf *der, struct attest_cert *out)
{
	if (vendor_cert(name, der, out))
		return true;
	for (size_t i = 0; i < s->count; i++)
		if (bytes_equal(s->cert[i].subject, name) &&
			is_vendors(&s->cert[i])) {
			*out = s->cert[i];
			return true;
		}
	return false;
}

/* --- revocation lists ---------------------------------------------------- */

static const struct {
	const char *cn, *name, *what;
} lists[] = {
	{ "ARK-Milan", "amd-milan.crl", "AMD's revocation list of Milan" },
	{ "ARK-Genoa", "amd-genoa.crl", "AMD's revocation list of Genoa" },
	{ "ARK-Turin", "amd-turin.crl", "AMD's revocation list of Turin" },
	{ "Intel SGX Root CA", "intel-root.crl",
		"revocation list of Intel's root" },
	{ "Intel SGX PCK Platform CA", "intel-pck-platform.crl",
		"Intel's revocation list of platforms" },
	{ "Intel SGX PCK Processor CA", "intel-pck-processor.crl",
		"Intel's revocation list of processors" },
};

static bool vet_list(struct bytes file, const struct attest_crl *l,
	const struct issuers *s, struct attest_vetted *v, struct err *e)
{
	struct attest_cert issuer;
	auto_buf der = { 0 };
	struct bytes cn = attest_cert_cn(l->issuer);
	if (!find_issuer(s, l->issuer, &der, &issuer))
		return err_fail(e, ERR_DENIED,
			"revocation list: its issuer is no vendor's, or is not "
			"here");
	if (!attest_crl_signed_by(l, &issuer, NULL, e))
		return err_wrap(e, "revocation list");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (bytes_equal(cn, bytes_str(lists[i].cn))) {
			fmt(v->name, sizeof v->name, "%s", lists[i].name);
			v->what = lists[i].what;
			v->from = l->from;
			v->to = l->to;
			return buf_put(&v->file, file) ||
				err_fail(e, ERR_LIMIT, "out of memory");
		}
	return err_fail(e, ERR_INPUT, "revocation list of an unknown kind");
}

/* --- certificates of chips ----------------------------------------------- */

static bool vet_cert(struct bytes file, const struct attest_cert *c,
	struct attest_vetted *v, struct err *e)
{
	uint8_t hash[CRYPTO_SHA256_BYTES];
	char hex[65];
	struct bytes cn = attest_cert_cn(c->subject);
	if (c->ca || cn.len < 8 || memcmp(cn.ptr, "SEV-V", 5) != 0)
		return err_fail(e, ERR_INPUT,
			"a certificate that needs no cache");
	if (!is_vendors(c))
		return err_fail(e, ERR_DENIED, "certificate: not AMD's");
	if (!crypto_digest(CRYPTO_SHA256, file, hash, e))
		return false;
	hex_encode(BYTES_ARRAY(hash), hex);
	fmt(v->name, sizeof v->name, "amd-%.32s.der", hex);
	v->what = "AMD's certificate of a chip or provider";
	v->from = c->from;
	v->to = c->to;
	return buf_put(&v->file, file) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

/* --- Intel's documents ---------------------------------------------------- */

/* FMSPC, or "qe": behind the technology in the name. */
static bool name_document(const json_t *o, bool tcb, struct attest_vetted *v,
	struct err *e)
{
	const char *id, *from, *to;
	uint8_t fmspc[6];
	char hex[13];
	if (!json_member_str(o, "id", 16, &id, e) ||
		!json_member_str(o, "issueDate", 32, &from, e) ||
		!json_member_str(o, "nextUpdate", 32, &to, e))
		return false;
	if (!attest_time_parse(from, &v->from) ||
		!attest_time_parse(to, &v->to))
		return err_fail(e, ERR_INPUT, "document: dates");
	bool tdx = !strcmp(id, "TDX") || !strcmp(id, "TD_QE");
	if (!tcb) {
		fmt(v->name, sizeof v->name, "intel-%s-qe.json",
			tdx ? "tdx" : "sgx");
		v->what = tdx ? "identity of Intel's quoting enclave for TDX" :
				"identity of Intel's quoting enclave for SGX";
		return true;
	}
	if (!json_member_hex(o, "fmspc", fmspc, sizeof fmspc, e))
		return false;
	hex_encode(BYTES_ARRAY(fmspc), hex);
	fmt(v->name, sizeof v->name, "intel-%s-%s.json", tdx ? "tdx" : "sgx",
		hex);
	v->what = tdx ? "TCB info of TDX platforms" :
			"TCB info of SGX "
			"platforms";
	return true;
}

/* The document, and its signer's chain behind it in the same file. */
static bool vet_document(struct bytes file, struct bytes chain, bool tcb,
	struct attest_vetted *v, struct err *e)
{
	static const char *const ids[2][2] = { { "QE", "TD_QE" },
		{ "SGX", "TDX" } };
	struct intel_terms t = { 0 };
	json_t *o = NULL;
	bool ok = false;
	memcpy(t.root, attest_intel_root, sizeof t.root);
	for (size_t i = 0; i < 2 && !ok; i++) {
		struct intel_signed s = { .chain = chain,
			.document = file,
			.member = tcb ? "tcbInfo" : "enclaveIdentity",
			.id = ids[tcb][i],
			.version = tcb ? 3 : 2,
			.undated = true };
		ok = attest_collateral_open(&s, &t, &o, e);
	}
	if (!ok)
		return false;
	ok = name_document(o, tcb, v, e);
	json_decref(o);
	return ok &&
		(buf_put(&v->file, file) ||
			err_fail(e, ERR_LIMIT, "out of memory"));
}

/* Chains of two that documents and lists are signed with. */
static const struct {
	const char *cn, *name, *what;
} chains[] = {
	{ "Intel SGX TCB Signing", "intel-tcb-signing.pem",
		"chain of Intel's key for documents" },
	{ "Intel SGX PCK Platform CA", "intel-pck-platform.pem",
		"chain of Intel's authority for platforms" },
	{ "Intel SGX PCK Processor CA", "intel-pck-processor.pem",
		"chain of Intel's authority for processors" },
};

static bool vet_chain(struct bytes file, struct attest_vetted *v, struct err *e)
{
	struct intel_chain c;
	size_t i = 0;
	if (!attest_chain_read(file, 2, &c, e))
		return false;
	struct bytes cn = attest_cert_cn(c.cert[0].subject);
	while (i < ARRAY_LEN(chains) &&
		!bytes_equal(cn, bytes_str(chains[i].cn)))
		i++;
	bool ok = i < ARRAY_LEN(chains) ||
		err_fail(e, ERR_INPUT, "a chain that needs no cache");
	ok = ok &&
		(is_vendors(&c.cert[0]) ||
			err_fail(e, ERR_DENIED, "chain: not Intel's"));
	if (ok) {
		fmt(v->name, sizeof v->name, "%s", chains[i].name);
		v->what = chains[i].what;
		v->from = c.cert[0].from;
		v->to = c.cert[0].to;
	}
	attest_chain_fini(&c);
	return ok &&
		(buf_put(&v->file, file) ||
			err_fail(e, ERR_LIMIT, "out of memory"));
}

/* A list in hexadecimal, as Intel's caches serve the root's. */
static bool from_hex(struct bytes file, struct buf *raw)
{
	while (file.len && file.ptr[file.len - 1] <= ' ')
		file.len--;
	uint8_t *to = file.len < 64 || file.len % 2 ?
		NULL :
		buf_reserve(raw, file.len / 2);
	if (!to || !hex_decode(file, to, file.len / 2, NULL))
		return false;
	buf_commit(raw, file.len / 2);
	return true;
}

static bool vet(struct bytes file, struct bytes chain, const struct issuers *s,
	struct attest_vetted *v, struct err *e)
{
	struct attest_cert c;
	struct attest_crl l;
	struct bytes value;
	struct reader r = { .in = file };
	if (attest_crl_parse(file, &l, NULL))
		return vet_list(file, &l, s, v, e);
	if (attest_cert_parse(file, &c, NULL))
		return vet_cert(file, &c, v, e);
	if (json_span(file, "tcbInfo", &value))
		return vet_document(file, chain, true, v, e);
	if (json_span(file, "enclaveIdentity", &value))
		return vet_document(file, chain, false, v, e);
	if (pem_next_is(&r, "CERTIFICATE"))
		return vet_chain(file, v, e);
	return err_fail(e, ERR_INPUT,
		"neither certificate, revocation list nor signed document");
}

bool attest_vet(struct bytes file, struct bytes chain,
	struct attest_vetted *out, struct err *e)
{
	struct attest_vetted v = { 0 };
	struct issuers *s = calloc(1, sizeof *s);
	auto_buf raw = { 0 };
	if (!s)
		return err_fail(e, ERR_LIMIT, "out of memory");
	issuers_add(s, chain);
	if (from_hex(file, &raw))
		file = buf_bytes(&raw);
	bool ok = vet(file, chain, s, &v, e);
	issuers_fini(s);
	free(s);
	if (!ok) {
		attest_vetted_fini(&v);
		return false;
	}
	*out = v;
	return true;
}
