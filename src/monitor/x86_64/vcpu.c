/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/exits.h"
#include "monitor/x86_64/inject.h"
#include "monitor/x86_64/sgx.h"
#include "monitor/x86_64/snp.h"
#include "monitor/x86_64/step.h"
#include "monitor/x86_64/tdx.h"

enum { HOST_SAVE = 0xc0010117, EFER_SVME = 1 << 12, IOPM_BYTES = 0x3000 };

static struct svm_vmcb vmcb __attribute__((aligned(PAGE_BYTES)));
static uint8_t host_save[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t iopm[IOPM_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint8_t msrpm[0x2000] __attribute__((aligned(PAGE_BYTES)));

/* Registers that VMRUN or VMLOAD changes for the guest: its own business. */
static const uint32_t own_msrs[] = {
	0x174, 0x175, 0x176,				/* SYSENTER */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* SYSCALL */
	0xc0000100, 0xc0000101, 0xc0000102,		/* bases of FS and GS */
};

/* Two bits for each register (§15.11). */
static void pass_msr(uint8_t *map, uint32_t msr)
{
	uint32_t range = msr >> 30 == 0 ? 0 : msr >> 16 == 0xc000 ? 1 : 2;
	uint32_t bit = range * 0x4000 + (msr & 0x1fff) * 2;
	map[bit / 8] &= (uint8_t) ~(3u << bit % 8);
}

static void set_intercepts(struct svm_control *c)
{
	c->intercept_3 = SVM_ON_INTR | SVM_ON_INIT | SVM_ON_RDPMC |
		SVM_ON_CPUID | SVM_ON_INVD | SVM_ON_HLT | SVM_ON_IOIO |
		SVM_ON_MSR | SVM_ON_SHUTDOWN;
	c->intercept_4 = SVM_ON_VMRUN | SVM_ON_VMMCALL | SVM_ON_VMLOAD |
		SVM_ON_VMSAVE | SVM_ON_STGI | SVM_ON_CLGI | SVM_ON_SKINIT |
		SVM_ON_WBINVD | SVM_ON_MONITOR | SVM_ON_MWAIT;
}

void vcpu_init(struct monitor *m)
{
	struct svm_control *c = &vmcb.control;
	m->cpu.vmcb = &vmcb;
	m->cpu.msrpm = msrpm;
	cpu_wrmsr(HOST_SAVE, (uint64_t)host_save);
	memset(iopm, 0xff, sizeof iopm);
	memset(msrpm, 0xff, sizeof msrpm);
	for (size_t i = 0; i < ARRAY_LEN(own_msrs); i++)
		pass_msr(msrpm, own_msrs[i]);
	set_intercepts(c);
	c->iopm = (uint64_t)iopm;
	c->msrpm = (uint64_t)msrpm;
	c->asid = 1;
	c->v_intr = SVM_V_INTR_MASK;
	c->nested = SVM_NESTED_PAGING;
	c->nested_cr3 = m->npt.root;
}

static struct svm_segment segment(const struct monitor_segment *s)
{
	return (struct svm_segment){ .selector = s->selector,
		.attributes = s->attributes,
		.limit = s->limit,
		.base = s->base };
}

void vcpu_set_state(struct vcpu *c, const struct monitor_state *s)
{
	struct svm_save *v = &c->vmcb->save;
	memcpy(c->general, s->general, sizeof c->general);
	v->rax = s->general[MONITOR_RAX];
	v->rsp = s->general[MONITOR_RSP];
	v->es = segment(&s->es);
	v->cs = segment(&s->cs);
	v->ss = segment(&s->ss);
	v->ds = segment(&s->ds);
	v->fs = segment(&s->fs);
	v->gs = segment(&s->gs);
	v->gdtr = segment(&s->gdtr);
	v->ldtr = segment(&s->ldtr);
	v->idtr = segment(&s->idtr);
	v->tr = segment(&s->tr);
	v->rip = s->rip;
	v->rflags = s->rflags;
	v->cr0 = s->cr0;
	v->cr3 = s->cr3;
	v->cr4 = s->cr4;
	v->efer = s->efer | EFER_SVME;
	v->dr6 = s->dr6;
	v->dr7 = s->dr7;
	v->pat = s->pat;
	v->cpl = (s->ss.attributes >> 5) & 3;
	v->cr2 = 0;
	v->star = v->lstar = v->cstar = v->sfmask = v->kernel_gs_base = 0;
	v->sysenter_cs = v->sysenter_esp = v->sysenter_eip = 0;
	/* The rest of the state is the processor's until VMSAVE. */
	cpu_vmload(c->vmcb);
}

/* No exception has such a vector: VMRUN refuses it (§15.20). */
static bool is_no_exception(uint64_t event)
{
	unsigned vector = event & 0xff;
	return (event & SVM_EVENT_TYPE) == SVM_EVENT_EXCEPTION &&
		(vector == VECTOR_NMI || vector > 31);
}

/* A host's event.  False: a #VC of its own found no handler. */
static bool take_injected(struct monitor *m)
{
	uint64_t event = m->injected;
	m->injected = 0;
	if ((event & 0xff) == VECTOR_VC && (event & SVM_EVENT_HAS_ERROR))
		return inject_vc(m, event >> 32);
	m->cpu.vmcb->control.event = event;
	return true;
}

static enum monitor_count kind_of(uint64_t code)
{
	switch (code) {
	case SVM_EXIT_INTR:
		return MONITOR_COUNT_HOST;
	case SVM_EXIT_NPF:
		return MONITOR_COUNT_MEMORY;
	case SVM_EXIT_CPUID:
		return MONITOR_COUNT_CPUID;
	case SVM_EXIT_MSR:
		return MONITOR_COUNT_MSR;
	case SVM_EXIT_IOIO:
		return MONITOR_COUNT_PORT;
	case SVM_EXIT_VMMCALL:
		return MONITOR_COUNT_VMGEXIT;
	case SVM_EXIT_EXCEPTION + VECTOR_UD:
		return MONITOR_COUNT_RMP;
	default:
		return MONITOR_COUNT_OTHER;
	}
}

static enum exit_turn run_once(struct monitor *m)
{
	struct svm_control *c = &m->cpu.vmcb->control;
	m->box->asleep = 1;
	cpu_fence();
	if (m->box->kick) {
		m->box->asleep = 0;
		return exit_leave(m, MONITOR_EXIT_KICKED);
	}
	if (m->box->call_asked != m->box->call_done) {
		m->box->asleep = 0;
		calls_serve(m);
		return EXIT_RESUME;
	}
	if (m->injected && is_no_exception(m->injected))
		return exit_leave(m, MONITOR_EXIT_REFUSED);
	/* NMIs are held back until #VE's reason was asked for. */
	if (m->injected && !m->td.ve.valid && !take_injected(m))
		return exit_leave(m, MONITOR_EXIT_SHUTDOWN);
	step_enter(m);
	sgx_disturb_enter(m);
	cpu_vmrun(m->cpu.vmcb, m->cpu.general);
	m->box->asleep = 0;
	m->box->exits++;
	m->box->counts[kind_of(c->exit_code)]++;
	/* An event whose delivery was cut short is delivered again; nothing is
	 * delivered into an enclave. */
	c->event =
		m->kind != MONITOR_SGX && c->exit_int_info & SVM_EVENT_VALID ?
		c->exit_int_info :
		0;
	c->tlb_control = 0;
	enum exit_turn turn;
	if (sgx_disturb_exit(m, &turn))
		return turn;
	if (c->exit_code == SVM_EXIT_INTR) {
		cpu_take_interrupt();
		return m->kind == MONITOR_SGX ? sgx_interrupt(m) : EXIT_RESUME;
	}
	/* All of an enclave's exceptions are the monitor's. */
	if (m->kind == MONITOR_SGX)
		return sgx_exit(m);
	if (step_exit(m, &turn))
		return turn;
	if (m->kind == MONITOR_TDX)
		return tdx_exit(m);
	return m->kind == MONITOR_SNP ? snp_exit(m) : exit_plain(m);
}

void vcpu_run(struct monitor *m)
{
	if (m->kind == MONITOR_SGX && sgx_enter(m) == EXIT_LEAVE)
		return;
	if (m->kind == MONITOR_SNP)
		snp_resume(m);
	else if (m->kind == MONITOR_TDX)
		tdx_resume(m);
	else if (m->kind == MONITOR_PLAIN)
		exit_finish_io(m);
	if (!state_is_legal(&m->cpu.vmcb->save)) {
		exit_leave(m, MONITOR_EXIT_REFUSED);
		return;
	}
	while (run_once(m) == EXIT_RESUME)
		;
}
