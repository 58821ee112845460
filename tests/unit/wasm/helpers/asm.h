/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions in a small buffer, compared with bytes. */
#ifndef TESTS_WASM_ASM_H
#define TESTS_WASM_ASM_H

#include "../../test.h"
#include "wasm/jit/x64_priv.h"

static uint8_t buffer[64];
static struct jit_asm a;

static bool no_more(struct jit_asm *x, uint32_t n)
{
	(void)x;
	(void)n;
	return false;
}

static void restart(void)
{
	memset(buffer, 0, sizeof buffer);
	a = (struct jit_asm){ .buf = buffer,
		.cap = sizeof buffer,
		.more = no_more };
}

#define IS(...)                                          \
	do {                                             \
		const uint8_t want_[] = { __VA_ARGS__ }; \
		CHECK(!a.full);                          \
		CHECK_INT(a.len, sizeof want_);          \
		CHECK_MEM(buffer, want_, sizeof want_);  \
		restart();                               \
	} while (0)

#endif
