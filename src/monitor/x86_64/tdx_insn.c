/* SPDX-License-Identifier: Apache-2.0 */
/* TDCALL (Intel TDX Module 1.5 ABI, "Guest-Side Interface Functions"). */
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/inject.h"
#include "monitor/x86_64/tdx.h"

enum {
	CALL_BYTES = 4,
	REPORT_ALIGN = sizeof(struct tdx_report_struct),
	DATA_BYTES = 64,
	RTMRS = 4,
	RTMR_BYTES = 48,
	CS_L = 1 << 9,
};

/* Of RCX, for TDG.VP.VMCALL: RAX, RCX and RSP are nobody's to give. */
#define NEVER_GIVEN \
	(1ull << MONITOR_RAX | 1ull << MONITOR_RCX | 1ull << MONITOR_RSP)
#define CONTROL_KNOWN 0xffffffffull

/* TDG.MEM.PAGE.ACCEPT's RCX. */
#define LEVEL_MASK   7ull
#define ADDRESS_MASK 0x000ffffffffff000ull

static enum exit_turn done(struct monitor *m, uint64_t status)
{
	m->cpu.vmcb->save.rax = status;
	exit_skip(m, CALL_BYTES);
	return EXIT_RESUME;
}

static enum exit_turn invalid(struct monitor *m, unsigned operand)
{
	return done(m, TDX_OPERAND_INVALID | operand);
}

static uint8_t *stage(const struct monitor *m)
{
	return (uint8_t *)m->box + MONITOR_STAGE_AT;
}

/* --- what the module knows ---------------------------------------------- */

static enum exit_turn info(struct monitor *m)
{
	uint64_t *r = m->cpu.general;
	r[MONITOR_RCX] = NPT_C_BIT + 1;
	r[MONITOR_RDX] = m->td.attributes;
	r[8] = 2ull << 32 | m->td.processors; /* most, made */
	r[9] = r[10] = r[11] = 0;
	return done(m, TDX_SUCCESS);
}

static enum exit_turn ve_info(struct monitor *m)
{
	uint64_t *r = m->cpu.general;
	bool valid = m->td.ve.valid;
	r[MONITOR_RCX] = valid ? m->td.ve.reason : 0;
	r[MONITOR_RDX] = valid ? m->td.ve.qualification : 0;
	r[8] = 0;
	r[9] = valid ? m->td.ve.gpa : 0;
	r[10] = valid ? m->td.ve.instruction : 0;
	m->td.ve.valid = false;
	return done(m, valid ? TDX_SUCCESS : TDX_NO_VALID_VE_INFO);
}

/* --- memory ------------------------------------------------------------- */

/* Contents of a page that is accepted are none. */
static void clear(struct monitor *m, uint64_t gpa, bool large)
{
	const struct monitor_slot *s = monitor_slot_at(m, gpa);
	uint64_t hpa = s->private_hpa + (gpa - s->gpa);
	memset(monitor_memory(hpa), 0, large ? NPT_LARGE : PAGE_BYTES);
}

static enum exit_turn accept_at(struct monitor *m, uint64_t gpa, bool large)
{
	const struct monitor_slot *s = monitor_slot_at(m, gpa);
	uint64_t hpa = s ? s->private_hpa + (gpa - s->gpa) : 0;
	bool there = s && s->private_hpa && guest_is_private(m, gpa) &&
		hpa >= m->sept.begin && hpa < m->sept.end;
	if (!there)
		return tdx_private_fault(m, gpa, false);
	switch (sept_accept(&m->sept, hpa, gpa, large)) {
	case SEPT_FINE:
		clear(m, gpa, large);
		return done(m, TDX_SUCCESS);
	case SEPT_ALREADY:
		return done(m, TDX_PAGE_ALREADY_ACCEPTED | large);
	case SEPT_OTHER_SIZE:
		return done(m, TDX_PAGE_SIZE_MISMATCH | large);
	case SEPT_NOT_THERE:
		/* The kernel makes it the domain's; the call is made again. */
		return tdx_augment(m, gpa) ? EXIT_RESUME :
					     tdx_private_fault(m, gpa, false);
	case SEPT_NOT_ACCEPTED:
		/* A kernel breaks its large page up. */
		sept_remove(&m->sept, hpa);
		return sept_augment(&m->sept, hpa, gpa, false) ?
			EXIT_RESUME :
			tdx_private_fault(m, gpa, false);
	default:
		return tdx_private_fault(m, gpa, false);
	}
}

static enum exit_turn accept(struct monitor *m)
{
	uint64_t rcx = m->cpu.general[MONITOR_RCX];
	uint64_t level = rcx & LEVEL_MASK, gpa = rcx & ADDRESS_MASK;
	bool large = level == TDX_LEVEL_2M;
	if (level > TDX_LEVEL_2M || (rcx & ~LEVEL_MASK & ~ADDRESS_MASK) ||
		gpa >= NPT_C || (large && gpa % NPT_LARGE))
		return invalid(m, TDX_OPERAND_RCX);
	return accept_at(m, gpa, large);
}

/* --- measurements ------------------------------------------------------- */

