/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "spec/ghcb.h"
#include "spec/snp_guest.h"
#include "spec/svm.h"

#define C	 (1ull << GUEST_C_BIT)
#define GHCB_GPA (VM_WINDOW_GPA + VM_GHCB_AT)

void guest_to_user(uint64_t rip);
void guest_user_code(void);
void guest_main(uint64_t what, uint64_t number);

static void tell(uint64_t value)
{
	probe_tell(value);
}

/* eax, [32] CF. */
static uint64_t pvalidate(uint64_t va, uint32_t size, uint32_t validate)
{
	uint64_t eax = va;
	bool cf = false;
	uint64_t o = PROBE(".byte 0xf2, 0x0f, 0x01, 0xff\n\tsetc %1",
			   : "+a"(eax), "+q"(cf)
			   : "c"(size), "d"(validate)
			   : "r15", "memory", "cc");
	return o ? o : (uint32_t)eax | (uint64_t)cf << 32;
}

static uint64_t rmpadjust(uint64_t va, uint32_t size, uint64_t how)
{
	uint64_t eax = va;
	uint64_t o = PROBE(".byte 0xf3, 0x0f, 0x01, 0xfe",
			   : "+a"(eax)
			   : "c"(size), "d"(how)
			   : "r15", "memory", "cc");
	return o ? o : (uint32_t)eax;
}

static void vmgexit(void)
{
	__asm__ volatile("rep; vmmcall" : : : "memory");
}

static uint64_t by_msr(uint64_t value)
{
	cpu_wrmsr(GHCB_MSR, value);
	vmgexit();
	return cpu_rdmsr(GHCB_MSR);
}

/* --- the GHCB ----------------------------------------------------------- */

static volatile struct ghcb *ghcb(void)
{
	return (void *)(uint64_t)GHCB_GPA;
}

