/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile host of an enclave: enters at wrong times and depths, with
 * registers full of garbage, interrupts at any instruction, by exceptions that
 * were none, lies in each field of the window before, while and after it is
 * read, does not do to pages what it was asked for, lets the counter jump.
 * Whatever it does, the shim ends with a sentence, goes on rightly, or waits:
 * it never faults itself.  A run is its seed.
 *
 *	DONJON_SEED=N		that run, step by step
 *	DONJON_SEED=N DONJON_RUNS=M	M of them, from there on
 */
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "helpers/nest.h"
#include "soft/device_priv.h"

enum {
	RUNS = 12,
	RUNS_ALL = 3000,
	STEPS = 600,
	DEPTHS = 2,
	ANSWERS = 3,
};

/* How a run ended. */
enum outcome { WAITS, RIGHT, TOLD, CRASHED, OUTCOMES };

struct host {
	uint64_t seed, state;
	struct sgx_machine m;
	unsigned cssa;	 /* frames in use, while that can be followed */
	bool followed;	 /* the processor has no EDECCSSA */
	bool interrupts; /* this host makes some */
	bool liar;	 /* else it disturbs, and exec must end well */
	bool lied;	 /* something that exec may notice */
	bool forged;	 /* an exception that was none */
	bool jumps;	 /* its counter does */
	bool told;	 /* each step is printed */
	enum outcome outcome;
	struct monitor_state outside;
	uint8_t vectors[MONITOR_VECTOR_BYTES];
	bool blind;    /* the shim knows of no window */
	uint32_t next; /* what a good host would do */
	unsigned refused;
};

static uint64_t roll(struct host *h)
{
	h->state ^= h->state << 13;
	h->state ^= h->state >> 7;
	h->state ^= h->state << 17;
	return h->state;
}

static bool one_in(struct host *h, unsigned n)
{
	return roll(h) % n == 0;
}

static void say(const struct host *h, const char *what)
{
	fail_msg("seed 0x%llx: %s", (unsigned long long)h->seed, what);
}

/* --- lies in memory ---------------------------------------------------------
 */

static void scribble_at(struct host *h, uint32_t at, size_t n)
{
	uint8_t *p = h->m.window + at;
	switch (roll(h) % 4) {
	case 0:
		p[roll(h) % n] ^= (uint8_t)(1u << roll(h) % 8);
		break;
	case 1:
		memset(p, one_in(h, 2) ? 0xff : 0, n);
		break;
	default:
		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t)roll(h);
	}
	h->lied = true;
}

/* Before the first entry: hints, CPUID, target, the gate's boot fields. */
static void lie_at_boot(struct host *h)
{
	static const struct {
		uint32_t at;
		size_t n;
	} parts[] = {
		{ VM_HINTS_AT, 4 },
		{ VM_HINTS_AT + offsetof(struct vm_hints, ram_bytes), 8 },
		{ VM_HINTS_AT + offsetof(struct vm_hints, real_ns), 8 },
		{ VM_HINTS_AT + offsetof(struct vm_hints, tsc_khz), 4 },
		{ ENCLAVE_CPUID_AT, 24 * 8 },
		{ ENCLAVE_CPUID_AT + 24 * 8, 24 * 24 },
		{ ENCLAVE_TARGET_AT, 512 },
		{ VM_AREA_AT, 8 },
		{ VM_AREA_AT + offsetof(struct gate_area, boot), 16 },
	};
	size_t i = roll(h) % ARRAY_LEN(parts);
	scribble_at(h, parts[i].at, parts[i].n);
}

/* Without EDECCSSA the depth can be followed from outside. */
static void hide_edeccssa(struct host *h)
{
	struct enclave_cpuid *c = (void *)(h->m.window + ENCLAVE_CPUID_AT);
	for (size_t i = 0; i < ENCLAVE_CPUIDS; i++)
		if (c[i].leaf == 0x12 && c[i].sub == 0)
			c[i].eax &= ~(1u << 11);
	h->followed = true;
}

/* --- replies ----------------------------------------------------------------
 */

