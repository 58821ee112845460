/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_monitor.h"

#include <endian.h>
#include <stdlib.h>

#include "crypto/hash.h"

enum {
	PAGE = 4096,
	MONITOR_BYTES = 0x1ff000, /* of memory, that Keystone's is hashed in */
	MAX_FILE = 64 << 20,
	TABLE_LEVELS = 4,
};

static const uint8_t zeros[PAGE];

/* The file, and zeros up to `len`. */
static bool add_padded(struct crypto_hash *h, struct bytes file, size_t len,
	struct err *e)
{
	if (!crypto_hash_add(h, file, e))
		return false;
	for (size_t at = file.len; at < len; at += PAGE)
		if (!crypto_hash_add(h,
			    bytes_of(zeros, size_min(PAGE, len - at)), e))
			return false;
	return true;
}

bool attest_keystone_monitor(struct bytes image, uint8_t out[64], struct err *e)
{
	struct crypto_hash *h;
	if (!image.len || image.len > MONITOR_BYTES)
		return err_fail(e, ERR_INPUT, "monitor: %zu bytes, 1 to %d fit",
			image.len, MONITOR_BYTES);
	if (!crypto_hash_new(CRYPTO_SHA3_512, &h, e))
		return false;
	bool ok = add_padded(h, image, MONITOR_BYTES, e) &&
		crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	return ok;
}

bool attest_keystone_enclave(struct bytes loader, struct bytes runtime,
	struct bytes app, uint8_t out[64], struct err *e)
{
	const struct bytes files[] = { loader, runtime, app };
	uint64_t sizes[ARRAY_LEN(files)];
	size_t whole[ARRAY_LEN(files)];
	struct crypto_hash *h;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (files[i].len > MAX_FILE)
			return err_fail(e, ERR_LIMIT, "enclave: %zu bytes",
				files[i].len);
		whole[i] = (files[i].len + PAGE - 1) / PAGE * PAGE;
		sizes[i] = htole64(whole[i]);
	}
	if (!crypto_hash_new(CRYPTO_SHA3_512, &h, e))
		return false;
	bool ok = crypto_hash_add(h, bytes_of(sizes, sizeof sizes), e);
	for (size_t i = 0; ok && i < ARRAY_LEN(files); i++)
		ok = add_padded(h, files[i], whole[i], e);
	ok = ok && crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	return ok;
}

/* --- Sanctum ------------------------------------------------------------ */

struct attest_sanctum_build {
	struct crypto_hash *hash;
	bool has_handler, has_page;
};

static bool add(struct attest_sanctum_build *b, const uint64_t *numbers,
	size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = htole64(numbers[i]);
		if (!crypto_hash_add(b->hash, bytes_of(&v, sizeof v), e))
			return false;
	}
	return true;
}

bool attest_sanctum_create(uint64_t base, uint64_t mask, uint64_t mailboxes,
	bool debug, struct attest_sanctum_build **out, struct err *e)
{
	const uint64_t numbers[] = { base, mask, mailboxes };
	const uint8_t flag = debug;
	struct attest_sanctum_build *b = calloc(1, sizeof *b);
	if (!b)
		return err_fail(e, ERR_LIMIT, "enclave: out of memory");
	if (!crypto_hash_new(CRYPTO_SHA512, &b->hash, e) ||
		!add(b, numbers, ARRAY_LEN(numbers), e) ||
		!crypto_hash_add(b->hash, bytes_of(&flag, 1), e)) {
		attest_sanctum_free(b);
		return false;
	}
	*out = b;
	return true;
}

bool attest_sanctum_handler(struct attest_sanctum_build *b, struct bytes code,
	struct err *e)
{
	if (b->has_handler || !code.len)
		return err_fail(e, ERR_INPUT, "enclave: one handler");
	b->has_handler = true;
	return crypto_hash_add(b->hash, code, e);
}

bool attest_sanctum_table(struct attest_sanctum_build *b, uint64_t address,
	uint64_t level, uint64_t acl, struct err *e)
{
	const uint64_t numbers[] = { address, level, acl };
	if (!b->has_handler || b->has_page || level >= TABLE_LEVELS)
		return err_fail(e, ERR_INPUT,
			"enclave: a page table of level %llu at 0x%llx",
			(unsigned long long)level, (unsigned long long)address);
	return add(b, numbers, ARRAY_LEN(numbers), e);
}

bool attest_sanctum_page(struct attest_sanctum_build *b, uint64_t address,
	uint64_t acl, struct bytes page, struct err *e)
{
	const uint64_t numbers[] = { address, acl };
	if (!b->has_handler || page.len != PAGE || address % PAGE)
		return err_fail(e, ERR_INPUT,
			"enclave: a page of %zu bytes at 0x%llx", page.len,
			(unsigned long long)address);
	b->has_page = true;
	return add(b, numbers, ARRAY_LEN(numbers), e) &&
		crypto_hash_add(b->hash, page, e);
}

bool attest_sanctum_thread(struct attest_sanctum_build *b, uint64_t pc,
	uint64_t sp, uint64_t timer_limit, struct err *e)
{
	const uint64_t numbers[] = { pc, sp, timer_limit };
	return add(b, numbers, ARRAY_LEN(numbers), e);
}

bool attest_sanctum_end(struct attest_sanctum_build *b, uint8_t out[64],
	struct err *e)
{
	if (!b->has_page)
		return err_fail(e, ERR_INPUT, "enclave: no page");
	return crypto_hash_end(b->hash, out, e);
}

void attest_sanctum_free(struct attest_sanctum_build *b)
{
	if (!b)
		return;
	crypto_hash_free(b->hash);
	free(b);
}
