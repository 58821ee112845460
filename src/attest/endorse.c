/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' files, in any order, as the endorsements that a verifier reads. */
#include "attest/bundle.h"
#include "attest/cert.h"
#include "attest/intel.h"
#include "codec/cbor.h"
#include "codec/pem.h"

enum { MAX_FILES = 16 };

/* Endorsements being sorted: a chain of three and some lists. */
struct pile {
	struct bytes certs[3]; /* leaf, intermediate, root */
	struct bytes crls[4];
	size_t crl_count;
};

static bool pile_add(struct pile *p, struct bytes der, struct err *e)
{
	struct attest_cert c;
	struct attest_crl l;
	if (attest_cert_parse(der, &c, e)) {
		size_t at = !c.ca			 ? 0 :
			bytes_equal(c.issuer, c.subject) ? 2 :
							   1;
		if (p->certs[at].len)
			return err_fail(e, ERR_INPUT,
				"two certificates of the same rank");
		p->certs[at] = der;
		return true;
	}
	if (!attest_crl_parse(der, &l, NULL))
		return err_wrap(e, "neither certificate nor revocation list");
	if (p->crl_count == ARRAY_LEN(p->crls))
		return err_fail(e, ERR_LIMIT, "too many revocation lists");
	p->crls[p->crl_count++] = der;
	return true;
}

/* A file that is one PEM block becomes DER, any other stays as it is. */
static bool to_der(struct bytes file, struct buf *der, struct err *e)
{
	static const char *const labels[] = { "CERTIFICATE", "X509 CRL" };
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		struct reader r = { .in = file };
		if (!pem_next_is(&r, labels[i]))
			continue;
		if (!pem_next(&r, labels[i], der, e))
			return false;
		if (pem_done(&r))
			return true;
		buf_clear(der); /* a chain */
	}
	return buf_put(der, file) || err_fail(e, ERR_LIMIT, "out of memory");
}

static bool pile_print(const struct pile *p, struct buf *out, struct err *e)
{
	cbor_put_head(out, CBOR_ARRAY, 2);
	cbor_put_head(out, CBOR_ARRAY, 3);
	for (size_t i = 0; i < 3; i++) {
		if (!p->certs[i].len)
			return err_fail(e, ERR_INPUT,
				"not a leaf, an intermediate and a root");
		cbor_put_bytes(out, p->certs[i]);
	}
	cbor_put_head(out, CBOR_ARRAY, p->crl_count);
	for (size_t i = 0; i < p->crl_count; i++)
		cbor_put_bytes(out, p->crls[i]);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "out of memory");
}

static bool endorse_snp(const struct bytes *files, size_t count,
	struct buf *out, struct err *e)
{
	struct pile p = { 0 };
	for (size_t i = 0; i < count; i++)
		if (!pile_add(&p, files[i], e))
			return false;
	return pile_print(&p, out, e);
}

/* Intel's set, in the order of the endorsements. */
enum {
	PCK_ISSUERS,
	ROOT_CRL,
	PCK_CRL,
	TCB_CHAIN,
	TCB_INFO,
	QE_CHAIN,
	QE_IDENTITY,
	SET_PARTS
};

/* Lists are told apart by who issued them. */
static void place_crl(const struct attest_crl *l, struct bytes file,
	const struct intel_chain *pck, struct bytes set[SET_PARTS])
{
	if (bytes_equal(l->issuer, pck->cert[2].subject))
		set[ROOT_CRL] = file;
	else if (bytes_equal(l->issuer, pck->cert[1].subject))
		set[PCK_CRL] = file;
}

static void place(struct bytes file, const struct intel_chain *pck,
	struct bytes set[SET_PARTS])
{
	struct attest_crl l;
	struct intel_chain chain;
	struct bytes value;
	if (attest_crl_parse(file, &l, NULL)) {
		place_crl(&l, file, pck, set);
	} else if (attest_chain_read(file, 2, &chain, NULL)) {
		bool signer = bytes_equal(attest_cert_cn(chain.cert[0].subject),
			BYTES_LIT("Intel SGX TCB Signing"));
		if (signer)
			set[TCB_CHAIN] = set[QE_CHAIN] = file;
		attest_chain_fini(&chain);
	} else if (json_span(file, "tcbInfo", &value)) {
		set[TCB_INFO] = file;
	} else if (json_span(file, "enclaveIdentity", &value)) {
		set[QE_IDENTITY] = file;
	}
}

static bool endorse_intel(struct bytes evidence, const struct bytes *files,
	size_t count, struct buf *out, struct err *e)
{
	struct bytes set[SET_PARTS] = { 0 };
	struct intel_chain pck;
	struct attest_quote q;
	if (!attest_quote_parse(evidence, &q, e) ||
		!attest_chain_read(q.pck_chain, 3, &pck, e))
		return false;
	for (size_t i = 0; i < count; i++)
		place(files[i], &pck, set);
	attest_chain_fini(&pck);
	cbor_put_head(out, CBOR_ARRAY, SET_PARTS + 1);
	cbor_put_uint(out, 3);
	for (size_t i = 0; i < SET_PARTS; i++)
		cbor_put_bytes(out, set[i]);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "out of memory");
}

bool attest_bundle_endorse(struct attest_bundle *b, const struct bytes *files,
	size_t count, struct err *e)
{
	struct buf ders[MAX_FILES] = { 0 };
	struct bytes spans[MAX_FILES];
	struct bytes evidence = buf_bytes(&b->evidence);
	auto_buf out = { 0 };
	bool ok = count <= MAX_FILES ||
		err_fail(e, ERR_LIMIT, "more than %d files", MAX_FILES);
	for (size_t i = 0; ok && i < count; i++) {
		ok = to_der(files[i], &ders[i], e);
		spans[i] = buf_bytes(&ders[i]);
	}
	if (ok && attest_quote_is(evidence))
		ok = endorse_intel(evidence, spans, count, &out, e);
	else if (ok)
		ok = endorse_snp(spans, count, &out, e);
	for (size_t i = 0; i < MAX_FILES; i++)
		buf_fini(&ders[i]);
	if (!ok)
		return err_wrap(e, "endorsements");
	buf_fini(&b->endorsements);
	b->endorsements = out;
	out = (struct buf){ 0 };
	return true;
}
