/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crosses the border of an enclave besides what shall: the loader's
 * registers are full of garbage at each entry, and at each exit nothing is in
 * them but the message.
 */
#include <stdlib.h>

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

/* --- whoever enters without having been asked ------------------------------
 */

/* Up to where exec spins, or has rung. */
static void launch(struct sgx_machine *m, struct place *n, enum guest what)
{
	struct err e = { 0 };
	nest_open(n, what);
	if (!sgx_launch(m, n->tech, &n->cfg, &e))
		fail_msg("%s", e.text);
	((struct soft_device *)(void *)m->device)->sgx.tell_all = true;
}

static struct device_enclave enter(struct sgx_machine *m, uint32_t function)
{
	struct device_enclave x = { .tcs = m->tcs,
		.function = function,
		.rdi = (uintptr_t)m->window };
	CHECK_INT(m->device->ops->enclave_enter(m->device, m->handle, &x), 0);
	return x;
}

/* As a good host does, until the enclave leaves for that reason. */
static void run_to(struct sgx_machine *m, uint32_t function,
	enum enclave_leave why)
{
	static struct vm_cpu c;
	for (;;) {
		struct device_enclave x = enter(m, function);
		function = SGX_EENTER;
		if (x.function != SGX_EEXIT)
			continue;
		if (x.rdi == why)
			return;
		CHECK(x.rdi != ENCLAVE_CRASH && x.rdi != ENCLAVE_EXIT);
		if (x.rdi == ENCLAVE_RESUME)
			function = SGX_ERESUME;
		else
			(void)sgx_serve_pages(m, &c, &x);
	}
}

/* Whoever resumes exec while the shim waits for an answer finds it at the same
 * call again; whoever enters while the shim runs finds no frame to do it on. */
TEST(sgx_nobody_reenters_the_shim)
{
	static struct sgx_machine m;
	static struct place n;
	launch(&m, &n, GUEST_WAIT);
	run_to(&m, SGX_EENTER, ENCLAVE_BELL);
	struct gate_area *a = (void *)(m.window + VM_AREA_AT);
	struct device_enclave x = enter(&m, SGX_ERESUME);
	CHECK_INT(x.function, SGX_ERESUME);
	CHECK_INT(x.vector, 6);
	a->reply = (struct gate_reply){ .seq = 1, .ret0 = 3 };
	CHECK_INT(soft_kvm_call((void *)m.device, MONITOR_SGX_INTERRUPT,
			  (uint64_t[4]){ 1 }),
		0);
	x = enter(&m, SGX_EENTER);
	CHECK_INT(x.function, SGX_ERESUME);
	CHECK_INT(x.vector, MONITOR_NO_VECTOR);
	x = enter(&m, SGX_EENTER);
	CHECK_INT(x.function, SGX_EENTER);
	CHECK_INT(x.vector, 13);
	run_to(&m, SGX_ERESUME, ENCLAVE_EXIT);
	const struct vm_report *r = (const void *)(m.window + VM_REPORT_AT);
	CHECK_INT(r->status, 98);
	sgx_machine_fini(&m);
}

TEST(sgx_a_host_that_interrupts_exec_without_end_ends_it)
{
	enum { MOST = 300000 };
	static struct sgx_machine m;
	static struct place n;
	static struct vm_cpu c;
	const struct vm_report *r;
	struct device_enclave x = { .rdi = 0 };
	uint32_t function = SGX_EENTER;
	unsigned i = 0;
	if (!getenv("DONJON_ALL"))
		SKIP_TEST("100,000 interrupts only with DONJON_ALL=1");
	launch(&m, &n, GUEST_SPIN);
	/* Without it each entry ends at the host again. */
	struct enclave_cpuid *id = (void *)(m.window + ENCLAVE_CPUID_AT);
	for (size_t k = 0; k < ENCLAVE_CPUIDS; k++)
		if (id[k].leaf == 0x12 && id[k].sub == 0)
			id[k].eax &= ~(1u << 11); /* EDECCSSA */
	for (; i < MOST && x.rdi != ENCLAVE_CRASH; i++) {
		uint64_t when[4] = { function == SGX_ERESUME };
		CHECK_INT(soft_kvm_call((void *)m.device, MONITOR_SGX_INTERRUPT,
				  when),
			0);
		x = enter(&m, function);
		if (x.function == SGX_EEXIT && x.rdi >= ENCLAVE_RESTRICT &&
			x.rdi <= ENCLAVE_REMOVE)
			(void)sgx_serve_pages(&m, &c, &x);
		function = x.function == SGX_EEXIT && x.rdi == ENCLAVE_RESUME ?
			SGX_ERESUME :
			SGX_EENTER;
	}
	r = (const void *)(m.window + VM_REPORT_AT);
	CHECK_INT(x.rdi, ENCLAVE_CRASH);
	CHECK_HAS(r->text, "interrupts exec without end");
	sgx_machine_fini(&m);
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