static void answer(struct host *h)
{
	struct gate_area *a = (void *)(h->m.window + VM_AREA_AT);
	uint32_t seq = a->request.seq;
	a->reply = (struct gate_reply){ .seq = seq, .ret0 = seq * 3 };
	if (!h->liar || !one_in(h, 3))
		return;
	switch (roll(h) % 7) {
	case 0:
		a->reply.seq = (uint32_t)roll(h);
		break;
	case 1:
		a->reply.ret0 = roll(h);
		break;
	case 2:
		a->reply.error = (uint32_t)roll(h);
		break;
	case 3:
		a->reply.data_len = (uint32_t)roll(h) % (2 * GATE_DATA_BYTES);
		break;
	case 4:
		a->reply.data_len = UINT32_MAX - (uint32_t)(roll(h) % 16);
		break;
	case 5:
		a->reply.reserved_14 = 1;
		a->reply.reserved_18 = roll(h);
		return;
	default:
		/* Only where nobody looks. */
		scribble_at(h, VM_AREA_AT + 0x1000, 256);
		return;
	}
	h->lied = true;
}

/* --- what the enclave asks the kernel for -----------------------------------
 */

static void change_pages(struct host *h, struct device_enclave *x)
{
	if (h->liar && one_in(h, 4)) {
		/* Not done at all; the enclave will see. */
		h->lied = true;
		return;
	}
	if (h->liar && x->rdi == ENCLAVE_RESTRICT && one_in(h, 4)) {
		x->r8 ^= roll(h) & 3;
		h->lied = true;
	}
	static struct vm_cpu c;
	struct device_enclave again = *x;
	struct sgx_machine *m = &h->m;
	/* As sgx_cpu.c does. */
	uint32_t function = m->function;
	(void)sgx_serve_pages(m, &c, &again);
	m->function = function;
}

/* --- what happens inside, at a moment of the host's choice ------------------
 */

static struct soft_device *platform(struct host *h)
{
	return (void *)h->m.device;
}

/* Any vector, also such as no instruction there could raise. */
static uint64_t forged_exception(struct host *h)
{
	static const uint8_t vectors[] = { 0, 1, 3, 5, 6, 13, 14, 14, 14, 16,
		17, 19, 30 };
	static const uint32_t errors[] = { 0, 4, 6, 7, 0x15, SGX_PF_SGX | 5,
		SGX_PF_SGX | 7, UINT32_MAX };
	h->lied = h->forged = true;
	return SGX_EXIT_VALID | vectors[roll(h) % ARRAY_LEN(vectors)] |
		(uint64_t)errors[roll(h) % ARRAY_LEN(errors)] << 32;
}

static uint64_t somewhere(struct host *h)
{
	switch (roll(h) % 5) {
	case 0:
		return ENCLAVE_BASE + roll(h) % (96 * PAGE_BYTES);
	case 1:
		return ENCLAVE_BASE + ENCLAVE_EXEC_AT + roll(h) % (1u << 20);
	case 2:
		return ENCLAVE_BASE + roll(h) % ENCLAVE_BYTES;
	case 3:
		return ENCLAVE_BASE + ENCLAVE_BYTES - roll(h) % 64;
	default:
		return roll(h);
	}
}

static void disturb(struct host *h)
{
	uint64_t a[4] = { roll(h) % 4 };
	if (one_in(h, 2)) {
		a[0] = 0;
		a[1] = 1 + (roll(h) & ((1ull << roll(h) % 12) - 1));
	}
	if (h->liar && one_in(h, 10)) {
		a[2] = forged_exception(h);
		a[3] = somewhere(h);
	}
	CHECK_INT(soft_kvm_call(platform(h), MONITOR_SGX_INTERRUPT, a), 0);
}

/* Forwards, backwards, far or near: no clock of exec's may go backwards. */
static void jump(struct host *h)
{
	uint64_t by = roll(h) >> roll(h) % 64;
	if (one_in(h, 2))
		by = -by;
	CHECK_INT(soft_kvm_call(platform(h), MONITOR_SGX_COUNTER,
			  (uint64_t[4]){ by }),
		0);
}

