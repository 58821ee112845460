/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/flat.h"

#include "monitor/x86_64/guest.h"

/* Where nobody without paging can look, in the private half: level 4, 3. */
#define TABLES_GPA 0x7fffffffe000ull

#define CR0_PG	 0x80000000ull
#define CR4_PAE	 0x20ull
#define EFER_LME 0x100ull
#define EFER_LMA 0x400ull

/* intercept_cr: reads, then writes; of CR0, CR3, CR4. */
#define ON_CRS (0x19u | 0x19u << 16)

enum { GIB_PAGE = 0x87, ENTRY = 7, GIBS = 4, WRITE = 0x10 };

static uint64_t tables[2][512] __attribute__((aligned(PAGE_BYTES)));

bool flat_begin(struct monitor *m)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	m->flat.on = true;
	m->flat.cr0 = s->cr0;
	m->flat.cr3 = s->cr3;
	m->flat.cr4 = s->cr4;
	tables[0][0] = (TABLES_GPA + PAGE_BYTES) | ENTRY;
	for (uint64_t i = 0; i < GIBS; i++)
		tables[1][i] = i << 30 | GIB_PAGE;
	s->cr0 |= CR0_PG;
	s->cr3 = TABLES_GPA;
	s->cr4 |= CR4_PAE;
	s->efer |= EFER_LME | EFER_LMA;
	m->cpu.vmcb->control.intercept_cr |= ON_CRS;
	for (unsigned i = 0; i < 2; i++)
		if (!npt_map(&m->npt, TABLES_GPA + i * PAGE_BYTES,
			    (uint64_t)tables[i], NPT_ALL))
			return false;
	return true;
}

uint64_t flat_efer(const struct monitor *m)
{
	uint64_t efer = m->cpu.vmcb->save.efer;
	return m->flat.on ? efer & ~EFER_LMA : efer;
}

/* Paging is on: what the guest has set holds from here on. */
static bool leave(struct monitor *m)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	if (!(s->efer & EFER_LME) || !(m->flat.cr4 & CR4_PAE))
		return false;
	m->flat.on = false;
	s->cr0 = m->flat.cr0;
	s->cr3 = m->flat.cr3;
	s->cr4 = m->flat.cr4;
	m->cpu.vmcb->control.intercept_cr &= ~ON_CRS;
	m->cpu.vmcb->control.tlb_control = SVM_FLUSH_ALL;
	return npt_unmap(&m->npt, TABLES_GPA, 2 * PAGE_BYTES);
}

/* 0F 20 (read) or 22 (write), and a byte that names the registers. */
static bool decode(struct monitor *m, unsigned cr, bool write,
	unsigned *general)
{
	uint8_t code[3];
	uint64_t rip = (uint32_t)m->cpu.vmcb->save.rip;
	for (unsigned i = 0; i < sizeof code; i++) {
		uint64_t hpa;
		if (guest_resolve(m, rip + i, RMP_READ, &hpa) != GUEST_FINE)
			return false;
		code[i] = *(uint8_t *)monitor_memory(hpa);
	}
	*general = code[2] & 7;
	return code[0] == 0x0f && code[1] == (write ? 0x22 : 0x20) &&
		(code[2] >> 3 & 7) == cr;
}

static uint64_t *shadow(struct monitor *m, unsigned cr)
{
	return cr == 0 ? &m->flat.cr0 : cr == 3 ? &m->flat.cr3 : &m->flat.cr4;
}

static uint64_t *general_of(struct monitor *m, unsigned n)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	return n == MONITOR_RAX	 ? &s->rax :
		n == MONITOR_RSP ? &s->rsp :
				   &m->cpu.general[n];
}

bool flat_exit(struct monitor *m)
{
	uint64_t code = m->cpu.vmcb->control.exit_code;
	unsigned cr = code & 15, general;
	bool write = code & WRITE;
	if (!m->flat.on || code >= 2 * WRITE || !decode(m, cr, write, &general))
		return false;
	uint64_t *r = general_of(m, general), *own = shadow(m, cr);
	if (write)
		*own = (uint32_t)*r;
	else
		*r = (uint32_t)*own;
	exit_skip(m, 3);
	return !(m->flat.cr0 & CR0_PG) || leave(m);
}
