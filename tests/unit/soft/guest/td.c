/* SPDX-License-Identifier: Apache-2.0 */
/* A trust domain for tests of the software platform. */
#include "arch/x86_64/tdcall.h"
#include "probe.h"
#include "spec/tdx.h"

enum { R10_ON = 0xfc00 };

void guest_to_user(uint64_t rip);
void guest_user_tdcall(void);
void guest_main(uint64_t what, uint64_t number);

static void tell(uint64_t value)
{
	probe_tell(value);
}

static uint64_t vmcall(uint64_t number, struct cpu_tdcall *c)
{
	c->rcx = R10_ON;
	c->r10 = 0;
	c->r11 = number;
	if (cpu_tdcall(TDX_VP_VMCALL, c) != TDX_SUCCESS)
		return ~0ull;
	return c->r10;
}

static uint64_t out32(uint16_t port, uint32_t value)
{
	struct cpu_tdcall c = { .r12 = 4, .r13 = 1, .r14 = port, .r15 = value };
	return vmcall(TDX_REASON_IO, &c);
}

static uint64_t accept(uint64_t gpa, unsigned level)
{
	struct cpu_tdcall c = { .rcx = gpa | level };
	return cpu_tdcall(TDX_MEM_PAGE_ACCEPT, &c);
}

static uint64_t map_gpa(uint64_t gpa, uint64_t bytes, uint64_t *where)
{
	struct cpu_tdcall c = { .r12 = gpa, .r13 = bytes };
	uint64_t status = vmcall(TDX_CALL_MAP_GPA, &c);
	*where = c.r11;
	return status;
}

/* Reason, and qualification, of the last #VE. */
static void tell_ve(uint64_t outcome)
{
	struct cpu_tdcall c = { 0 };
	tell(outcome);
	if (outcome != GUEST_EXCEPTION(20, 0))
		return;
	cpu_tdcall(TDX_VP_VEINFO_GET, &c);
	tell(c.rcx);
}

/* --- what is asked ------------------------------------------------------ */

static void info(void)
{
	struct cpu_tdcall c = { 0 };
	tell(cpu_tdcall(TDX_VP_INFO, &c));
	tell(c.rcx);
	tell(c.rdx);
	tell(c.r8);
	tell(c.r9);
	tell(cpu_tdcall(TDX_VP_VEINFO_GET, &c));
	tell(cpu_tdcall(77, &c));
	tell(cpu_tdcall(1ull << 32 | TDX_VP_INFO, &c));
	c.rcx = 1; /* RAX is nobody's */
	tell(cpu_tdcall(TDX_VP_VMCALL, &c));
	c.rcx = 1ull << 32;
	tell(cpu_tdcall(TDX_VP_VMCALL, &c));
}