/* The shim was stopped half-way: what it has checked is another thing now. */
static void change_window(struct host *h)
{
	static const struct {
		uint32_t at, n;
	} parts[] = {
		{ VM_HINTS_AT, sizeof(struct vm_hints) },
		{ ENCLAVE_CPUID_AT, 24 * 32 },
		{ ENCLAVE_TARGET_AT, 512 },
		{ ENCLAVE_TICKS_AT, 8 },
		{ VM_AREA_AT + offsetof(struct gate_area, request),
			sizeof(struct gate_request) },
		{ VM_AREA_AT + offsetof(struct gate_area, reply),
			sizeof(struct gate_reply) },
	};
	size_t i = roll(h) % ARRAY_LEN(parts);
	scribble_at(h, parts[i].at, parts[i].n);
}

/* Every register that the entry itself does not need. */
static void fill_registers(struct host *h)
{
	for (size_t i = 0; i < MONITOR_GENERAL; i++)
		h->outside.general[i] = roll(h);
	h->outside.rflags = roll(h);
	for (size_t i = 0; i < sizeof h->vectors; i += 8) {
		uint64_t v = roll(h);
		memcpy(h->vectors + i, &v, sizeof v);
	}
	platform(h)->sgx.outside = &h->outside;
	platform(h)->sgx.vectors = h->vectors;
}

/* --- a run ------------------------------------------------------------------
 */

/* A sentence that people can read, and that has no address in it of exec's
 * data. */
static void ended(struct host *h, uint64_t why)
{
	const struct vm_report *r = (void *)(h->m.window + VM_REPORT_AT);
	if (why == ENCLAVE_EXIT) {
		if (r->status != 0 && !(h->lied && r->status >= 89))
			say(h, "exec found something wrong that nobody did");
		h->outcome = r->status ? TOLD : RIGHT;
		return;
	}
	h->outcome = CRASHED;
	if (h->blind && r->text_len == 0)
		return;
	if (r->text_len == 0 || r->text_len > sizeof r->text)
		say(h, "a crash without a sentence");
	for (uint32_t i = 0; i < r->text_len; i++)
		if (r->text[i] < ' ' || r->text[i] > '~')
			say(h, "a crash whose sentence is none");
	if (strstr(r->text, "bug") ||
		(!h->forged && strstr(r->text, "at shim+")))
		say(h, r->text);
	if (!h->lied)
		say(h, r->text);
	if (h->told)
		print_message("%.*s\n", (int)r->text_len, r->text);
}

static bool on_leave(struct host *h, struct device_enclave *x)
{
	h->next = SGX_EENTER;
	switch (x->rdi) {
	case ENCLAVE_RESUME:
		h->next = SGX_ERESUME;
		return false;
	case ENCLAVE_NOTHING:
		h->refused++;
		h->next = h->cssa || !h->followed ? SGX_ERESUME : SGX_EENTER;
		return false;
	case ENCLAVE_BELL:
		answer(h);
		return false;
	case ENCLAVE_RESTRICT:
	case ENCLAVE_RETYPE:
	case ENCLAVE_REMOVE:
	case ENCLAVE_ADD:
		change_pages(h, x);
		return false;
	case ENCLAVE_EXIT:
	case ENCLAVE_CRASH:
		ended(h, x->rdi);
		return true;
	default:
		say(h, "left for a reason that is none");
		return true;
	}
}

static void on_exception(struct host *h, const struct device_enclave *x)
{
	if (x->function == SGX_EENTER || x->vector == 13) {
		/* No such entry: the other one, then. */
		h->next = h->next == SGX_EENTER ? SGX_ERESUME : SGX_EENTER;
		if (x->function == SGX_EENTER)
			return;
	}
	h->cssa++;
	if (h->followed && h->cssa > 1 && x->vector != MONITOR_NO_VECTOR &&
		!h->forged)
		say(h, "the shim itself faulted");
	if (h->followed && h->cssa > DEPTHS)
		say(h, "more frames than there are");
	h->next = x->vector == MONITOR_NO_VECTOR ? SGX_ERESUME : SGX_EENTER;
	if (h->liar && h->interrupts && one_in(h, 16))
		change_window(h);
}

static uint64_t garbage(struct host *h)
{
	switch (roll(h) % 6) {
	case 0:
		return ENCLAVE_BASE + roll(h) % ENCLAVE_BYTES;
	case 1:
		return ENCLAVE_BASE - PAGE_BYTES;
	case 2:
		return ENCLAVE_BASE + ENCLAVE_BYTES - VM_WINDOW_BYTES;
	case 3:
		return UINT64_MAX - roll(h) % 4096;
	case 4:
		return (uintptr_t)h->m.window + roll(h) % 4096;
	default:
		return roll(h);
	}
}

