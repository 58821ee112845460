/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crosses the border of an enclave besides what shall: the loader's
 * registers are full of garbage at each entry, and at each exit nothing is in
 * them but the message.
 */
#include "../test.h"
#include "base/fmt.h"
#include "helpers/nest.h"
#include "helpers/vm.h"
#include "soft/device_priv.h"

#define GARBAGE 0xbadbadbadbadbad0ull

/* All that EENTER leaves as it is: among them AC and DF (SDM, EENTER). */
#define ALL_FLAGS 0x240cd5ull

static const struct device_ops *real;
static struct monitor_state garbage;
static uint8_t vectors[MONITOR_VECTOR_BYTES];
/* What the enclave's thread saw. */
static unsigned exits, bells;
static char wrong[128];

enum { MXCSR = 24, XMM = 160, YMM = 576 };

static void find_mark(const void *p, size_t n, const char *where)
{
	const uint64_t mark = GUEST_MARK;
	if (memmem(p, n, &mark, sizeof mark))
		fmt(wrong, sizeof wrong, "a mark in %s", where);
}

/* x87's and SSE's; XSAVE's header tells what is in use. */
static bool same_vectors(const uint8_t *now)
{
	static const uint8_t seen[] = { 0, 1, MXCSR, MXCSR + 1 };
	for (size_t i = 0; i < sizeof seen; i++)
		if (now[seen[i]] != vectors[seen[i]])
			return false;
	return !memcmp(now + XMM, vectors + XMM, 256) &&
		!memcmp(now + YMM, vectors + YMM, 256);
}

/* As after a reset: the shim cleared what was exec's. */
static bool no_vectors(const uint8_t *now)
{
	return !memcmp(now + MXCSR, "\x80\x1f", 2) &&
		!memcmp(now, "\x7f\x03", 2) &&
		bytes_all_zero(bytes_of(now + XMM, 256)) &&
		bytes_all_zero(bytes_of(now + YMM, 256));
}

static void look(const struct soft_device *s, const struct device_enclave *x)
{
	const struct monitor_box *b = s->machine.box;
	const struct monitor_state *t = &b->state;
	static const int empty[] = { 9, 10, 11, 12, 13, 14, 15 };
	find_mark(t, sizeof *t, "a register");
	find_mark(b->vectors, sizeof b->vectors, "a vector register");
	if (x->function != SGX_EEXIT)
		return;
	exits++;
	bells += x->rdi == ENCLAVE_BELL;
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		if (t->general[empty[i]])
			fmt(wrong, sizeof wrong, "r%d is not empty", empty[i]);
	if (t->general[MONITOR_RSP] != GARBAGE ||
		t->general[MONITOR_RBP] != GARBAGE + 1)
		fmt(wrong, sizeof wrong, "the host's stack is another");
	if (t->rflags & (ALL_FLAGS & ~0x8d5ull))
		fmt(wrong, sizeof wrong, "flags 0x%llx",
			(unsigned long long)t->rflags);
	if (!same_vectors(b->vectors) && !no_vectors(b->vectors))
		fmt(wrong, sizeof wrong, "the host's vectors changed");
}

static int enter_with_garbage(struct device *d, int handle,
	struct device_enclave *x)
{
	struct soft_device *s = (void *)d;
	s->sgx.outside = &garbage;
	s->sgx.vectors = vectors;
	int n = real->enclave_enter(d, handle, x);
	if (n == 0)
		look(s, x);
	return n;
}

static const struct device_ops *spy(const struct device_ops *ops)
{
	static struct device_ops spied;
	real = ops;
	spied = *ops;
	spied.enclave_enter = enter_with_garbage;
	return &spied;
}

static void fill_garbage(void)
{
	for (size_t i = 0; i < MONITOR_GENERAL; i++)
		garbage.general[i] = GARBAGE + 0x100 * i;
	garbage.general[MONITOR_RSP] = GARBAGE;
	garbage.general[MONITOR_RBP] = GARBAGE + 1;
	garbage.rflags = ALL_FLAGS | 2;
	for (size_t i = 0; i < sizeof vectors; i++)
		vectors[i] = (uint8_t)(i * 7 + 3);
	/* Every exception unmasked, other rounding, flushed to zero: MXCSR's
	 * and the x87 control word. */
	memcpy(vectors + MXCSR, "\x40\xe0\0\0", 4);
	memcpy(vectors, "\x40\x0c", 2);
}

TEST(sgx_nothing_but_the_message_crosses_the_border)
{
	static struct place n;
	char why[128] = "";
	struct err e = { 0 };
	fill_garbage();
	nest_open(&n, GUEST_MARKS);
	place_spy = spy;
	struct hal_keep *k = place_launch(&n);
	place_spy = NULL;
	struct gate_area *a = n.tech->area(k);
	for (uint32_t i = 1; i <= 3; i++) {
		if (!place_took(&n, k, why))
			fail_msg("%s; %s", why, wrong);
		a->reply = (struct gate_reply){ .seq = i };
		CHECK(n.tech->resume(k, &e));
	}
	CHECK(!place_took(&n, k, why));
	n.tech->destroy(k);
	CHECK_STR(wrong, "");
	CHECK_STR(why, "exit status 0");
	CHECK_INT(bells, 3);
	CHECK(exits > 3);
	nest_forget();
}