static void exceptions(void)
{
	tell_ve(PROBE("cpuid",
		      :
		      : "a"(0x40000000), "c"(0)
		      : "rbx", "rdx", "r15"));
	tell_ve(PROBE("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "r15"));
	tell_ve(PROBE("rdmsr", : : "c"(0x1b) : "rax", "rdx", "r15"));
	tell_ve(PROBE("wrmsr", : : "c"(0x1b), "a"(0), "d"(0) : "r15"));
	tell_ve(PROBE("out %%eax, %%dx", : : "a"(1), "d"(0x80) : "r15"));
	tell_ve(PROBE("hlt", : : : "r15"));
	tell_ve(PROBE("wbinvd", : : : "r15", "memory"));
	tell_ve(PROBE("vmmcall", : : "a"(0) : "r15", "memory"));
	tell_ve(PROBE("rdpmc", : : "c"(0) : "rax", "rdx", "r15"));
	tell_ve(PROBE("ud2", : : : "r15"));
	tell(cpu_rdmsr(0xc0000080));
	tell(cpu_id(0, 0).ebx);
	tell(cpu_id(1, 0).ecx >> 31);
}

static void ve_twice(void)
{
	tell(PROBE("hlt", : : : "r15"));
	tell(PROBE("hlt", : : : "r15"));
}

static void accepts(void)
{
	const uint64_t gpa = GUEST_PAGES_GPA + 0x5000;
	volatile uint64_t *p = (void *)gpa;
	tell(accept(gpa, TDX_LEVEL_4K));
	tell(*p);
	*p = 7;
	tell(accept(gpa, TDX_LEVEL_4K)); /* twice */
	tell(*p);
	tell(accept(GUEST_PAGES_GPA, TDX_LEVEL_4K)); /* launched */
	tell(accept(gpa | TDX_SHARED, TDX_LEVEL_4K));
	tell(accept(gpa, 2));
	tell(accept(gpa, TDX_LEVEL_2M)); /* not at its boundary */
	tell(accept(gpa | 1ull << 52, TDX_LEVEL_4K));
}

static void sizes(void)
{
	tell(accept(GUEST_LARGE_GPA, TDX_LEVEL_2M));
	tell(probe_write(GUEST_LARGE_GPA + 0x1ff000));
	tell(accept(GUEST_LARGE_GPA, TDX_LEVEL_2M));
	tell(accept(GUEST_LARGE_GPA + 0x3000, TDX_LEVEL_4K));
	/* Some of it is launched already, in small pages. */
	tell(accept(GUEST_PAGES_GPA, TDX_LEVEL_2M));
	/* A small one first: the rest are small, too. */
	tell(accept(GUEST_FREE_GPA + 0x3000, TDX_LEVEL_4K));
	tell(accept(GUEST_FREE_GPA, TDX_LEVEL_2M));
	tell(accept(GUEST_FREE_GPA + 0x4000, TDX_LEVEL_4K));
}

static void hold(bool again)
{
	const uint64_t va = GUEST_PAGES_GPA;
	volatile uint64_t *p = (void *)va;
	for (unsigned i = 0; i < 512; i++)
		p[i] = GUEST_MARK;
	tell(out32(VM_PORT, 1));
	if (again)
		tell(accept(va, TDX_LEVEL_4K));
	tell(probe_read(va));
	tell(p[7]);
}

static void map_both(void)
{
	const uint64_t page = GUEST_FREE_GPA, bytes = 0x400000;
	volatile uint64_t *as_shared = (void *)(page + OTHER);
	uint64_t where;
	tell(map_gpa(page | TDX_SHARED, bytes, &where));
	*as_shared = 0x1234;
	tell(*as_shared);
	tell(map_gpa(page, PAGE_BYTES, &where));
	tell(accept(page, TDX_LEVEL_4K));
	tell(*(volatile uint64_t *)page);
	tell(map_gpa(page, 0, &where));
	tell(map_gpa(page + 1, PAGE_BYTES, &where));
	tell(map_gpa(TDX_SHARED - PAGE_BYTES, 2 * PAGE_BYTES, &where));
	tell(map_gpa(page | TDX_SHARED, bytes, &where));
	tell(where);
}

static void calls(void)
{
	struct cpu_tdcall c = { .r12 = 0 };
	tell(vmcall(TDX_CALL_INFO, &c));
	tell(c.r11 | c.r12 | c.r13 | c.r14);
	c.r12 = 2;
	tell(vmcall(TDX_CALL_INFO, &c));
	c.r12 = 0;
	c.r13 = 0;
	tell(vmcall(TDX_REASON_CPUID, &c));
	tell(c.r13 != 0);
	c.r12 = 0x1b;
	tell(vmcall(TDX_REASON_RDMSR, &c));
	tell(vmcall(TDX_REASON_HLT, &c));
	tell(vmcall(0x7777, &c));
	c.r12 = GUEST_PAGES_GPA; /* private */
	c.r13 = PAGE_BYTES;
	tell(vmcall(TDX_CALL_GET_QUOTE, &c));
	c.r12 = 31;
	tell(vmcall(TDX_CALL_EVENT_NOTIFY, &c));
	/* KVM's own. */
	c = (struct cpu_tdcall){ .rcx = R10_ON, .r10 = 5 };
	cpu_tdcall(TDX_VP_VMCALL, &c);
	tell(c.r10);
	/* What is not named does not come back, and is not seen. */
	c = (struct cpu_tdcall){ .rcx = 3 << 10,
		.r11 = TDX_REASON_CPUID,
		.r13 = 0x5151 };
	cpu_tdcall(TDX_VP_VMCALL, &c);
	tell(c.r13);
}

static void ports(void)
{
	struct cpu_tdcall c = { .r12 = 4, .r13 = 0, .r14 = VM_PORT };
	tell(out32(VM_PORT, 0x12345678));
	tell(vmcall(TDX_REASON_IO, &c));
	tell(c.r11);
	c.r12 = 3;
	tell(vmcall(TDX_REASON_IO, &c));
	c = (struct cpu_tdcall){ .r12 = 4, .r13 = 2, .r14 = VM_PORT };
	tell(vmcall(TDX_REASON_IO, &c));
}

/* The report, for the test to look at. */
static void report(void)
{
	const uint64_t data = GUEST_PAGES_GPA + 0x400;
	volatile uint64_t *p = (void *)data;
	struct cpu_tdcall c = { .rcx = GUEST_PAGES_GPA, .rdx = data };
	for (unsigned i = 0; i < 8; i++)
		p[i] = GUEST_MARK + i;
	tell(cpu_tdcall(TDX_MR_REPORT, &c));
	cpu_move_bytes((void *)(uint64_t)(VM_WINDOW_GPA + GUEST_SHARED_AT),
		(void *)(uint64_t)GUEST_PAGES_GPA,
		sizeof(struct tdx_report_struct));
	c.r8 = 1; /* another subtype */
	tell(cpu_tdcall(TDX_MR_REPORT, &c));
	c = (struct cpu_tdcall){ .rcx = GUEST_PAGES_GPA + 8, .rdx = data };
	tell(cpu_tdcall(TDX_MR_REPORT, &c));
	c = (struct cpu_tdcall){ .rcx = GUEST_PAGES_GPA, .rdx = data + 8 };
	tell(cpu_tdcall(TDX_MR_REPORT, &c));
}

static void extend(void)
{
	struct cpu_tdcall c = { .rcx = GUEST_PAGES_GPA, .rdx = 2 };
	tell(cpu_tdcall(TDX_MR_RTMR_EXTEND, &c));
	c.rdx = 4;
	tell(cpu_tdcall(TDX_MR_RTMR_EXTEND, &c));
	report();
}

static void quote(void)
{
	struct cpu_tdcall c = { .r12 = (VM_WINDOW_GPA + GUEST_SHARED_AT) |
			TDX_SHARED,
		.r13 = 0x2000 };
	tell(vmcall(TDX_CALL_GET_QUOTE, &c));
	c = (struct cpu_tdcall){ .r12 = 1 };
	tell(vmcall(TDX_CALL_INFO, &c));
	tell(c.r11);
	tell(c.r14);
	c.r12 = 0x55;
	tell(vmcall(TDX_CALL_EVENT_NOTIFY, &c));
}

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 17;
}

/* Random, but near enough to what has a meaning to get somewhere. */
static void random_calls(uint64_t seed)
{
	static const uint64_t numbers[] = { TDX_REASON_CPUID, TDX_REASON_HLT,
		TDX_REASON_IO, TDX_REASON_RDMSR, TDX_REASON_WRMSR,
		TDX_CALL_INFO, TDX_CALL_MAP_GPA, TDX_CALL_GET_QUOTE,
		TDX_CALL_EVENT_NOTIFY };
	for (unsigned n = 0; n < 2000; n++) {
		struct cpu_tdcall c = { .rcx = R10_ON,
			.r10 = draw(&seed) % 8 ? 0 : draw(&seed),
			.r11 = numbers[draw(&seed) % ARRAY_LEN(numbers)],
			.r12 = draw(&seed) % 2 ? draw(&seed) % 8 : draw(&seed),
			.r13 = draw(&seed) % 2 ? draw(&seed) % 3 : draw(&seed),
			.r14 = draw(&seed),
			.r15 = draw(&seed) };
		/* Never what this guest stands on. */
		if (c.r11 == TDX_CALL_MAP_GPA)
			c.r12 = (c.r12 << 12 & ~TDX_SHARED) | 1ull << 44;
		cpu_tdcall(TDX_VP_VMCALL, &c);
	}
	tell(1);
}

static void end(void)
{
	struct cpu_tdcall c = { .r12 = 0x1234, .r13 = 0x5678, .r14 = 0x9abc };
	vmcall(TDX_CALL_FATAL_ERROR, &c);
}

static void user(void)
{
	*(volatile uint64_t *)&caught_vector = 0;
	guest_to_user((uint64_t)guest_user_tdcall);
	tell(probe_outcome());
}

static void do_it(uint64_t what, uint64_t number)
{
	const struct cpu_table none = { 0 };
	switch (what) {
	case TD_INFO:
		return info();
	case TD_EXCEPTIONS:
		return exceptions();
	case TD_VE_TWICE:
		return ve_twice();
	case TD_ACCEPT:
		return accepts();
	case TD_SIZES:
		return sizes();
	case TD_PENDING:
		return tell(probe_read(GUEST_FREE_GPA + number));
	case TD_SHARED_VIEW:
		return tell(probe_read(GUEST_PAGES_GPA + OTHER));
	case TD_PRIVATE_VIEW:
		return tell(
			probe_read(VM_WINDOW_GPA + GUEST_SHARED_AT + OTHER));
	case TD_NOWHERE:
		probe_level_1[0][0] = 0x70000000 | TDX_SHARED | 7;
		cpu_write_cr3(cpu_read_cr3());
		return tell_ve(probe_read(0));
	case TD_USER:
		return user();
	case TD_HOLD:
	case TD_HOLD_AGAIN:
		return hold(what == TD_HOLD_AGAIN);
	case TD_MAP:
		return map_both();
	case TD_CALLS:
		return calls();
	case TD_PORTS:
		return ports();
	case TD_REPORT:
		return report();
	case TD_EXTEND:
		return extend();
	case TD_QUOTE:
		return quote();
	case TD_END:
		return end();
	case TD_RANDOM:
		return random_calls(number);
	case TD_WATCH:
		tell(1); /* ready */
		/* fixup: on, behind the loop. */
		return tell(PROBE("2: pause\n\tjmp 2b", ::: "r15"));
	case TD_LONG:
		for (;;)
			cpu_pause();
	case TD_TRIPLE:
		cpu_lidt(&none);
		__asm__ volatile("ud2");
		return;
	default:
		return;
	}
}

void guest_main(uint64_t what, uint64_t number)
{
	const struct td_ask *ask =
		(void *)(uint64_t)(VM_WINDOW_GPA + GUEST_ASK_AT);
	(void)what;
	(void)number;
	probe_map(0, TDX_SHARED);
	probe_set_up();
	do_it(ask->what, ask->number);
	probe_result()->magic = GUEST_MARK;
	/* Ended: the test looks. */
	for (;;)
		out32(VM_PORT, GUEST_END_EVENT);
}