static bool step(struct host *h, unsigned n)
{
	struct device_enclave x = { .tcs = h->m.tcs,
		.function = h->next,
		.rdi = (uintptr_t)h->m.window };
	if (n && one_in(h, 12))
		x.function = one_in(h, 2) ? SGX_EENTER : SGX_ERESUME;
	if (n || one_in(h, 8)) {
		x.rsi = garbage(h);
		x.rdx = garbage(h);
		x.r8 = garbage(h);
	}
	/* The window's address counts once: at the first entry. */
	if (n || (h->liar && one_in(h, 8))) {
		x.rdi = garbage(h);
		h->blind |= n == 0;
		h->lied |= n == 0;
	}
	if (h->interrupts && one_in(h, 3))
		disturb(h);
	if (h->jumps && one_in(h, 10))
		jump(h);
	fill_registers(h);
	uint32_t asked = x.function;
	int r = h->m.device->ops->enclave_enter(h->m.device, h->m.handle, &x);
	if (r < 0)
		say(h, "the processor is dead");
	/* There was no frame to resume from. */
	bool none = asked == SGX_ERESUME && !h->cssa && h->followed &&
		x.function == SGX_ERESUME && x.vector == 13;
	bool went_in = x.function != asked || asked == SGX_ERESUME;
	if (went_in && asked == SGX_ERESUME && h->cssa &&
		!(x.function == SGX_ERESUME && x.vector == 13 && !h->cssa))
		h->cssa--;
	if (h->told)
		print_message("asked %u: %u vector %u error 0x%x at 0x%llx, "
			      "left %llu, depth %u\n",
			asked, x.function, x.vector, x.error,
			(unsigned long long)x.address,
			(unsigned long long)(x.function == SGX_EEXIT ? x.rdi :
								       0),
			h->cssa);
	if (x.function == SGX_EEXIT)
		return on_leave(h, &x);
	if (none)
		h->next = SGX_EENTER;
	else
		on_exception(h, &x);
	return false;
}

static enum outcome run(uint64_t seed, bool told)
{
	static struct place n;
	static struct host h;
	static const enum guest what[] = { GUEST_RING, GUEST_LIVE, GUEST_RING };
	struct err e = { 0 };
	h = (struct host){ .seed = seed,
		.told = told,
		.state = seed * 0x9e3779b97f4a7c15 + 1,
		.next = SGX_EENTER };
	nest_open(&n, what[roll(&h) % ARRAY_LEN(what)]);
	if (!sgx_launch(&h.m, n.tech, &n.cfg, &e))
		fail_msg("%s", e.text);
	h.liar = one_in(&h, 2);
	h.interrupts = one_in(&h, 2);
	h.jumps = one_in(&h, 4);
	platform(&h)->sgx.tell_all = true;
	if (one_in(&h, 2))
		hide_edeccssa(&h);
	if (h.liar && one_in(&h, 3))
		lie_at_boot(&h);
	bool over = false;
	for (unsigned i = 0; !over && i < STEPS; i++)
		over = step(&h, i);
	sgx_machine_fini(&h.m);
	return h.outcome;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	return v ? strtoull(v, NULL, 0) : otherwise;
}

TEST(sgx_no_host_makes_the_shim_do_what_it_should_not)
{
	bool one = getenv("DONJON_SEED") && !getenv("DONJON_RUNS");
	uint64_t all = getenv("DONJON_ALL") ? RUNS_ALL : RUNS;
	uint64_t first = number("DONJON_SEED", 0x5eed0000);
	uint64_t runs = one ? 1 : number("DONJON_RUNS", all);
	unsigned got[OUTCOMES] = { 0 };
	for (uint64_t i = 0; i < runs; i++)
		got[run(first + i, one)]++;
	print_message("%llu runs: %u right, %u crashed by name, %u told by "
		      "exec, %u wait\n",
		(unsigned long long)runs, got[RIGHT], got[CRASHED], got[TOLD],
		got[WAITS]);
	/* Not all of them may merely wait: then nothing was tried. */
	CHECK(one || (got[RIGHT] && got[WAITS] <= runs / 2));
	nest_forget();
}
