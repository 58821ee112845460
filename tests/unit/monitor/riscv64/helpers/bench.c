/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "crypto/ed25519.h"

#include "../../../test.h"

struct monitor bench;
void (*bench_meanwhile)(void);

static uint8_t enclaves[2 * BENCH_ENCLAVE_BYTES]
	__attribute__((aligned(PAGE_BYTES)));
static uint8_t untrusted[BENCH_UNTRUSTED_BYTES]
	__attribute__((aligned(PAGE_BYTES)));
static const uint8_t handler[24] = { 0x73, 0x25, 1 };

void *monitor_memory(uint64_t at)
{
	return bench_at(at);
}

void monitor_log(UNUSED const char *format, ...)
{
}

/* What the monitor itself would reach by a wrong address fails the test. */
uint8_t *bench_at(uint64_t at)
{
	if (at >= BENCH_BASE && at < BENCH_BASE + sizeof enclaves)
		return enclaves + (at - BENCH_BASE);
	if (at >= BENCH_OS && at < BENCH_OS + sizeof untrusted)
		return untrusted + (at - BENCH_OS);
	fail_msg("the monitor looks at 0x%llx", (unsigned long long)at);
	return NULL;
}

void bench_start(void)
{
	memset(enclaves, 0, sizeof enclaves);
	for (size_t i = 0; i < sizeof untrusted; i++)
		untrusted[i] = (uint8_t)(i * 7 + 3);
	memset(&bench, 0, sizeof bench);
	bench.handler.ptr = handler;
	bench.handler.len = sizeof handler;
	bench.record.ram_end = BENCH_BASE + sizeof enclaves;
	bench.record.untrusted_bytes = sizeof untrusted;
	memset(bench.record.sm_seed, 0x11, sizeof bench.record.sm_seed);
	CHECK(crypto_ed25519_public(bench.record.sm_seed, bench.record.sm_pk,
		NULL));
}

struct bench_call bench_step(enum bench_step s)
{
	static const struct bench_call steps[STEPS] = {
		[STEP_CREATE] = { SANCTUM_CREATE,
			{ BENCH_BASE, BENCH_ENCLAVE_BYTES, BENCH_EV,
				BENCH_EV } },
		[STEP_HANDLER] = { SANCTUM_HANDLER, { 0, BENCH_BASE } },
		[STEP_ROOT] = { SANCTUM_TABLE,
			{ 0, BENCH_BASE + 0x1000, BENCH_EV, 3, SANCTUM_V } },
		[STEP_MIDDLE] = { SANCTUM_TABLE,
			{ 0, BENCH_BASE + 0x2000, BENCH_EV, 2, SANCTUM_V } },
		[STEP_LAST] = { SANCTUM_TABLE,
			{ 0, BENCH_BASE + 0x3000, BENCH_EV, 1, SANCTUM_V } },
		[STEP_PAGE] = { SANCTUM_PAGE,
			{ 0, BENCH_BASE + 0x5000, BENCH_EV + 0x5000,
				BENCH_OS + 0x1000,
				SANCTUM_V | SANCTUM_R | SANCTUM_X } },
		[STEP_THREAD] = { SANCTUM_THREAD,
			{ 0, BENCH_EV + 0x5000, BENCH_EV + 0x6000, 0 } },
		[STEP_WINDOW] = { SANCTUM_WINDOW,
			{ 0, BENCH_OS + 0x2000, 0x3000 } },
		[STEP_INIT] = { SANCTUM_INIT, { 0 } },
	};
	return steps[s];
}

enum sanctum_result bench_do(struct bench_call c)
{
	uint64_t value;
	return enclave_call(&bench, c.number, c.a, &value);
}

void bench_load(enum bench_step up_to)
{
	bench_start();
	for (int s = 0; s < (int)up_to; s++)
		CHECK_INT(bench_do(bench_step((enum bench_step)s)), SANCTUM_OK);
}

/* --- the monitor's crypto.h, by the host's library ---------------------- */

struct sha512_state;
int SHA512_Init(struct sha512_state *s);
int SHA512_Update(struct sha512_state *s, const void *from, size_t n);
int SHA512_Final(uint8_t out[HASH_BYTES], struct sha512_state *s);

void hash_init(struct hash *h)
{
	SHA512_Init((struct sha512_state *)(void *)h->state);
}

void hash_add(struct hash *h, const void *from, size_t n)
{
	if (bench_meanwhile)
		bench_meanwhile();
	SHA512_Update((struct sha512_state *)(void *)h->state, from, n);
}

void hash_end(struct hash *h, uint8_t out[HASH_BYTES])
{
	SHA512_Final(out, (struct sha512_state *)(void *)h->state);
}

bool ed25519_public(const uint8_t seed[KEY_BYTES], uint8_t out[KEY_BYTES])
{
	return crypto_ed25519_public(seed, out, NULL);
}

bool ed25519_sign(const uint8_t seed[KEY_BYTES],
	UNUSED const uint8_t public[KEY_BYTES], const void *message, size_t n,
	uint8_t out[SIGNATURE_BYTES])
{
	return crypto_ed25519_sign(seed, bytes_of(message, n), out, NULL);
}
