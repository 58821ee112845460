/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every instruction that reads or writes memory, at the places where others
 * went wrong: a memory without pages, the last bytes, addresses and offsets
 * whose sum does not fit 32 bits.
 */
#include "../test.h"
#include "helpers/build.h"

#define DROP 0x1a

/* What stands between the address and the instruction, and behind it. */
enum value { NOTHING, I32, I64, F32, F64, V128 };

struct access {
	uint8_t prefix; /* 0: none */
	uint8_t op;
	uint8_t size;	       /* bytes that it touches */
	uint8_t value, second; /* operands after the address */
	bool lane;	       /* a lane number follows */
	bool result;
};

#define LOAD(op, size)                                     \
	{                                                  \
		0, op, size, NOTHING, NOTHING, false, true \
	}
#define STORE(op, size, v)                            \
	{                                             \
		0, op, size, v, NOTHING, false, false \
	}
#define VLOAD(op, size)                                       \
	{                                                     \
		0xfd, op, size, NOTHING, NOTHING, false, true \
	}
#define VLANE(op, size, gives)                             \
	{                                                  \
		0xfd, op, size, V128, NOTHING, true, gives \
	}
#define ATOMIC(op, size, v)                             \
	{                                               \
		0xfe, op, size, v, NOTHING, false, true \
	}
/* The seven widths of a read-modify-write. */
#define RMW(first)                                                    \
	ATOMIC(first, 4, I32), ATOMIC(first + 1, 8, I64),             \
		ATOMIC(first + 2, 1, I32), ATOMIC(first + 3, 2, I32), \
		ATOMIC(first + 4, 1, I64), ATOMIC(first + 5, 2, I64), \
		ATOMIC(first + 6, 4, I64)
#define CMPXCHG(op, size, v)                      \
	{                                         \
		0xfe, op, size, v, v, false, true \
	}

static const struct access accesses[] = {
	LOAD(0x28, 4),
	LOAD(0x29, 8),
	LOAD(0x2a, 4),
	LOAD(0x2b, 8),
	LOAD(0x2c, 1),
	LOAD(0x2d, 1),
	LOAD(0x2e, 2),
	LOAD(0x2f, 2),
	LOAD(0x30, 1),
	LOAD(0x31, 1),
	LOAD(0x32, 2),
	LOAD(0x33, 2),
	LOAD(0x34, 4),
	LOAD(0x35, 4),
	STORE(0x36, 4, I32),
	STORE(0x37, 8, I64),
	STORE(0x38, 4, F32),
	STORE(0x39, 8, F64),
	STORE(0x3a, 1, I32),
	STORE(0x3b, 2, I32),
	STORE(0x3c, 1, I64),
	STORE(0x3d, 2, I64),
	STORE(0x3e, 4, I64),
	/* v128: load, extending, splats, zero */
	VLOAD(0, 16),
	VLOAD(1, 8),
	VLOAD(2, 8),
	VLOAD(3, 8),
	VLOAD(4, 8),
	VLOAD(5, 8),
	VLOAD(6, 8),
	VLOAD(7, 1),
	VLOAD(8, 2),
	VLOAD(9, 4),
	VLOAD(10, 8),
	VLOAD(0x5c, 4),
	VLOAD(0x5d, 8),
	{ 0xfd, 11, 16, V128, NOTHING, false, false },
	VLANE(0x54, 1, true),
	VLANE(0x55, 2, true),
	VLANE(0x56, 4, true),
	VLANE(0x57, 8, true),
	VLANE(0x58, 1, false),
	VLANE(0x59, 2, false),
	VLANE(0x5a, 4, false),
	VLANE(0x5b, 8, false),
	/* atomic: notify, loads, stores, the others */
	ATOMIC(0, 4, I32),
	ATOMIC(0x10, 4, NOTHING),
	ATOMIC(0x11, 8, NOTHING),
	ATOMIC(0x12, 1, NOTHING),
	ATOMIC(0x13, 2, NOTHING),
	ATOMIC(0x14, 1, NOTHING),
	ATOMIC(0x15, 2, NOTHING),
	ATOMIC(0x16, 4, NOTHING),
	{ 0xfe, 0x17, 4, I32, NOTHING, false, false },
	{ 0xfe, 0x18, 8, I64, NOTHING, false, false },
	{ 0xfe, 0x19, 1, I32, NOTHING, false, false },
	{ 0xfe, 0x1a, 2, I32, NOTHING, false, false },
	{ 0xfe, 0x1b, 1, I64, NOTHING, false, false },
	{ 0xfe, 0x1c, 2, I64, NOTHING, false, false },
	{ 0xfe, 0x1d, 4, I64, NOTHING, false, false },
	RMW(0x1e),
	RMW(0x25),
	RMW(0x2c),
	RMW(0x33),
	RMW(0x3a),
	RMW(0x41),
	CMPXCHG(0x48, 4, I32),
	CMPXCHG(0x49, 8, I64),
	CMPXCHG(0x4a, 1, I32),
	CMPXCHG(0x4b, 2, I32),
	CMPXCHG(0x4c, 1, I64),
	CMPXCHG(0x4d, 2, I64),
	CMPXCHG(0x4e, 4, I64),
};

