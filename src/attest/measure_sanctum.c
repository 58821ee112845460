/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_sanctum.h"

#include <endian.h>

#include "attest/measure_monitor.h"
#include "base/reader.h"
#include "crypto/hash.h"

/* abi/sanctum.h, which is not for verifiers: where images lie from the
 * enclave's begin on, rights, and what stands where in the heads of images. */
#define EV_BASE 0xffffffff80000000u
#define EV_MASK EV_BASE
#define SHIM_AT 0x200000u
#define EXEC_AT 0x400000u
#define LARGE	0x200000u
enum { V = 1, R = 2, W = 4, X = 8 };
enum { HEAD_TEXT = 0x0c, HEAD_ENTRY = 0x18, HEAD_EXEC = 0x20 };
enum { HEAD_HANDLER = 0x0c, MONITOR_MAX = 0x40000, EXEC_MAX = 64 << 20 };

struct build {
	struct attest_sanctum_build *b;
	struct buf *told;
	uint64_t text, rodata, stack, entry; /* the shim's head */
};

static bool tell(struct build *k, const char *what, uint64_t at, uint64_t more,
	struct err *e)
{
	return !k->told ||
		buf_fmt(k->told, "%-8s 0x%016llx 0x%llx\n", what,
			(unsigned long long)at, (unsigned long long)more) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

static bool add_handler(struct build *k, struct bytes image, struct err *e)
{
	struct reader r = { .in = image };
	reader_take(&r, HEAD_HANDLER);
	size_t at = reader_u32le(&r), len = reader_u32le(&r);
	if (r.failed || image.len > MONITOR_MAX || at > image.len ||
		len > image.len - at || !len)
		return err_fail(e, ERR_HOST, "monitor: no image");
	return tell(k, "handler", EV_BASE, len, e) &&
		attest_sanctum_handler(k->b, bytes_of(image.ptr + at, len), e);
}

static bool add_table(struct build *k, uint64_t va, uint64_t level,
	struct err *e)
{
	return tell(k, "table", va, level, e) &&
		attest_sanctum_table(k->b, va, level, V, e);
}

static bool add_tables(struct build *k, size_t exec_bytes, struct err *e)
{
	bool ok = add_table(k, EV_BASE, 3, e) && add_table(k, EV_BASE, 2, e);
	for (uint64_t at = 0; ok && at < EXEC_AT + exec_bytes; at += LARGE)
		ok = add_table(k, EV_BASE + at, 1, e);
	return ok;
}

static uint64_t rights(const struct build *k, uint64_t at)
{
	return V | R | (at < k->text ? X : at < k->text + k->rodata ? 0 : W);
}

static bool add_page(struct build *k, uint64_t at, uint64_t acl,
	const uint8_t page[PAGE_BYTES], struct err *e)
{
	return tell(k, "page", EV_BASE + at, acl, e) &&
		attest_sanctum_page(k->b, EV_BASE + at, acl,
			bytes_of(page, PAGE_BYTES), e);
}

/* What the loader writes into the head before it is measured. */
static bool add_shim(struct build *k, struct bytes shim, size_t exec_bytes,
	struct err *e)
{
	const uint32_t n = htole32((uint32_t)exec_bytes);
	uint8_t page[PAGE_BYTES];
	for (size_t at = 0; at < shim.len; at += PAGE_BYTES) {
		memcpy(page, shim.ptr + at, sizeof page);
		if (!at)
			memcpy(page + HEAD_EXEC, &n, sizeof n);
		if (!add_page(k, SHIM_AT + at, rights(k, at), page, e))
			return false;
	}
	return true;
}

/* The last page is filled with zeros. */
static bool add_exec(struct build *k, struct bytes exec, struct err *e)
{
	for (size_t at = 0; at < exec.len; at += PAGE_BYTES) {
		uint8_t page[PAGE_BYTES] = { 0 };
		memcpy(page, exec.ptr + at,
			size_min(exec.len - at, sizeof page));
		if (!add_page(k, EXEC_AT + at, V | R, page, e))
			return false;
	}
	return true;
}

static bool read_head(struct bytes shim, struct build *k, struct err *e)
{
	struct reader r = { .in = shim };
	reader_take(&r, HEAD_TEXT);
	k->text = reader_u32le(&r);
	k->rodata = reader_u32le(&r);
	k->stack = reader_u32le(&r);
	k->entry = reader_u64le(&r);
	reader_take(&r, 8);
	return (!r.failed && shim.len % PAGE_BYTES == 0 &&
		       shim.len <= EXEC_AT - SHIM_AT) ||
		err_fail(e, ERR_HOST, "shim: no image");
}

static bool add_all(struct build *k, struct bytes shim, struct bytes exec,
	struct bytes monitor, struct err *e)
{
	uint64_t sp = EV_BASE + SHIM_AT + k->stack;
	if (exec.len > EXEC_MAX)
		return err_fail(e, ERR_HOST, "exec: %zu bytes", exec.len);
	return add_handler(k, monitor, e) && add_tables(k, exec.len, e) &&
		add_shim(k, shim, exec.len, e) && add_exec(k, exec, e) &&
		tell(k, "thread", k->entry, sp, e) &&
		attest_sanctum_thread(k->b, k->entry, sp, 0, e);
}

bool attest_measure_sanctum(struct bytes shim, struct bytes exec,
	struct bytes monitor_image, struct buf *told, uint8_t out[64],
	uint8_t monitor[64], struct err *e)
{
	struct build k = { .told = told };
	if (!read_head(shim, &k, e) ||
		!crypto_digest(CRYPTO_SHA512, monitor_image, monitor, e) ||
		!attest_sanctum_create(EV_BASE, EV_MASK, 0, false, &k.b, e))
		return false;
	bool ok = add_all(&k, shim, exec, monitor_image, e) &&
		attest_sanctum_end(k.b, out, e);
	attest_sanctum_free(k.b);
	return ok;
}
