/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/inject.h"

#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/guest.h"

/* RFLAGS that delivery clears: TF, NT, RF; and IF, by an interrupt gate. */
enum {
	FLAGS_CLEARED = 1 << 8 | 1 << 14 | 1 << 16,
	FLAG_IF = 1 << 9,
	GATE_INTERRUPT = 14,
	TSS_RSP0 = 4,
	TSS_IST1 = 0x24,
	CODE_64 = 0xa9b,
	DATA_0 = 0xc93,
};

struct gate {
	uint16_t offset_0;
	uint16_t selector;
	uint8_t ist;
	uint8_t type; /* [3:0] type, [7] present */
	uint16_t offset_16;
	uint32_t offset_32;
	uint32_t reserved_0c;
};
LAYOUT_SIZE(struct gate, 16);

void inject_event(struct monitor *m, unsigned vector, uint32_t error)
{
	bool has_error = vector == VECTOR_GP || vector == VECTOR_PF ||
		vector == VECTOR_DF;
	m->cpu.vmcb->control.event = vector | SVM_EVENT_EXCEPTION |
		SVM_EVENT_VALID | (has_error ? SVM_EVENT_HAS_ERROR : 0) |
		(uint64_t)error << 32;
}

void inject_page_fault(struct monitor *m, uint64_t va)
{
	m->cpu.vmcb->save.cr2 = va;
	inject_event(m, VECTOR_PF, m->cpu.vmcb->save.cpl == 3 ? 4 : 0);
}

/* Which stack: the gate's, the inner level's, or the one in use. */
static bool pick_stack(struct monitor *m, const struct gate *g, uint64_t *rsp)
{
	const struct svm_save *s = &m->cpu.vmcb->save;
	uint64_t at = s->tr.base + TSS_RSP0;
	*rsp = s->rsp;
	if (!(g->ist & 7) && s->cpl == 0)
		return true;
	if (g->ist & 7)
		at = s->tr.base + TSS_IST1 + 8 * ((g->ist & 7u) - 1);
	return guest_read(m, at, rsp, sizeof *rsp) == GUEST_FINE;
}

static void enter_gate(struct svm_save *s, const struct gate *g, uint64_t rsp)
{
	s->rsp = rsp;
	s->rip = g->offset_0 | (uint64_t)g->offset_16 << 16 |
		(uint64_t)g->offset_32 << 32;
	s->cs = (struct svm_segment){ .selector = g->selector,
		.attributes = CODE_64,
		.limit = ~0u };
	if (s->cpl)
		s->ss = (struct svm_segment){ .attributes = DATA_0,
			.limit = ~0u };
	s->cpl = 0;
	s->rflags &= ~(uint64_t)FLAGS_CLEARED;
	if ((g->type & 15) == GATE_INTERRUPT)
		s->rflags &= ~(uint64_t)FLAG_IF;
}

bool inject_frame(struct monitor *m, unsigned vector, uint64_t code)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	struct gate g;
	uint64_t rsp;
	/* The task register is the processor's own until then. */
	cpu_vmsave(m->cpu.vmcb);
	if (s->idtr.limit < (vector + 1) * sizeof g - 1 ||
		guest_read(m, s->idtr.base + vector * sizeof g, &g, sizeof g) !=
			GUEST_FINE ||
		!(g.type & 0x80) || !pick_stack(m, &g, &rsp))
		return false;
	const uint64_t frame[] = { code, s->rip, s->cs.selector, s->rflags,
		s->rsp, s->ss.selector };
	rsp = (rsp & ~15ull) - sizeof frame;
	if (guest_write(m, rsp, frame, sizeof frame) != GUEST_FINE)
		return false;
	enter_gate(s, &g, rsp);
	m->cpu.vmcb->control.interrupt_shadow = 0;
	return true;
}

bool inject_vc(struct monitor *m, uint64_t code)
{
	return inject_frame(m, VECTOR_VC, code);
}
