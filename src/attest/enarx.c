/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enarx's evidence (peer: enarx/steward, crates/attestation):
 *
 *	SNP ::= SEQUENCE { SEQUENCE { vcek Certificate, crls Lists },
 *			   report OCTET STRING }
 *	SGX ::= SEQUENCE { quote OCTET STRING, crls Lists,
 *			   SEQUENCE { SEQUENCE OF Certificate,
 *				      tcbInfo OCTET STRING } }
 *	Lists ::= SEQUENCE { SEQUENCE OF SEQUENCE { url UTF8String,
 *						    CertificateList } }
 */
#include "attest/enarx.h"

#include "codec/der.h"

enum { MAX_PARTS = 16, UTF8_STRING = 0x0c };

struct parts {
	struct bytes part[MAX_PARTS];
	size_t count;
};

static void add(struct parts *p, struct reader *r, struct bytes part)
{
	if (p->count == MAX_PARTS)
		r->failed = true;
	else
		p->part[p->count++] = part;
}

static void take_lists(struct reader *r, struct parts *p)
{
	struct reader outer = der_enter(r, DER_SEQUENCE);
	struct reader list = der_enter(&outer, DER_SEQUENCE);
	while (reader_left(&list)) {
		struct reader one = der_enter(&list, DER_SEQUENCE);
		der_take(&one, UTF8_STRING);
		add(p, r, der_whole(&one, DER_SEQUENCE));
		if (!reader_done(&one))
			r->failed = true;
	}
	if (!reader_done(&list) || !reader_done(&outer))
		r->failed = true;
}

static bool finish(struct attest_bundle *b, struct bytes evidence,
	const struct parts *p, struct err *e)
{
	if (!buf_put(&b->evidence, evidence))
		return err_fail(e, ERR_LIMIT, "out of memory");
	return attest_bundle_endorse(b, p->part, p->count, 0, e);
}

bool attest_enarx_snp(struct attest_bundle *b, struct bytes value,
	struct err *e)
{
	struct parts p = { 0 };
	struct reader all = { .in = value };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	struct reader chain = der_enter(&r, DER_SEQUENCE);
	add(&p, &chain, der_whole(&chain, DER_SEQUENCE));
	take_lists(&chain, &p);
	struct bytes report = der_take(&r, DER_OCTET_STRING);
	if (!reader_done(&chain) || !reader_done(&r) || !reader_done(&all))
		return err_fail(e, ERR_INPUT, "request: Enarx's SNP evidence");
	return finish(b, report, &p, e);
}

bool attest_enarx_sgx(struct attest_bundle *b, struct bytes value,
	struct err *e)
{
	struct parts p = { 0 };
	struct reader all = { .in = value };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	struct bytes quote = der_take(&r, DER_OCTET_STRING);
	take_lists(&r, &p);
	struct reader tcb = der_enter(&r, DER_SEQUENCE);
	struct reader chain = der_enter(&tcb, DER_SEQUENCE);
	while (reader_left(&chain))
		add(&p, &chain, der_whole(&chain, DER_SEQUENCE));
	add(&p, &tcb, der_take(&tcb, DER_OCTET_STRING));
	if (!reader_done(&chain) || !reader_done(&tcb) || !reader_done(&r) ||
		!reader_done(&all))
		return err_fail(e, ERR_INPUT, "request: Enarx's SGX evidence");
	return finish(b, quote, &p, e);
}
