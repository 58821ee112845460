/* SPDX-License-Identifier: Apache-2.0 */
/* What C cannot say: the ways into the shim and out of it. */
#include "shim/riscv64/traps.h"

	/* Below each stack is a page without rights (tables.c). */
	.section .stacks, "aw"
	.balign 4096
	.globl stack_guards, stack_main, stack_fault
stack_guards:
	.skip 4096
	.skip 4 * 4096
stack_main:
	.skip 4096
	.skip 2 * 4096
stack_fault:

	/* In: a0 to a5 as the technology says (platform.h), on the first tables;
	 * the stack pointer is the one that was measured. */
	.section .entry, "ax"
	.globl shim_entry
shim_entry:
	.option push
	.option norelax
	la	gp, 0
	.option pop
	addi	sp, sp, -48
	sd	a0, 0(sp)
	sd	a1, 8(sp)
	sd	a2, 16(sp)
	sd	a3, 24(sp)
	sd	a4, 32(sp)
	sd	a5, 40(sp)
	la	t0, shim_trap_entry
	csrw	stvec, t0
	csrw	sscratch, zero
	mv	a0, sp
	li	fp, 0
	call	shim_start
	unimp

	.macro each_general op
	.irp	n, 1,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	x\n, 8*\n(sp)
	.endr
	.endm

/*
 * Traps.  From exec sscratch is the top of the shim's stack; in the shim it is
 * 0: what traps there ends the Keep, on a stack of its own.
 */
	.balign	4
	.globl shim_trap_entry
shim_trap_entry:
	csrrw	sp, sscratch, sp
	beqz	sp, trapped_inside
	addi	sp, sp, -TRAP_BYTES
	each_general sd
	sd	a0, 8*10(sp)
	csrr	t0, sepc
	sd	t0, TRAP_PC(sp)
	csrrw	t0, sscratch, zero
	sd	t0, 8*2(sp)
	mv	a0, sp
	call	shim_trap
	/* In: sp, a struct trap of exec's. */
go_back:
	ld	t0, TRAP_PC(sp)
	csrw	sepc, t0
	addi	t0, sp, TRAP_BYTES
	csrw	sscratch, t0
	each_general ld
	ld	a0, 8*10(sp)
	ld	sp, 8*2(sp)
	sret

trapped_inside:
	la	sp, stack_fault
	call	shim_trap_inside
	unimp

/* shim_enter_user(a0: pc, a1: sp): exec's first instruction.  Every other
 * register is 0.  Never returns. */
	.globl shim_enter_user
shim_enter_user:
	la	sp, stack_main
	addi	sp, sp, -TRAP_BYTES
	mv	t0, sp
	la	t1, stack_main
1:	sd	zero, 0(t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b
	sd	a0, TRAP_PC(sp)
	sd	a1, 8*2(sp)
	j	go_back

	.option arch, +d
/* Floating point is exec's alone: it starts with zeros. */
	.globl shim_clear_float
shim_clear_float:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fmv.d.x	f\n, zero
	.endr
	fscsr	zero
	ret
