/* SPDX-License-Identifier: Apache-2.0 */
/* PVALIDATE and RMPADJUST (AMD64 manual, volume 3). */
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/inject.h"
#include "monitor/x86_64/snp.h"

enum { FLAG_CF = 1 << 0, FLAG_ZF = 1 << 6, ARITHMETIC = 0x8d5 };

static enum exit_turn done(struct monitor *m, enum snp_instruction eax,
	bool carry)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	s->rax = (uint32_t)eax;
	s->rflags &= ~(uint64_t)ARITHMETIC;
	s->rflags |= (carry ? FLAG_CF : 0u) | (eax == SNP_DONE ? FLAG_ZF : 0u);
	exit_skip(m, 4);
	return EXIT_RESUME;
}

static void forget(struct monitor *m, uint64_t gpa, bool large)
{
	uint64_t bytes = large ? NPT_LARGE : PAGE_BYTES;
	if (!npt_unmap(&m->npt, gpa | NPT_C, bytes))
		monitor_log(m, "no memory for tables");
	m->cpu.vmcb->control.tlb_control = SVM_FLUSH_ALL;
}

static enum exit_turn failed(struct monitor *m, enum guest_turn t, uint64_t va)
{
	uint64_t gpa = 0;
	if (t == GUEST_PAGE_FAULT) {
		inject_page_fault(m, va);
		return EXIT_RESUME;
	}
	if (t == GUEST_NOT_VALIDATED)
		return snp_vc(m, SNP_VC_NOT_VALIDATED);
	if (guest_walk(m, va, &gpa) != GUEST_FINE)
		monitor_log(m, "tables of 0x%llx", (unsigned long long)va);
	return snp_host_fault(m, gpa | NPT_C);
}

/* The operand: rax is its address, ecx its size.  *gpa without the C-bit: the
 * access is a private one whatever the guest's tables say. */
static bool operand(struct monitor *m, uint64_t *gpa, uint64_t *hpa,
	bool *large, enum exit_turn *turn)
{
	uint64_t va = m->cpu.vmcb->save.rax & ~(uint64_t)(PAGE_BYTES - 1);
	uint32_t size = (uint32_t)m->cpu.general[MONITOR_RCX];
	if (m->cpu.vmcb->save.cpl) {
		inject_event(m, VECTOR_GP, 0);
		*turn = EXIT_RESUME;
		return false;
	}
	enum guest_turn t = guest_walk(m, va, gpa);
	*gpa &= ~NPT_C;
	*large = size == 1;
	if (size > 1 || (t == GUEST_FINE && *large && *gpa % NPT_LARGE)) {
		*turn = done(m, SNP_FAIL_INPUT, false);
		return false;
	}
	if (t == GUEST_FINE)
		t = guest_resolve(m, *gpa | NPT_C, RMP_READ, hpa);
	/* That it is not validated is for each instruction to judge. */
	if (t == GUEST_FINE || t == GUEST_NOT_VALIDATED)
		return true;
	*turn = failed(m, t, va);
	return false;
}

static enum exit_turn pvalidate(struct monitor *m)
{
	uint64_t gpa = 0, hpa = 0;
	enum exit_turn turn;
	bool large, same;
	bool validate = m->cpu.general[MONITOR_RDX] & 1;
	if (!operand(m, &gpa, &hpa, &large, &turn))
		return turn;
	if ((uint32_t)m->cpu.general[MONITOR_RDX] > 1)
		return done(m, SNP_FAIL_INPUT, false);
	enum snp_instruction eax =
		rmp_validate(&m->rmp, hpa, large, validate, &same);
	if (eax == SNP_DONE && !validate)
		forget(m, gpa, large);
	return done(m, eax, same);
}

static enum exit_turn rmpadjust(struct monitor *m)
{
	uint64_t gpa = 0, hpa = 0;
	enum exit_turn turn;
	bool large;
	if (!operand(m, &gpa, &hpa, &large, &turn))
		return turn;
	if (rmp_check(&m->rmp, hpa, gpa, RMP_READ) == RMP_NOT_VALIDATED)
		return snp_vc(m, SNP_VC_NOT_VALIDATED);
	enum snp_instruction eax =
		rmp_adjust(&m->rmp, hpa, large, m->cpu.general[MONITOR_RDX]);
	if (eax == SNP_DONE)
		forget(m, gpa, large);
	return done(m, eax, false);
}

enum exit_turn snp_on_undefined(struct monitor *m)
{
	static const uint8_t pvalidate_code[] = { 0xf2, 0x0f, 0x01, 0xff };
	static const uint8_t rmpadjust_code[] = { 0xf3, 0x0f, 0x01, 0xfe };
	uint8_t code[4] = { 0 };
	enum guest_turn t =
		guest_read(m, m->cpu.vmcb->save.rip, code, sizeof code);
	if (t == GUEST_FINE && !memcmp(code, pvalidate_code, sizeof code))
		return pvalidate(m);
	if (t == GUEST_FINE && !memcmp(code, rmpadjust_code, sizeof code))
		return rmpadjust(m);
	inject_event(m, VECTOR_UD, 0);
	return EXIT_RESUME;
}
