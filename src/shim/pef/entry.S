/* SPDX-License-Identifier: Apache-2.0 */
/* What C cannot say: the image's head, the interrupt vectors, and the ways into
 * the shim and out of it (Power ISA 3.0B, book III, §6.5). */
#include "abi/vm.h"
#include "arch/ppc64le/cpu.h"
#include "shim/pef/trap_asm.h"
#include "spec/papr.h"

/* Any address of the image's, in any mode. */
	.macro	AT register, symbol
	lis	\register, \symbol@highest
	ori	\register, \register, \symbol@higher
	sldi	\register, \register, 32
	oris	\register, \register, \symbol@high
	ori	\register, \register, \symbol@l
	.endm

	/* struct vm_image_head; shim_tee comes from the link. */
	.section .head, "ax"
head:
	.long	VM_IMAGE_MAGIC, VM_IMAGE_VERSION, shim_tee, image_bytes
	.quad	VM_SHIM_VA + 0x10000 /* where shim_entry is in the image */
	.long	0, 0, 0
	.long	0, 0, 0, 0, 0, 0, 0

	/* An interrupt, in real mode.  What is in r11 to r13 goes where SPRG0
	 * says; r12 is then the vector. */
	.macro	VECTOR at
	.org	head + \at
	mtspr	SPR_SPRG0 + 1, 13
	mfspr	13, SPR_SPRG0
	std	12, TRAP_GPR + 8 * 12(13)
	li	12, \at
	b	vector_common
	.endm

	.irp	at, 0x100, 0x200, 0x300, 0x380, 0x400, 0x480, 0x500, 0x600, 0x700, 0x800, 0x900, 0x980, 0xa00, 0xc00, 0xd00, 0xe00, 0xe40, 0xea0, 0xf00, 0xf20, 0xf40, 0xf60
	VECTOR	\at
	.endr

	/* From here on at the addresses that the shim has. */
	.org	head + 0x1000
vector_common:
	std	11, TRAP_GPR + 8 * 11(13)
	mfctr	11
	std	11, TRAP_CTR(13)
	AT	11, trap_common
	mtctr	11
	bctr

	/* In: the state of docs/tee/pef.md: real mode, little-endian, r3 the
	 * device tree's address.  The ultravisor comes before the first write:
	 * what it compares is the image as it was loaded. */
	.section .entry, "ax"
	.globl	shim_entry
shim_entry:
	mr	5, 3
	li	4, 0
	li	3, 0
	ori	3, 3, UV_ESM
	sc	2
	AT	2, .TOC.
	AT	1, stack_main
	AT	4, shim_frame
	mtspr	SPR_SPRG0, 4
	stdu	1, -64(1)
	AT	12, shim_start
	mtctr	12
	bctr

trap_common:
	std	0, TRAP_GPR(13)
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	std	\n, TRAP_GPR + 8 * \n(13)
	.endr
	mfspr	3, SPR_SPRG0 + 1
	std	3, TRAP_GPR + 8 * 13(13)
	mfspr	3, SPR_SRR0
	std	3, TRAP_NIP(13)
	mfspr	4, SPR_SRR1
	std	4, TRAP_MSR(13)
	mfcr	3
	std	3, TRAP_CR(13)
	mflr	3
	std	3, TRAP_LR(13)
	mfxer	3
	std	3, TRAP_XER(13)
	mfspr	3, SPR_DAR
	std	3, TRAP_DAR(13)
	mfspr	3, SPR_DSISR
	std	3, TRAP_DSISR(13)
	std	12, TRAP_VECTOR(13)
	mr	3, 13
	AT	2, .TOC.
	AT	1, stack_main
	andi.	0, 4, 0x4000 /* the shim's own: the last one */
	bne	1f
	AT	1, stack_fault
1:	stdu	1, -64(1)
	li	4, 0x32 /* RI, addresses are translated */
	mfmsr	5
	or	5, 5, 4
	mtmsrd	5
	isync
	AT	12, shim_trap
	mtctr	12
	bctrl
	AT	13, shim_frame

	/* Out: all that the frame says; of the shim nothing.  What it wrote
	 * into tables is seen (§5.10.1). */
leave:
	ptesync
	mfmsr	5
	li	4, 0x2
	andc	5, 5, 4
	mtmsrd	5, 1 /* RI: what follows can't be interrupted */
	ld	3, TRAP_NIP(13)
	mtspr	SPR_SRR0, 3
	ld	3, TRAP_MSR(13)
	mtspr	SPR_SRR1, 3
	ld	3, TRAP_CR(13)
	mtcr	3
	ld	3, TRAP_LR(13)
	mtlr	3
	ld	3, TRAP_CTR(13)
	mtctr	3
	ld	3, TRAP_XER(13)
	mtxer	3
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	\n, TRAP_GPR + 8 * \n(13)
	.endr
	ld	13, TRAP_GPR + 8 * 13(13)
	rfid

	/* NORETURN void shim_leave(const struct trap *): exec begins. */
	.globl	shim_leave
shim_leave:
	mr	13, 3
	b	leave

	/* int64_t shim_hypercall(uint64_t words[10]), shim_ultracall: r3 to
	 * r12, in and out.  What the other side may have changed of the rest is
	 * not looked at: those that a function keeps are kept here. */
	.macro	CALL name, level
	.globl	\name
	.type	\name, @function
\name:
	mflr	0
	std	0, 16(1)
	mfcr	0
	std	0, 8(1)
	stdu	1, -256(1)
	std	3, 40(1)
	std	2, 24(1)
	.irp	n, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	std	\n, 8 * (\n - 13) + 48(1)
	.endr
	mr	11, 3
	ld	12, 72(11)
	ld	4, 8(11)
	ld	5, 16(11)
	ld	6, 24(11)
	ld	7, 32(11)
	ld	8, 40(11)
	ld	9, 48(11)
	ld	10, 56(11)
	ld	3, 0(11)
	ld	11, 64(11)
	sc	\level
	ld	0, 40(1)
	mtctr	11
	mr	11, 0
	std	3, 0(11)
	std	4, 8(11)
	std	5, 16(11)
	std	6, 24(11)
	std	7, 32(11)
	std	8, 40(11)
	std	9, 48(11)
	std	10, 56(11)
	mfctr	0
	std	0, 64(11)
	std	12, 72(11)
	ld	2, 24(1)
	.irp	n, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	\n, 8 * (\n - 13) + 48(1)
	.endr
	addi	1, 1, 256
	ld	0, 8(1)
	mtcr	0
	ld	0, 16(1)
	mtlr	0
	blr
	.size	\name, . - \name
	.endm
	CALL	shim_hypercall, 1
	CALL	shim_ultracall, 2

	/* A page without rights is below each stack (tables.c). */
	.section .stacks, "aw", @nobits
	.globl	guard_main, guard_fault, stack_main, stack_fault
	.balign	4096
guard_main:
	.skip	5 * 4096
stack_main:
guard_fault:
	.skip	3 * 4096
stack_fault:

	.section .bss
	.balign	16
	.globl	shim_frame
shim_frame:
	.skip	0x150
