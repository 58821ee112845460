/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security monitor's calls, in any order with any arguments: whatever is
 * asked, it looks at no memory but enclaves' and the operating system's, a call
 * that fails changes nothing, and what an enclave may reach is its own.
 */
#include "base/must.h"
#include "base/reader.h"
#include "crypto/ed25519.h"
#include "monitor/riscv64/monitor.h"

enum { UNTRUSTED = 0x8000, MEMORY = 0x400000, REGION = 0x200000, CALLS = 64 };

static uint8_t enclaves[MEMORY] __attribute__((aligned(PAGE_BYTES)));
static uint8_t untrusted[UNTRUSTED] __attribute__((aligned(PAGE_BYTES)));
static const uint8_t handler[24] = { 1 };
static struct monitor monitor, before;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *monitor_memory(uint64_t at)
{
	if (at - SANCTUM_ENCLAVES_AT < sizeof enclaves)
		return enclaves + (at - SANCTUM_ENCLAVES_AT);
	must(at - SANCTUM_UNTRUSTED_AT < sizeof untrusted);
	return untrusted + (at - SANCTUM_UNTRUSTED_AT);
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

/* --- what always holds -------------------------------------------------- */

static bool owns(const struct enclave *v, uint64_t at)
{
	return at >= v->base && at - v->base < v->bytes;
}

/* Every entry leads into the enclave, and no page is writable and executable.
 */
static void judge_table(const struct enclave *v, uint64_t at, unsigned level)
{
	must(owns(v, at));
	const uint64_t *entries = monitor_memory(at);
	for (size_t i = 0; i < PAGE_BYTES / sizeof *entries; i++) {
		uint64_t e = entries[i], to = e >> 10 << 12;
		if (!e)
			continue;
		must(owns(v, to) && (e & 1) && !(e & 0x10));
		must((e & 0xc) != 0xc);
		must(!(e & 0xe) == (level > 1));
		if (level > 1)
			judge_table(v, to, level - 1);
	}
}

static void judge_walls(const struct enclave *v)
{
	struct pmp p;
	enclave_protect_inside(v, &p);
	must(p.address[0] == v->base >> 2);
	must(p.address[1] == (v->base + v->bytes) >> 2);
	for (unsigned i = 1; i < p.used; i++) {
		uint64_t from = p.address[2 * i] << 2;
		uint64_t to = p.address[2 * i + 1] << 2;
		must(from >= SANCTUM_UNTRUSTED_AT && from < to &&
			to <= SANCTUM_UNTRUSTED_AT + UNTRUSTED);
		must(!(p.config >> (8 * (2 * i + 1)) & PMP_X));
	}
}

static void judge(void)
{
	for (size_t i = 0; i < ENCLAVES; i++) {
		const struct enclave *v = &monitor.enclave[i];
		must(v->state < ENCLAVE_STATES);
		if (v->state == ENCLAVE_NONE)
			continue;
		must(v->bytes && v->bytes <= MEMORY && owns(v, v->base));
		must(v->base >= SANCTUM_ENCLAVES_AT);
		must(v->base + v->bytes <= SANCTUM_ENCLAVES_AT + MEMORY);
		must(v->next >= v->base && v->next <= v->base + v->bytes);
		for (size_t k = 0; k < i; k++)
			must(monitor.enclave[k].state == ENCLAVE_NONE ||
				!owns(&monitor.enclave[k], v->base));
		if (v->root)
			judge_table(v, v->root, 3);
		judge_walls(v);
	}
}

/* --- calls -------------------------------------------------------------- */

/* What is near the truth more often than not. */
static uint64_t argument(struct reader *r)
{
	static const uint64_t usual[] = { 0, 1, 2, 3, REGION, MEMORY,
		SANCTUM_ENCLAVES_AT, SANCTUM_ENCLAVES_AT + REGION,
		SANCTUM_UNTRUSTED_AT, SANCTUM_EV_BASE, PAGE_BYTES,
		SANCTUM_V | SANCTUM_R | SANCTUM_X,
		SANCTUM_V | SANCTUM_R | SANCTUM_W };
	uint8_t how = reader_u8(r);
	if (how == 0xff)
		return reader_u64le(r);
	uint64_t v = usual[(how & 15) % ARRAY_LEN(usual)];
	return v + (uint64_t)(how >> 4) * PAGE_BYTES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = { .in = bytes_of(data, size) };
	memset(&monitor, 0, sizeof monitor);
	memset(enclaves, 0, sizeof enclaves);
	monitor.handler.ptr = handler;
	monitor.handler.len = sizeof handler;
	monitor.record.ram_end = SANCTUM_ENCLAVES_AT + MEMORY;
	monitor.record.untrusted_bytes = UNTRUSTED;
	for (int i = 0; i < CALLS && !r.failed && reader_left(&r); i++) {
		uint64_t number = reader_u8(&r) % (SANCTUM_DELETE + 2);
		uint64_t a[6], value;
		enum sanctum_result why;
		for (size_t k = 0; k < ARRAY_LEN(a); k++)
			a[k] = argument(&r);
		before = monitor;
		if (number == SANCTUM_ENTER) {
			struct enclave *v = enclave_enter(&monitor, a[0], &why);
			must(!v == (why != SANCTUM_OK));
			if (v)
				v->state = a[1] & 1 ? ENCLAVE_READY :
						      ENCLAVE_ENDED;
		} else {
			why = enclave_call(&monitor, number, a, &value);
		}
		must(why < SANCTUM_RESULT_COUNT);
		must(why == SANCTUM_OK ||
			!memcmp(&before, &monitor, sizeof monitor));
		judge();
	}
	return 0;
}
