/* SPDX-License-Identifier: Apache-2.0 */
/* What VMRUN refuses (AMD64 manual, volume 2, §15.5.1): QEMU's does not. */
#include "monitor/x86_64/monitor.h"

#define HIGH 0xffffffff00000000ull

/* CR0, CR4 and EFER, by the manual's names. */
enum {
	PE = 1 << 0,
	NW = 1 << 29,
	CD = 1 << 30,
	PAE = 1 << 5,
	LME = 1 << 8,
	SVME = 1 << 12,
	CS_L = 1 << 9,
	CS_D = 1 << 10,
};
#define PG	   (1ull << 31)
#define EFER_KNOWN 0x7d01ull

bool state_is_legal(const struct svm_save *s)
{
	bool paged_long = (s->efer & LME) && (s->cr0 & PG);
	if (!(s->efer & SVME) || (s->efer & ~EFER_KNOWN))
		return false;
	if ((s->cr0 & HIGH) || ((s->cr0 & NW) && !(s->cr0 & CD)))
		return false;
	if ((s->cr4 & HIGH) || (s->dr6 & HIGH) || (s->dr7 & HIGH))
		return false;
	if (paged_long && (!(s->cr4 & PAE) || !(s->cr0 & PE)))
		return false;
	return !paged_long || !(s->cs.attributes & CS_L) ||
		!(s->cs.attributes & CS_D);
}