static void set_valid(size_t bit)
{
	ghcb()->valid[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static uint64_t call(uint64_t code, uint64_t info_1, uint64_t info_2)
{
	volatile struct ghcb *g = ghcb();
	g->protocol = GHCB_PROTOCOL;
	g->exit_code = code;
	g->exit_info_1 = info_1;
	g->exit_info_2 = info_2;
	set_valid(GHCB_VALID_BIT(exit_code));
	set_valid(GHCB_VALID_BIT(exit_info_1));
	set_valid(GHCB_VALID_BIT(exit_info_2));
	cpu_wrmsr(GHCB_MSR, GHCB_GPA);
	vmgexit();
	return g->exit_info_1;
}

static uint64_t register_ghcb(void)
{
	return by_msr(GHCB_GPA | GHCB_INFO_REGISTER_ASK);
}

static uint64_t out32(uint16_t port, uint32_t value)
{
	ghcb()->rax = value;
	set_valid(GHCB_VALID_BIT(rax));
	return call(SVM_EXIT_IOIO, (uint64_t)port << 16 | 4 << 4, 0);
}

/* --- what is asked ------------------------------------------------------ */

static void exceptions(void)
{
	tell(PROBE("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "r15"));
	tell(PROBE("rdmsr", : : "c"(0x1b) : "rax", "rdx", "r15"));
	tell(PROBE("out %%eax, %%dx", : : "a"(1), "d"(0x80) : "r15"));
	tell(PROBE("in %%dx, %%al", : : "d"(0x80) : "rax", "r15"));
	tell(PROBE("vmmcall", : : "a"(0) : "r15", "memory"));
	tell(PROBE("rdpmc", : : "c"(0) : "rax", "rdx", "r15"));
	tell(PROBE("wbinvd", : : : "r15", "memory"));
	tell(PROBE("mov %%rax, %%dr7", : : "a"(0x400) : "r15"));
	tell(PROBE("ud2", : : : "r15"));
	tell(PROBE("vmload", : : "a"(0) : "r15"));
	tell(PROBE("nop", : : : "r15"));
}

static void unvalidated(void)
{
	tell(probe_read(GUEST_FREE_GPA));
	tell(probe_write(GUEST_FREE_GPA + 0x1000));
	tell(probe_run(GUEST_FREE_GPA + 0x2000));
	/* In the middle of a large page. */
	tell(probe_read(GUEST_LARGE_GPA + 0x123000));
}

static void validate(void)
{
	const uint64_t va = GUEST_FREE_GPA + 0x5000;
	tell(pvalidate(va, 0, 1));
	tell(probe_write(va));
	tell(*(volatile uint64_t *)va);
	tell(pvalidate(va, 0, 1)); /* twice: carry */
	tell(pvalidate(va, 0, 0));
	tell(probe_read(va));
	tell(pvalidate(va, 0, 0)); /* carry */
	tell(pvalidate(va, 0, 1));
	tell(*(volatile uint64_t *)va);	       /* what was there */
	tell(pvalidate(0x123456789000, 0, 1)); /* mapped nowhere: #PF */
	tell(pvalidate(va, 0, 2));
	tell(pvalidate(va, 2, 1));
}

static void sizes(void)
{
	tell(pvalidate(GUEST_LARGE_GPA, 1, 1));
	tell(probe_write(GUEST_LARGE_GPA + 0x1ff000));
	tell(pvalidate(GUEST_LARGE_GPA, 1, 1));
	/* Parts of it, which breaks it up. */
	tell(pvalidate(GUEST_LARGE_GPA + 0x3000, 0, 0));
	tell(probe_read(GUEST_LARGE_GPA + 0x4000));
	tell(pvalidate(GUEST_LARGE_GPA, 1, 1));
	/* Some of it is launched already, in small pages. */
	tell(pvalidate(GUEST_PAGES_GPA, 1, 1));
	/* Not at its boundary. */
	tell(pvalidate(GUEST_FREE_GPA + 0x1000, 1, 1));
}

static void adjust(void)
{
	const uint64_t va = GUEST_PAGES_GPA;
	tell(rmpadjust(va, 0, 1 | 15 << 8));
	tell(rmpadjust(va, 0, 0 | 15 << 8)); /* VMPL 0 is who asks */
	tell(rmpadjust(va, 0, 4 | 15 << 8)); /* there are four */
	tell(rmpadjust(GUEST_FREE_GPA, 0, 1 | 15 << 8));
	tell(rmpadjust(va, 1, 1 | 15 << 8)); /* wrong size */
	tell(rmpadjust(va, 2, 1 | 15 << 8));
}

static void user(void)
{
	*(volatile uint64_t *)&caught_vector = 0;
	guest_to_user((uint64_t)guest_user_code);
	tell(probe_outcome());
}

static void write_vmsa(void)
{
	const uint64_t va = GUEST_PAGES_GPA;
	tell(rmpadjust(va, 0, 1 | 15 << 8 | 1 << 16));
	tell(probe_read(va));
	tell(probe_write(va)); /* the host hears of it */
}

/* Something private, across the host's doings. */
static void hold(void)
{
	const uint64_t va = GUEST_PAGES_GPA;
	volatile uint64_t *p = (void *)va;
	for (unsigned i = 0; i < 512; i++)
		p[i] = GUEST_MARK;
	register_ghcb();
	out32(VM_PORT, 1);
	tell(probe_read(va));
	tell(probe_outcome() ? 0 : p[7]);
}

static void state(void)
{
	uint64_t page = GUEST_FREE_GPA + 0x9000;
	volatile uint64_t *as_shared = (void *)(page + OTHER);
	volatile struct ghcb *g = ghcb();
	/* Shared by the MSR, used, private again. */
	tell(by_msr((uint64_t)GHCB_STATE_SHARED << 52 | page |
		GHCB_INFO_STATE_ASK));
	*as_shared = 0x1234;
	tell(*as_shared);
	tell(by_msr((uint64_t)GHCB_STATE_PRIVATE << 52 | page |
		GHCB_INFO_STATE_ASK));
	tell(pvalidate(page, 0, 1));
	tell(probe_write(page));
	/* Three pages by the GHCB. */
	register_ghcb();
	const struct ghcb_state_head h = { .last = 2 };
	memcpy((uint8_t *)(uint64_t)GHCB_GPA + 0x800, &h, sizeof h);
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t e = (uint64_t)GHCB_STATE_SHARED << 52 |
			(page + (1 + i) * PAGE_BYTES);
		memcpy((uint8_t *)(uint64_t)GHCB_GPA + 0x808 + 8 * i, &e, 8);
	}
	g->scratch = GHCB_GPA + 0x800;
	set_valid(GHCB_VALID_BIT(scratch));
	tell(call(GHCB_EXIT_STATE, 0, 0));
	tell(g->exit_info_2);
	as_shared[3 * 512] = 0x77;
	tell(as_shared[3 * 512]);
	tell(by_msr(7ull << 52 | page | GHCB_INFO_STATE_ASK));
}

static void protocol(void)
{
	tell(cpu_rdmsr(GHCB_MSR));
	tell(by_msr(GHCB_INFO_SEV_ASK));
	tell(by_msr(GHCB_INFO_FEATURES_ASK));
	tell(by_msr(GHCB_INFO_PREFERRED_ASK));
	tell(by_msr(1ull << 32 | 1ull << 30 | GHCB_INFO_CPUID_ASK));
	tell(by_msr(GHCB_INFO_REGISTER_ASK | GHCB_GPA));
	tell(by_msr(0xabc)); /* unknown: as it was */
	by_msr(0x12000 | GHCB_INFO_END);
}

static void ports(void)
{
	volatile struct ghcb *g = ghcb();
	tell(register_ghcb());
	tell(out32(VM_PORT, 0x12345678));
	tell(call(SVM_EXIT_IOIO, (uint64_t)VM_PORT << 16 | 4 << 4 | SVM_IO_IN,
		0));
	tell(g->rax);
	/* Nothing is valid: refused. */
	memset((void *)(uint64_t)(GHCB_GPA + 0x3f0), 0, 16);
	cpu_wrmsr(GHCB_MSR, GHCB_GPA);
	vmgexit();
	tell(g->exit_info_1 << 32 | g->exit_info_2);
	tell(call(0x77777777, 0, 0) << 32 | g->exit_info_2);
	/* A request whose page is no page. */
	tell(call(GHCB_EXIT_REQUEST, 0x123, 0x456) << 32 | g->exit_info_2);
	tell(call(GHCB_EXIT_FEATURES, 0, 0) << 32 | g->exit_info_2);
	g->rax = 1;
	g->rcx = 0;
	set_valid(GHCB_VALID_BIT(rax));
	set_valid(GHCB_VALID_BIT(rcx));
	tell(call(SVM_EXIT_CPUID, 0, 0));
	tell(g->rbx);
	/* One that was not registered: the host gives up on us. */
	cpu_wrmsr(GHCB_MSR, GHCB_GPA + 0x1000);
	vmgexit();
}

static void secrets(void)
{
	const uint64_t *page = (void *)(uint64_t)GUEST_PAGES_GPA;
	for (unsigned i = 0; i < 20; i++)
		tell(page[i]);
}

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 17;
}

/* Random, but near enough to what has a meaning to get somewhere. */
static void scribble(uint64_t *seed)
{
	static const uint32_t codes[] = { 0x72, 0x7c, 0x7b, 0x7b, 0x80000010,
		0x80000010, 0x80000011, 0x80000012, 0x80000013, 0x8000fffd,
		0x89 };
	volatile struct ghcb *g = ghcb();
	volatile uint64_t *q = (void *)(uint64_t)GHCB_GPA;
	for (unsigned i = 0; i < 512; i++)
		q[i] = draw(seed);
	for (unsigned i = 0x100; i < 0x1fe; i++)
		q[i] = (draw(seed) & 0x013000000000c000) | 0x400000;
	q[0x100] = draw(seed) % 300 << 16 | draw(seed) % 4;
	g->exit_code = codes[draw(seed) % ARRAY_LEN(codes)];
	g->exit_info_1 = draw(seed) & 0xd6a0075;
	g->usage = 0;
	if (draw(seed) % 4)
		memset((void *)(uint64_t)(GHCB_GPA + 0x3f0), 0xff, 16);
	if (draw(seed) % 4)
		g->scratch = GHCB_GPA + 0x800;
	if (draw(seed) % 2 && g->exit_code >= 0x80000011) {
		g->exit_info_1 = VM_WINDOW_GPA + 0x80000;
		g->exit_info_2 = VM_WINDOW_GPA + 0x81000;
	}
}

static void random_ghcb(uint64_t seed)
{
	register_ghcb();
	for (unsigned n = 0; n < 2000; n++) {
		scribble(&seed);
		cpu_wrmsr(GHCB_MSR, GHCB_GPA);
		vmgexit();
	}
	tell(1);
}

static void plain_guest(void)
{
	tell(PROBE("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "r15"));
	tell(cpu_id(1, 0).ecx & 1u << 31);	   /* it is a guest */
	tell(cpu_id(0x80000001, 0).ecx & 1u << 2); /* without SVM */
	tell(PROBE("rdmsr", : : "c"(0x1234) : "rax", "rdx", "r15"));
	tell(PROBE("vmload", : : "a"(0) : "r15"));
	tell(PROBE("ud2", : : : "r15"));
	tell(PROBE("mov (%0), %%rax", : : "r"(0x7fff00000000) : "rax", "r15"));
	cpu_out32(VM_PORT, 0x42);
	uint32_t in;
	__asm__ volatile("inl %w1, %0" : "=a"(in) : "d"(VM_PORT));
	tell(in);
	tell(probe_read(0x3fe00000)); /* mapped nowhere */
}

static void do_it(uint64_t what, uint64_t number)
{
	switch (what) {
	case GUEST_EXCEPTIONS:
		return exceptions();
	case GUEST_UNVALIDATED:
		return unvalidated();
	case GUEST_VALIDATE:
		return validate();
	case GUEST_SIZES:
		return sizes();
	case GUEST_ADJUST:
		return adjust();
	case GUEST_USER:
		return user();
	case GUEST_SHARED_VIEW:
		return tell(probe_read(GUEST_PAGES_GPA + OTHER));
	case GUEST_PRIVATE_VIEW:
		return tell(
			probe_read(VM_WINDOW_GPA + GUEST_SHARED_AT + OTHER));
	case GUEST_WRITE_VMSA:
		return write_vmsa();
	case GUEST_HOLD:
		return hold();
	case GUEST_STATE:
		return state();
	case GUEST_PROTOCOL:
		return protocol();
	case GUEST_PORTS:
		return ports();
	case GUEST_NOWHERE:
		probe_level_1[0][0] = 0x70000000 | 7;
		cpu_write_cr3(cpu_read_cr3());
		return tell(probe_read(0));
	case GUEST_LONG:
		for (;;)
			cpu_pause();
	case GUEST_WATCH:
		tell(1); /* ready */
		/* fixup: on, behind the loop. */
		return tell(PROBE("2: pause\n\tjmp 2b", ::: "r15"));
	case GUEST_SECRETS:
		return secrets();
	case GUEST_RANDOM_GHCB:
		return random_ghcb(number);
	case GUEST_PLAIN:
		return plain_guest();
	case GUEST_TRIPLE: {
		const struct cpu_table none = { 0 };
		cpu_lidt(&none);
		__asm__ volatile("ud2");
		return;
	}
	default:
		return;
	}
}

void guest_main(uint64_t what, uint64_t number)
{
	bool plain = what == GUEST_PLAIN || what == GUEST_TRIPLE ||
		(what == GUEST_LONG && number);
	probe_map(plain ? 0 : C, 0);
	probe_set_up();
	do_it(what, number);
	probe_result()->magic = GUEST_MARK;
}
