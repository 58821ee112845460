/* SPDX-License-Identifier: Apache-2.0 */
#include "rv.h"
#include "abi/sanctum.h"

/* In: s0, a command; s1, where to go on.  Changes t0 to t6, a0 to a7, ra. */
	.macro robot
	sd	zero, RV_CAUSE(s0)
	ld	t0, RV_OP(s0)
	ld	t1, RV_ARGS(s0)
	li	t2, RV_LOAD
	bne	t0, t2, 1f
	ld	t3, 0(t1)
	sd	t3, RV_VALUE(s0)
1:	li	t2, RV_STORE
	bne	t0, t2, 1f
	ld	t3, RV_ARGS + 8(s0)
	sd	t3, 0(t1)
1:	li	t2, RV_JUMP
	bne	t0, t2, 1f
	jalr	t1
	li	t3, 1
	sd	t3, RV_VALUE(s0)
1:	li	t2, RV_ECALL
	bne	t0, t2, 1f
	mv	a7, t1
	ld	a0, RV_ARGS + 8(s0)
	ld	a1, RV_ARGS + 16(s0)
	ld	a2, RV_ARGS + 24(s0)
	ld	a3, RV_ARGS + 32(s0)
	ld	a4, RV_ARGS + 40(s0)
	ld	a5, RV_ARGS + 48(s0)
	ecall
	sd	a0, RV_VALUE(s0)
	sd	a1, RV_MORE(s0)
1:	li	t2, RV_SATP
	bne	t0, t2, 1f
	csrw	satp, t1
	sfence.vma
1:	li	t2, RV_MCSR
	bne	t0, t2, 1f
	csrr	t3, mstatus
1:	li	t2, RV_KEEP
	bne	t0, t2, 1f
	mv	s3, t1
	csrw	sscratch, t1
	fmv.d.x	ft0, t1
1:	li	t2, RV_SHOW
	bne	t0, t2, 1f
	sd	s3, RV_VALUE(s0)
	fmv.x.d	t3, ft0
	sd	t3, RV_MORE(s0)
	csrr	t3, sscratch
	sd	t3, RV_THIRD(s0)
1:	li	t2, RV_SEED
	bne	t0, t2, 1f
	csrrw	t3, 0x015, zero
1:	li	t2, RV_SPIN
	bne	t0, t2, 1f
	mv	s3, t1
2:	addi	s3, s3, 1
	sd	s3, RV_VALUE(s0)
	j	2b
1:	li	t2, RV_CYCLE
	bne	t0, t2, 1f
	rdcycle	t3
1:
	.endm

	.macro robot_trap
	csrr	t0, scause
	sd	t0, RV_CAUSE(s0)
	csrw	sepc, s1
	sret
	.endm

	.option arch, +d
	.section .head, "ax"
	.globl shim_entry
shim_entry:
	la	s0, command
	la	s1, system_done
	la	t0, system_trap
	csrw	stvec, t0
	li	t0, 3 << 13
	csrs	sstatus, t0
system_wait:
	ld	s2, RV_ASKED(s0)
	ld	t0, RV_DONE(s0)
	beq	s2, t0, system_wait
	fence
	robot
system_done:
	fence
	sd	s2, RV_DONE(s0)
	j	system_wait
	.balign	4
system_trap:
	robot_trap
/* What RV_JUMP finds where it may go. */
	.balign	64
	ret

	.balign	4096
command:
	.skip	4096

/*
 * The enclave's page: entered with its memory in a0 and its window in a2.  It
 * turns its page tables off, so that it can try any physical address.
 */
	.balign	4096
enclave:
	mv	s0, a2
	mv	s4, a0
	la	t0, 1f
	li	t1, SANCTUM_EV_BASE
	sub	t0, t0, t1
	add	t0, t0, a0
	csrw	stvec, t0
	csrw	satp, zero
	sfence.vma
	.balign	4
1:	la	s1, enclave_done
	la	t0, enclave_trap
	csrw	stvec, t0
	li	t0, 3 << 13
	csrs	sstatus, t0
enclave_done:
	li	a7, SANCTUM_LEAVE
	li	a0, 1
	ecall
	robot
	j	enclave_done
	.balign	4
enclave_trap:
	robot_trap
	.balign	4096
	.skip	4096
