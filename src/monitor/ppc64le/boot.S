/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where QEMU's POWER9 begins, the hypervisor's interrupt vectors, and the way
 * into the guest and back (Power ISA 3.0B, book III, §7.5).
 */
#include "arch/ppc64le/cpu.h"
#include "monitor/ppc64le/vcpu_asm.h"

	.section .text.start, "ax"
	.globl monitor_start
monitor_start:
	.org 0x10
	/* In big-endian mode, at which each word is one of these: the last of
	 * them goes on behind in little-endian mode. */
	tdi	0, 0, 0x48
	b	1f
	.long	0xa600607d /* mfmsr r11 */
	.long	0x01006b69 /* xori r11, r11, 1 */
	.long	0x00004039 /* li r10, 0 */
	.long	0x6401417d /* mtmsrd r10, 1 */
	.long	0x05009f42 /* bcl 20, 31, .+4 */
	.long	0xa602487d /* mflr r10 */
	.long	0x14004a39 /* addi r10, r10, 20 */
	.long	0xa6035a7d /* mtsrr0 r10 */
	.long	0xa6037b7d /* mtsrr1 r11 */
	.long	0x2400004c /* rfid */
1:	b	start

/* Interrupts that a guest leaves by.  Out: r13 is the vcpu, whose r12 and r13
 * are saved; r12 is the vector. */
	.macro	LEAVE vector
	.org	\vector
	mtspr	SPR_HSPRG1, 13
	mfspr	13, SPR_HSPRG0
	std	12, VCPU_GPR + 8 * 12(13)
	li	12, \vector
	b	leave
	.endm

/* Interrupts of our own: there are none. */
	.macro	FAULT vector
	.org	\vector
	li	3, \vector
	b	fault
	.endm

	FAULT	0x100
	FAULT	0x200
	FAULT	0x300
	FAULT	0x380
	FAULT	0x400
	FAULT	0x480
	FAULT	0x500
	FAULT	0x600
	FAULT	0x700
	FAULT	0x800
	FAULT	0x900
	LEAVE	0x980
	LEAVE	0xc00
	FAULT	0xd00
	LEAVE	0xe00
	LEAVE	0xe20
	LEAVE	0xe40
	FAULT	0xe60
	FAULT	0xe80
	FAULT	0xea0
	FAULT	0xf00
	FAULT	0xf20
	FAULT	0xf40
	FAULT	0xf60
	LEAVE	0xf80

	.org	0x1000
fault:
	lis	1, monitor_stack@ha
	addi	1, 1, monitor_stack@l
	lis	2, .TOC.@ha
	addi	2, 2, .TOC.@l
	mfspr	4, SPR_SRR0
	mfspr	5, SPR_SRR1
	mfspr	6, SPR_DAR
	stdu	1, -64(1)
	bl	monitor_fault

start:
	li	3, 8
	sldi	3, 3, 56 /* HILE: our interrupts are little-endian */
	mfspr	4, SPR_HID0
	or	4, 4, 3
	mtspr	SPR_HID0, 4
	isync
	lis	1, monitor_stack@ha
	addi	1, 1, monitor_stack@l
	lis	2, .TOC.@ha
	addi	2, 2, .TOC.@l
	lis	3, monitor_bss@ha
	addi	3, 3, monitor_bss@l
	lis	4, monitor_bss_end@ha
	addi	4, 4, monitor_bss_end@l
	li	5, 0
2:	cmpld	3, 4
	bge	3f
	std	5, 0(3)
	addi	3, 3, 8
	b	2b
3:	stdu	1, -64(1)
	bl	monitor_main

/* vcpu_enter(struct vcpu *): runs the guest until it leaves; the vector.
 * Clobbers what a function may. */
	.globl	vcpu_enter
	.type	vcpu_enter, @function
vcpu_enter:
	mflr	0
	std	0, 16(1)
	mfcr	0
	std	0, 8(1)
	stdu	1, -192(1)
	.irp	n, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	std	\n, 8 * (\n - 14) + 40(1)
	.endr
	std	1, VCPU_STACK(3)
	mtspr	SPR_HSPRG0, 3
	mr	13, 3
	ld	0, VCPU_NIP(13)
	mtspr	SPR_HSRR0, 0
	ld	0, VCPU_MSR(13)
	mtspr	SPR_HSRR1, 0
	ld	0, VCPU_CR(13)
	mtcr	0
	ld	0, VCPU_LR(13)
	mtlr	0
	ld	0, VCPU_CTR(13)
	mtctr	0
	ld	0, VCPU_XER(13)
	mtxer	0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	\n, VCPU_GPR + 8 * \n(13)
	.endr
	ld	13, VCPU_GPR + 8 * 13(13)
	hrfid

leave:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	std	\n, VCPU_GPR + 8 * \n(13)
	.endr
	mfspr	0, SPR_HSPRG1
	std	0, VCPU_GPR + 8 * 13(13)
	mfcr	0
	std	0, VCPU_CR(13)
	mflr	0
	std	0, VCPU_LR(13)
	mfctr	0
	std	0, VCPU_CTR(13)
	mfxer	0
	std	0, VCPU_XER(13)
	/* A hypercall's way is in the other pair of registers. */
	mfspr	4, SPR_HSRR0
	mfspr	5, SPR_HSRR1
	cmpwi	12, 0xc00
	bne	4f
	mfspr	4, SPR_SRR0
	mfspr	5, SPR_SRR1
4:	std	4, VCPU_NIP(13)
	std	5, VCPU_MSR(13)
	mr	3, 12
	ld	1, VCPU_STACK(13)
	lis	2, .TOC.@ha
	addi	2, 2, .TOC.@l
	.irp	n, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	\n, 8 * (\n - 14) + 40(1)
	.endr
	addi	1, 1, 192
	ld	0, 8(1)
	mtcr	0
	ld	0, 16(1)
	mtlr	0
	blr
	.size	vcpu_enter, . - vcpu_enter