/* An operand in memory, of either half, within a page. */
static bool operand(struct monitor *m, uint64_t gpa, unsigned align,
	unsigned number, void **out, enum exit_turn *turn)
{
	uint64_t hpa;
	if (gpa % align || gpa >> (NPT_C_BIT + 1)) {
		*turn = invalid(m, number);
		return false;
	}
	enum guest_turn t = guest_resolve(m, gpa, RMP_WRITE, &hpa);
	if (t == GUEST_FINE) {
		*out = monitor_memory(hpa);
		return true;
	}
	*turn = gpa & NPT_C ?
		invalid(m, number) :
		tdx_private_fault(m, gpa, t == GUEST_NOT_VALIDATED);
	return false;
}

/* The keys are the host's half's. */
static enum exit_turn leave_for(struct monitor *m, bool extend, uint64_t index)
{
	exit_leave(m, MONITOR_EXIT_TDREPORT);
	m->box->exit.rip = 0;
	m->box->exit.port = extend;
	m->box->exit.value = (uint32_t)index;
	return EXIT_LEAVE;
}

static enum exit_turn report(struct monitor *m)
{
	void *to, *data;
	enum exit_turn turn;
	if (!operand(m, m->cpu.general[MONITOR_RCX], REPORT_ALIGN,
		    TDX_OPERAND_RCX, &to, &turn) ||
		!operand(m, m->cpu.general[MONITOR_RDX], DATA_BYTES,
			TDX_OPERAND_RDX, &data, &turn))
		return turn;
	if (m->cpu.general[8])
		return invalid(m, TDX_OPERAND_R8);
	m->td.report_to = to;
	memcpy(stage(m), data, DATA_BYTES);
	return leave_for(m, false, 0);
}

static enum exit_turn extend(struct monitor *m)
{
	void *data;
	enum exit_turn turn;
	uint64_t index = m->cpu.general[MONITOR_RDX];
	if (!operand(m, m->cpu.general[MONITOR_RCX], DATA_BYTES,
		    TDX_OPERAND_RCX, &data, &turn))
		return turn;
	if (index >= RTMRS)
		return invalid(m, TDX_OPERAND_RDX);
	m->td.report_to = NULL;
	memcpy(stage(m), data, RTMR_BYTES);
	return leave_for(m, true, index);
}

/* --- the host ----------------------------------------------------------- */

/* It sees what the domain names, and nothing else. */
static enum exit_turn vmcall(struct monitor *m)
{
	struct monitor_state *t = &m->box->state;
	uint64_t control = m->cpu.general[MONITOR_RCX];
	if ((control & NEVER_GIVEN) || (control & ~CONTROL_KNOWN))
		return invalid(m, TDX_OPERAND_RCX);
	*t = (struct monitor_state){ 0 };
	for (unsigned i = MONITOR_RDX; i < MONITOR_GENERAL; i++)
		if (control >> i & 1)
			t->general[i] = m->cpu.general[i];
	t->general[MONITOR_RCX] = control;
	m->td.given = (uint16_t)control;
	done(m, TDX_SUCCESS);
	exit_leave(m, MONITOR_EXIT_TDVMCALL);
	m->box->exit.rip = 0;
	return EXIT_LEAVE;
}

void tdx_resume(struct monitor *m)
{
	struct monitor_exit *x = &m->box->exit;
	const struct monitor_state *t = &m->box->state;
	if (x->reason == MONITOR_EXIT_TDVMCALL)
		for (unsigned i = MONITOR_RDX; i < MONITOR_GENERAL; i++)
			if (m->td.given >> i & 1)
				m->cpu.general[i] = t->general[i];
	if (x->reason == MONITOR_EXIT_TDREPORT) {
		if (m->td.report_to)
			memcpy(m->td.report_to, stage(m), REPORT_ALIGN);
		done(m, TDX_SUCCESS);
	}
	m->td.given = 0;
	m->td.report_to = NULL;
	x->reason = MONITOR_EXIT_KICKED;
}

static enum exit_turn tdcall(struct monitor *m)
{
	if (m->cpu.vmcb->save.cpl) {
		inject_event(m, VECTOR_GP, 0);
		return EXIT_RESUME;
	}
	switch (m->cpu.vmcb->save.rax) {
	case TDX_VP_VMCALL:
		return vmcall(m);
	case TDX_VP_INFO:
		return info(m);
	case TDX_MR_RTMR_EXTEND:
		return extend(m);
	case TDX_VP_VEINFO_GET:
		return ve_info(m);
	case TDX_MR_REPORT:
		return report(m);
	case TDX_MEM_PAGE_ACCEPT:
		return accept(m);
	default:
		return invalid(m, TDX_OPERAND_RAX);
	}
}

enum exit_turn tdx_on_undefined(struct monitor *m)
{
	static const uint8_t tdcall_code[CALL_BYTES] = { 0x66, 0x0f, 0x01,
		0xcc };
	const struct svm_save *s = &m->cpu.vmcb->save;
	uint8_t code[CALL_BYTES] = { 0 };
	if (!m->flat.on && (s->cs.attributes & CS_L) &&
		guest_read(m, s->rip, code, sizeof code) == GUEST_FINE &&
		!memcmp(code, tdcall_code, sizeof code))
		return tdcall(m);
	inject_event(m, VECTOR_UD, 0);
	return EXIT_RESUME;
}
