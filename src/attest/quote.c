/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/quote.h"

#include "base/reader.h"

enum { ECDSA_BYTES = 64 };

/* The quoting enclave's maker: Intel. */
static const uint8_t intel[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c,
	0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

bool attest_quote_is(struct bytes in)
{
	struct reader r = { .in = in };
	uint16_t version = reader_u16le(&r), key = reader_u16le(&r);
	uint32_t tee = reader_u32le(&r);
	return !r.failed && in.len > SGX_QUOTE_HEADER_BYTES && version >= 3 &&
		version <= 5 && key >= SGX_KEY_P256 && key <= 3 &&
		(tee == SGX_TEE_SGX || tee == SGX_TEE_TDX);
}

static bool read_header(struct reader *r, struct attest_quote *q, struct err *e)
{
	q->version = reader_u16le(r);
	uint16_t key = reader_u16le(r);
	uint32_t tee = reader_u32le(r);
	reader_take(r, 4); /* versions of enclaves, judged by their TCB */
	struct bytes vendor = reader_take(r, sizeof intel);
	reader_take(r, 20); /* user data */
	q->tdx = tee == SGX_TEE_TDX;
	if (r->failed || q->version < 3 || q->version > 5)
		return err_fail(e, ERR_INPUT, "quote: not version 3, 4 or 5");
	if (key != SGX_KEY_P256)
		return err_fail(e, ERR_INPUT, "quote: key type %u", key);
	if (tee != SGX_TEE_SGX && (tee != SGX_TEE_TDX || q->version == 3))
		return err_fail(e, ERR_INPUT, "quote: technology 0x%x", tee);
	if (!bytes_equal(vendor, BYTES_ARRAY(intel)))
		return err_fail(e, ERR_INPUT, "quote: not of Intel's enclave");
	return true;
}

static bool read_body(struct reader *r, struct attest_quote *q, struct err *e)
{
	size_t n = q->tdx ? TDX_TD10_BYTES : sizeof(struct sgx_report);
	if (q->version == 5) {
		uint16_t kind = reader_u16le(r);
		uint32_t size = reader_u32le(r);
		if (kind == SGX_BODY_TD15 && q->tdx)
			n = sizeof(struct tdx_report);
		else if (kind != (q->tdx ? SGX_BODY_TD10 : SGX_BODY_SGX))
			return err_fail(e, ERR_INPUT, "quote: body %u", kind);
		if (size != n)
			return err_fail(e, ERR_INPUT, "quote: body of %u bytes",
				size);
	}
	q->body = reader_take(r, n);
	q->signed_part = bytes_of(r->in.ptr, r->at);
	return !r->failed || err_fail(e, ERR_INPUT, "quote: body is cut");
}

/* What certifies the attestation key: the quoting enclave's report, and the
 * chain of the platform's certificate. */
static bool read_certification(struct bytes in, struct attest_quote *q,
	struct err *e)
{
	struct reader r = { .in = in };
	q->qe_report = reader_take(&r, sizeof(struct sgx_report));
	q->qe_sig = reader_take(&r, ECDSA_BYTES);
	q->qe_auth = reader_take(&r, reader_u16le(&r));
	uint16_t kind = reader_u16le(&r);
	q->pck_chain = reader_take(&r, reader_u32le(&r));
	if (!r.failed && kind != SGX_CERT_PCK_CHAIN)
		return err_fail(e, ERR_INPUT,
			"quote: certification data of kind %u", kind);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT,
			"quote: certification data is cut");
	return true;
}

static bool read_signature(struct bytes in, struct attest_quote *q,
	struct err *e)
{
	struct reader r = { .in = in };
	q->sig = reader_take(&r, ECDSA_BYTES);
	q->key = reader_take(&r, ECDSA_BYTES);
	if (q->version == 3)
		return read_certification(bytes_from(in, 2 * ECDSA_BYTES), q,
			e);
	uint16_t kind = reader_u16le(&r);
	struct bytes data = reader_take(&r, reader_u32le(&r));
	if (!reader_done(&r) || kind != SGX_CERT_QE_REPORT)
		return err_fail(e, ERR_INPUT,
			"quote: certification data of kind %u", kind);
	return read_certification(data, q, e);
}

bool attest_quote_parse(struct bytes in, struct attest_quote *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct attest_quote q = { 0 };
	if (!read_header(&r, &q, e) || !read_body(&r, &q, e))
		return false;
	struct bytes sig = reader_take(&r, reader_u32le(&r));
	if (r.failed)
		return err_fail(e, ERR_INPUT, "quote: signature is cut");
	q.trailing = reader_left(&r);
	if (!read_signature(sig, &q, e))
		return false;
	/* The chain is text, often with the NUL of a C string, and has no
	 * second spelling by what stands behind it. */
	struct bytes *pem = &q.pck_chain;
	if (pem->len && !pem->ptr[pem->len - 1])
		pem->len--;
	if (!pem->len || !strchr("-\n", pem->ptr[pem->len - 1]))
		return err_fail(e, ERR_INPUT, "quote: chain does not end");
	*out = q;
	return true;
}
