/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_tdx.h"

#include <stdlib.h>

#include "base/reader.h"
#include "crypto/hash.h"

enum { RECORD = 128, CHUNK = 256, PAGE = 4096, GPA_AT = 16 };

struct attest_td_build {
	struct crypto_hash *hash;
};

bool attest_td_create(struct attest_td_build **out, struct err *e)
{
	struct attest_td_build *b = calloc(1, sizeof *b);
	if (!b)
		return err_fail(e, ERR_LIMIT, "td: out of memory");
	if (!crypto_hash_new(CRYPTO_SHA384, &b->hash, e)) {
		free(b);
		return false;
	}
	*out = b;
	return true;
}

static bool record(struct attest_td_build *b, const char *name, uint64_t gpa,
	struct err *e)
{
	uint8_t r[RECORD] = { 0 };
	memcpy(r, name, strlen(name));
	for (size_t i = 0; i < 8; i++)
		r[GPA_AT + i] = (uint8_t)(gpa >> 8 * i);
	return crypto_hash_add(b->hash, BYTES_ARRAY(r), e);
}

static bool place_ok(uint64_t gpa, struct err *e)
{
	return gpa % PAGE == 0 ||
		err_fail(e, ERR_INPUT, "td: 0x%llx is no page's address",
			(unsigned long long)gpa);
}

bool attest_td_add(struct attest_td_build *b, uint64_t gpa, struct err *e)
{
	return place_ok(gpa, e) && record(b, "MEM.PAGE.ADD", gpa, e);
}

bool attest_td_extend(struct attest_td_build *b, uint64_t gpa,
	struct bytes page, struct err *e)
{
	if (!place_ok(gpa, e))
		return false;
	if (page.len != PAGE)
		return err_fail(e, ERR_INPUT, "td: a page of %zu bytes",
			page.len);
	for (size_t at = 0; at < PAGE; at += CHUNK)
		if (!record(b, "MR.EXTEND", gpa + at, e) ||
			!crypto_hash_add(b->hash,
				bytes_of(page.ptr + at, CHUNK), e))
			return false;
	return true;
}

bool attest_td_end(struct attest_td_build *b, uint8_t mrtd[48], struct err *e)
{
	return crypto_hash_end(b->hash, mrtd, e);
}

void attest_td_free(struct attest_td_build *b)
{
	if (!b)
		return;
	crypto_hash_free(b->hash);
	free(b);
}

/* --- event logs --------------------------------------------------------- */

enum {
	ALG_SHA384 = 0x0c,
	NO_ACTION = 3,
	MAX_ALGS = 8,
	SHA1 = 20,
	MAX_EVENT = 1 << 20,
};
static const uint32_t end_index = 0xffffffffu;

/* Which algorithms the log's events carry, and their lengths. */
struct algs {
	uint16_t id[MAX_ALGS], len[MAX_ALGS];
	size_t count;
};

/* The first event has the form of TPM 1.2 and says how the others look. */
static bool read_spec(struct reader *r, struct algs *a, struct err *e)
{
	reader_u32le(r); /* register */
	uint32_t type = reader_u32le(r);
	reader_take(r, SHA1);
	struct reader in = { .in = reader_take(r, reader_u32le(r)) };
	struct bytes magic = reader_take(&in, 16);
	reader_take(&in, 8); /* platform, versions, width of addresses */
	uint32_t n = reader_u32le(&in);
	if (r->failed || in.failed || type != NO_ACTION ||
		!bytes_equal(magic, BYTES_LIT("Spec ID Event03\0")))
		return err_fail(e, ERR_INPUT, "event log: no Spec ID event");
	if (n > MAX_ALGS)
		return err_fail(e, ERR_LIMIT, "event log: %u algorithms", n);
	for (a->count = 0; a->count < n; a->count++) {
		a->id[a->count] = reader_u16le(&in);
		a->len[a->count] = reader_u16le(&in);
	}
	reader_take(&in, reader_u8(&in)); /* the vendor's own */
	return reader_done(&in) ||
		err_fail(e, ERR_INPUT, "event log: Spec ID event");
}

/* The SHA-384 digest among an event's; false when it has none. */
static bool read_digests(struct reader *r, const struct algs *a,
	struct bytes *sha384)
{
	uint32_t n = reader_u32le(r);
	*sha384 = BYTES_NONE;
	if (n > a->count)
		r->failed = true;
	for (uint32_t i = 0; i < n && !r->failed; i++) {
		uint16_t id = reader_u16le(r);
		size_t k = 0;
		while (k < a->count && a->id[k] != id)
			k++;
		if (k == a->count) {
			r->failed = true;
			break;
		}
		struct bytes d = reader_take(r, a->len[k]);
		if (id == ALG_SHA384)
			*sha384 = d;
	}
	return !r->failed && sha384->len == 48;
}

static bool extend(uint8_t rtmr[48], struct bytes digest, struct err *e)
{
	uint8_t both[96];
	memcpy(both, rtmr, 48);
	memcpy(both + 48, digest.ptr, 48);
	return crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(both), rtmr, e);
}

bool attest_ccel_replay(struct bytes log, attest_ccel_told *told, void *ctx,
	uint8_t rtmr[ATTEST_RTMRS][48], struct err *e)
{
	struct reader r = { .in = log };
	struct algs algs = { 0 };
	uint8_t v[ATTEST_RTMRS][48] = { 0 };
	if (!read_spec(&r, &algs, e))
		return false;
	while (reader_left(&r)) {
		struct bytes digest;
		uint32_t index = reader_u32le(&r);
		if (index == end_index)
			break;
		uint32_t type = reader_u32le(&r);
		bool has = read_digests(&r, &algs, &digest);
		uint32_t len = reader_u32le(&r);
		struct bytes data = reader_take(&r, len);
		if (r.failed || len > MAX_EVENT)
			return err_fail(e, ERR_INPUT,
				"event log: an event is cut");
		if (type == NO_ACTION || index == 0)
			continue;
		if (index > ATTEST_RTMRS || !has)
			return err_fail(e, ERR_INPUT,
				"event log: an event of register %u", index);
		if (!extend(v[index - 1], digest, e))
			return false;
		if (told)
			told(ctx, index - 1, type, digest.ptr, data);
	}
	memcpy(rtmr, v, sizeof v);
	return true;
}
