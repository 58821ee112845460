/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_sgx.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/reader.h"
#include "crypto/hash.h"

enum { RECORD = 64, CHUNK = 256, PAGE = 4096, SECINFO = 48, TAG = 8 };

struct attest_sgx_build {
	struct crypto_hash *hash;
	uint64_t size;
};

static uint8_t *put(uint8_t *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

bool attest_sgx_create(uint32_t ssa_frame, uint64_t size,
	struct attest_sgx_build **out, struct err *e)
{
	uint8_t r[RECORD] = "ECREATE";
	struct attest_sgx_build *b;
	if (size < 2 * PAGE || size & (size - 1) || !ssa_frame)
		return err_fail(e, ERR_INPUT,
			"enclave: size 0x%llx, SSA frames of %u pages",
			(unsigned long long)size, ssa_frame);
	b = calloc(1, sizeof *b);
	if (!b)
		return err_fail(e, ERR_LIMIT, "enclave: out of memory");
	b->size = size;
	put(put(r + TAG, ssa_frame, 4), size, 8);
	if (!crypto_hash_new(CRYPTO_SHA256, &b->hash, e) ||
		!crypto_hash_add(b->hash, BYTES_ARRAY(r), e)) {
		attest_sgx_free(b);
		return false;
	}
	*out = b;
	return true;
}

static bool add_record(struct attest_sgx_build *b, uint64_t offset,
	uint64_t flags, struct err *e)
{
	uint8_t r[RECORD] = "EADD";
	if (offset % PAGE || offset >= b->size)
		return err_fail(e, ERR_INPUT, "enclave: a page at 0x%llx",
			(unsigned long long)offset);
	put(put(r + TAG, offset, 8), flags, 8);
	return crypto_hash_add(b->hash, BYTES_ARRAY(r), e);
}

static bool extend_record(struct attest_sgx_build *b, uint64_t offset,
	struct bytes chunk, struct err *e)
{
	uint8_t r[RECORD] = "EEXTEND";
	put(r + TAG, offset, 8);
	return crypto_hash_add(b->hash, BYTES_ARRAY(r), e) &&
		crypto_hash_add(b->hash, chunk, e);
}

bool attest_sgx_add(struct attest_sgx_build *b, uint64_t offset, uint64_t flags,
	struct bytes page, bool measured, struct err *e)
{
	if (page.len != PAGE)
		return err_fail(e, ERR_INPUT, "enclave: a page of %zu bytes",
			page.len);
	if (!add_record(b, offset, flags, e))
		return false;
	for (size_t at = 0; measured && at < PAGE; at += CHUNK)
		if (!extend_record(b, offset + at,
			    bytes_of(page.ptr + at, CHUNK), e))
			return false;
	return true;
}

bool attest_sgx_end(struct attest_sgx_build *b, uint8_t mrenclave[32],
	struct err *e)
{
	return crypto_hash_end(b->hash, mrenclave, e);
}

void attest_sgx_free(struct attest_sgx_build *b)
{
	if (!b)
		return;
	crypto_hash_free(b->hash);
	free(b);
}

void attest_sgx_tell(void *ctx, const char *record, uint64_t offset,
	uint64_t flags)
{
	buf_fmt(ctx, "%-10s 0x%012llx  0x%llx\n", record,
		(unsigned long long)offset, (unsigned long long)flags);
}

/* --- a stream of records ------------------------------------------------ */

static bool is_tag(struct bytes tag, const char name[TAG])
{
	return tag.len == TAG && !memcmp(tag.ptr, name, TAG);
}

static void tell(attest_sgx_told *told, void *ctx, const char *record,
	uint64_t offset, uint64_t flags)
{
	if (told)
		told(ctx, record, offset, flags);
}

/* One record behind the first: pages in ascending order, chunks of the page
 * that was added last. */
static bool next_record(struct reader *r, struct attest_sgx_build *b,
	uint64_t *page, attest_sgx_told *told, void *ctx, struct err *e)
{
	struct bytes tag = reader_take(r, TAG);
	uint64_t offset = reader_u64le(r);
	struct bytes info = reader_take(r, SECINFO);
	struct reader flags_in = { .in = info };
	uint64_t flags = reader_u64le(&flags_in);
	if (is_tag(tag, "EADD\0\0\0") && !r->failed) {
		if (*page != UINT64_MAX && offset <= *page)
			return err_fail(e, ERR_INPUT,
				"enclave: pages out of order");
		if (!bytes_all_zero(bytes_from(info, 8)))
			return err_fail(e, ERR_INPUT,
				"enclave: reserved bytes of a page");
		*page = offset;
		tell(told, ctx, "EADD", offset, flags);
		return add_record(b, offset, flags, e);
	}
	struct bytes chunk = reader_take(r, CHUNK);
	if (!is_tag(tag, "EEXTEND") || r->failed || !bytes_all_zero(info) ||
		*page == UINT64_MAX || offset % CHUNK || offset - *page >= PAGE)
		return err_fail(e, ERR_INPUT,
			"enclave: a record that is none, at byte %zu", r->at);
	tell(told, ctx, "EEXTEND", offset, 0);
	return extend_record(b, offset, chunk, e);
}

bool attest_sgx_stream(struct bytes sgxs, attest_sgx_told *told, void *ctx,
	uint8_t mrenclave[32], struct err *e)
{
	struct reader r = { .in = sgxs };
	struct attest_sgx_build *b;
	uint64_t page = UINT64_MAX;
	struct bytes tag = reader_take(&r, TAG);
	uint32_t frame = reader_u32le(&r);
	uint64_t size = reader_u64le(&r);
	struct bytes zeros = reader_take(&r, RECORD - TAG - 12);
	if (!is_tag(tag, "ECREATE") || r.failed || !bytes_all_zero(zeros))
		return err_fail(e, ERR_INPUT,
			"enclave: the first record is not ECREATE");
	if (!attest_sgx_create(frame, size, &b, e))
		return false;
	tell(told, ctx, "ECREATE", size, frame);
	bool ok = true;
	while (ok && reader_left(&r))
		ok = next_record(&r, b, &page, told, ctx, e);
	ok = ok &&
		(reader_done(&r) ||
			err_fail(e, ERR_INPUT,
				"enclave: the last record is cut"));
	ok = ok && attest_sgx_end(b, mrenclave, e);
	attest_sgx_free(b);
	return ok;
}
