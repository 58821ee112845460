/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the machine starts, the way into S-mode and back, and the handler that
 * is put into every enclave.
 */
#include "abi/sanctum.h"
#include "monitor/riscv64/context.h"

	.section .text.start, "ax"
	.globl monitor_start
	.option push
	.option norvc
/* In: the boot ROM's jump, one or more processors.  Never returns. */
monitor_start:
	j	1f
	.word	0x4d534744, 1
	.word	handler - monitor_start
	.word	handler_end - handler
	.word	0
	.option pop
1:	csrw	mie, zero
	csrr	t0, mhartid
	bnez	t0, park
	la	t0, monitor_fault_entry
	csrw	mtvec, t0
	la	t0, monitor_bss
	la	t1, monitor_bss_end
2:	sd	zero, 0(t0)
	addi	t0, t0, 8
	bltu	t0, t1, 2b
	li	sp, SANCTUM_MONITOR_AT + SANCTUM_MONITOR_BYTES
	tail	monitor_main
park:	wfi
	j	park

	.text
	.balign	4
/* A trap of the monitor's own: a bug of ours. */
monitor_fault_entry:
	li	sp, SANCTUM_MONITOR_AT + SANCTUM_MONITOR_BYTES
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	tail	monitor_fault

	.macro each_general op
	.irp	n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	x\n, 8*\n(a0)
	.endr
	.endm

	.macro each_saved op
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11
	\op	s\n, 8*\n(sp)
	.endr
	\op	ra, 8*12(sp)
	\op	gp, 8*13(sp)
	\op	tp, 8*14(sp)
	.endm

/*
 * context_run(a0: struct context *): runs it until the next trap.  Out: its
 * general registers and PC are in the context; what the trap was for is in the
 * machine's own registers.  mstatus says where to (context.c).
 */
	.globl context_run
	.balign	4
context_run:
	addi	sp, sp, -128
	each_saved sd
	sd	sp, CONTEXT_MONITOR(a0)
	csrw	mscratch, a0
	la	t0, trapped
	csrw	mtvec, t0
	ld	t0, CONTEXT_PC(a0)
	csrw	mepc, t0
	each_general ld
	ld	a0, 8*10(a0)
	mret

	.balign	4
trapped:
	csrrw	a0, mscratch, a0
	each_general sd
	csrrw	t0, mscratch, zero
	sd	t0, 8*10(a0)
	csrr	t0, mepc
	sd	t0, CONTEXT_PC(a0)
	la	t0, monitor_fault_entry
	csrw	mtvec, t0
	ld	sp, CONTEXT_MONITOR(a0)
	each_saved ld
	addi	sp, sp, 128
	ret

	.macro each_float op
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	f\n, 8*\n(a0)
	.endr
	.endm

	.option push
	.option arch, +d
/* a0: 33 words, the last for FCSR; mstatus.FS is on. */
	.globl context_save_float
context_save_float:
	each_float fsd
	frcsr	t0
	sd	t0, 8*32(a0)
	ret
	.globl context_load_float
context_load_float:
	each_float fld
	ld	t0, 8*32(a0)
	fscsr	t0
	ret
	.option pop

/*
 * The enclave's first page: where its traps go until it says otherwise.  It
 * tells the monitor, which ends the enclave.  Position-independent; measured.
 */
	.section .rodata.handler, "a"
	.balign	8
	.globl handler, handler_end
handler:
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	li	a7, SANCTUM_FAULT
	ecall
	j	handler
	.balign	8
handler_end:
