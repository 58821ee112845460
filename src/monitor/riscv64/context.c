/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/riscv64/context.h"

#include "arch/riscv64/csr.h"
#include "monitor/riscv64/monitor.h"

/* mstatus (privileged architecture, §3.1.6). */
#define MSTATUS_MPIE	  (1ull << 7)
#define MSTATUS_MPP	  (3ull << 11)
#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_FS	  (3ull << 13)
#define MSTATUS_MPRV	  (1ull << 17)
#define MSTATUS_TRAPS	  (7ull << 20) /* TVM, TW, TSR */

/* Exceptions that are the business of what runs, not ours: all but ECALL from
 * S-mode.  PMP's refusals are among them. */
#define DELEGATED 0xb1ffull

/* RDTIME, and no other counter: they tell of others. */
#define COUNTERS 2ull

void context_init(void)
{
	csr_write(medeleg, DELEGATED);
	csr_write(mideleg, 0);
	csr_write(mcounteren, COUNTERS);
	csr_clear(mstatus, MSTATUS_MPRV | MSTATUS_TRAPS | MSTATUS_MPIE);
}

void context_load(const struct context *c)
{
	csr_set(mstatus, MSTATUS_FS);
	context_load_float(c->f);
	csr_write(stvec, c->csrs.stvec);
	csr_write(sscratch, c->csrs.sscratch);
	csr_write(sepc, c->csrs.sepc);
	csr_write(scause, c->csrs.scause);
	csr_write(stval, c->csrs.stval);
	csr_write(scounteren, c->csrs.scounteren);
	csr_write(0x10a, c->csrs.senvcfg); /* SENVCFG */
	csr_write(satp, c->csrs.satp);
	csr_write(sstatus, c->csrs.sstatus);
	csr_clear(mstatus, MSTATUS_MPP);
	csr_set(mstatus, c->mode << MSTATUS_MPP_SHIFT & MSTATUS_MPP);
	cpu_fence_tables();
	cpu_fence_code();
}

void context_save(struct context *c)
{
	c->mode = (csr_read(mstatus) & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
	c->csrs = (struct context_csrs){
		.sstatus = csr_read(sstatus),
		.stvec = csr_read(stvec),
		.sscratch = csr_read(sscratch),
		.sepc = csr_read(sepc),
		.scause = csr_read(scause),
		.stval = csr_read(stval),
		.satp = csr_read(satp),
		.scounteren = csr_read(scounteren),
		.senvcfg = csr_read(0x10a),
	};
	csr_set(mstatus, MSTATUS_FS);
	context_save_float(c->f);
}

/* --- physical memory protection (§3.7) ---------------------------------- */

static void write_entries(const struct pmp *p)
{
	csr_write(pmpcfg0, 0);
	csr_write(pmpcfg2, 0);
	csr_write(pmpaddr0, p->address[0]);
	csr_write(pmpaddr1, p->address[1]);
	csr_write(pmpaddr2, p->address[2]);
	csr_write(pmpaddr3, p->address[3]);
	csr_write(pmpcfg0, p->config);
}

void context_protect(const struct pmp *p)
{
	write_entries(p);
	cpu_fence_tables();
}