static void push(struct buf *code, uint8_t value)
{
	static const uint8_t zeros[16];
	switch (value) {
	case I32:
		buf_put(code, B(0x41, 0));
		break;
	case I64:
		buf_put(code, B(0x42, 0));
		break;
	case F32:
		buf_u8(code, 0x43);
		buf_put(code, bytes_of(zeros, 4));
		break;
	case F64:
		buf_u8(code, 0x44);
		buf_put(code, bytes_of(zeros, 8));
		break;
	case V128:
		buf_put(code, B(0xfd, 12));
		buf_put(code, bytes_of(zeros, 16));
		break;
	default:
		break;
	}
}

/* f(address): the access with that offset, on a memory of so many pages. */
static void make(struct made *x, const struct access *a, uint32_t pages,
	uint64_t offset)
{
	struct build b = { 0 };
	auto_buf code = { 0 };
	build_memory(&b, pages, 1);
	buf_put(&code, B(0x20, 0));
	push(&code, a->value);
	push(&code, a->second);
	if (a->prefix)
		buf_u8(&code, a->prefix);
	leb(&code, a->op);
	/* Atomic accesses name their alignment, others may say less. */
	uint8_t align = 0;
	while (a->prefix == 0xfe && 1 << align < a->size)
		align++;
	buf_u8(&code, align);
	leb(&code, offset);
	if (a->lane)
		buf_u8(&code, 0);
	if (a->result)
		buf_u8(&code, DROP);
	build_func(&b, "f", "i:", "", buf_bytes(&code));
	made_init(x, &b);
}

static void check(struct made *x, const struct access *a, uint32_t at,
	enum wasm_trap want)
{
	enum wasm_trap got = made_trap(x, "f", "i", at);
	bool aligned = a->prefix != 0xfe || at % a->size == 0;
	if (got != want && (aligned || got != WASM_TRAP_UNALIGNED))
		fail_msg("0x%x 0x%x at 0x%x: trap %d, not %d", a->prefix, a->op,
			at, got, want);
}

TEST(a_memory_without_pages_refuses_every_access)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
		struct made x;
		make(&x, &accesses[i], 0, 0);
		check(&x, &accesses[i], 0, WASM_TRAP_MEMORY);
		check(&x, &accesses[i], 0xfffffff0u, WASM_TRAP_MEMORY);
		check(&x, &accesses[i], 0xffffffffu, WASM_TRAP_MEMORY);
		made_fini(&x);
	}
}

TEST(every_access_stops_at_the_last_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
		const struct access *a = &accesses[i];
		struct made x;
		make(&x, a, 1, 0);
		uint32_t last = 65536u - a->size;
		check(&x, a, last, WASM_TRAP_NONE);
		for (uint32_t at = last + 1; at <= 65536; at++)
			check(&x, a, at, WASM_TRAP_MEMORY);
		made_fini(&x);
	}
}

TEST(offsets_count_towards_the_last_byte)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
		const struct access *a = &accesses[i];
		struct made x;
		make(&x, a, 1, 65536u - a->size);
		check(&x, a, 0, WASM_TRAP_NONE);
		check(&x, a, a->size, WASM_TRAP_MEMORY);
		check(&x, a, 0u - a->size, WASM_TRAP_MEMORY);
		made_fini(&x);
	}
}

TEST(offsets_and_addresses_do_not_wrap_round)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
		const struct access *a = &accesses[i];
		struct made x;
		make(&x, a, 1, 0x100000000u - a->size);
		check(&x, a, 0, WASM_TRAP_MEMORY);
		check(&x, a, a->size, WASM_TRAP_MEMORY);
		check(&x, a, 0u - a->size, WASM_TRAP_MEMORY);
		made_fini(&x);
	}
}
