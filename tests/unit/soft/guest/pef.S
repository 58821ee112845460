/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/vm.h"
#include "spec/papr.h"

	.macro	AT register, symbol
	lis	\register, \symbol@highest
	ori	\register, \register, \symbol@higher
	sldi	\register, \register, 32
	oris	\register, \register, \symbol@high
	ori	\register, \register, \symbol@l
	.endm

	.section .head, "ax"
	.long	VM_IMAGE_MAGIC, VM_IMAGE_VERSION, 7, image_bytes
	.quad	VM_SHIM_VA + 0x10000
	.skip	40

	/* In: r3 the device tree, r4 what to do, r5 1: UV_ESM comes first. */
	.section .entry, "ax"
	.globl	shim_entry
shim_entry:
	mr	14, 4
	mr	15, 3
	cmpdi	5, 1
	li	3, 0
	bne	1f
	mr	5, 15
	li	4, 0
	ori	3, 3, UV_ESM
	sc	2
1:	AT	2, .TOC.
	AT	1, stack_top
	mr	4, 14
	mr	5, 15
	stdu	1, -64(1)
	AT	12, guest_main
	mtctr	12
	bctrl
2:	b	2b

	/* void guest_call(uint64_t words[10], int ultra): r3 to r12. */
	.globl	guest_call
guest_call:
	stdu	1, -64(1)
	std	3, 40(1)
	cmpdi	4, 0
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
	beq	3f
	sc	2
	b	4f
3:	sc	1
4:	ld	0, 40(1)
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
	addi	1, 1, 64
	blr

	.section .stacks, "aw", @nobits
	.globl	guard_main, guard_fault
	.balign	4096
guard_main:
guard_fault:
	.skip	8192
stack_top:
