/* SPDX-License-Identifier: Apache-2.0 */
/* What C cannot say: the image's head, its TCS, and the ways into the enclave
 * and out of it. */
#include "abi/enclave.h"
#include "shim/sgx/state.h"

#define EEXIT	 4
#define EDECCSSA 9

	/* struct sgx_gprs */
#define SGX_GPRS_RIP	136
#define SGX_GPRS_FSBASE 168
#define SGX_GPRS_GSBASE 176

	/* Where to go back to, and with which stack; at which depth. */
	.macro KEEP_HOST
	mov %rcx, return_to(%rip)
	mov %rsp, host_rsp(%rip)
	mov %rbp, host_rbp(%rip)
	mov %eax, enclave_depth(%rip)
	movl $STATE_BUSY, enclave_state(%rip)
	.endm

	/* Nothing of exec's goes out, nothing of the host's comes in: all
	 * state of vectors is as after a reset.  Clobbers rax, rdx. */
	.macro CLEAN_VECTORS
	mov $-1, %eax
	mov $-1, %edx
	xrstor64 clean(%rip)
	.endm

	/* struct enclave_head; offsets come from the link, the rest of it is the loader's to fill in. */
	.section .head, "a"
	.long ENCLAVE_MAGIC, ENCLAVE_VERSION, image_bytes, text_bytes
	.long rodata_bytes, tcs_at, guard_main_at, guard_handler_at
	.skip 0xc0 - 0x20
	.balign 64

	.section .pages, "aw"
	.balign 4096
	.globl enclave_tcs, enclave_ssa, guard_main, guard_handler
enclave_tcs:			/* struct sgx_tcs */
	.quad 0, 0, ssa_at
	.long 0, ENCLAVE_SSA_FRAMES
	.quad entry_at, 0, 0, 0
	.long 0xfff, 0xfff
	.balign 4096
enclave_ssa:
	.skip ENCLAVE_SSA_FRAMES * 4096
guard_main:
	.skip 4096
	.skip 3 * 4096
stack_main:
guard_handler:
	.skip 4096
	.skip 3 * 4096
stack_handler:

	/*
	 * EENTER.  In: rax CSSA, rcx where to leave to; all else, flags too,
	 * is garbage of the host's until it is looked at.  Only an entry at
	 * the depth and at the time that the state allows touches anything;
	 * every other leaves at once.
	 */
	.section .entry, "ax"
	.globl shim_entry
shim_entry:
	cld
	lfence
	cmpl $STATE_WAITING, enclave_state(%rip)
	je 3f
	cmpl $STATE_NEW, enclave_state(%rip)
	je 2f
	cmpl $STATE_USER, enclave_state(%rip)
	jne nothing

	/* An exception of exec's, or an interrupt that the host made one. */
	cmp $1, %rax
	jne nothing
	lfence
	KEEP_HOST
	lea stack_handler(%rip), %rsp
	push $2
	popfq
	xor %ebp, %ebp
	call shim_exception
	movl $STATE_USER, enclave_state(%rip)
	test %al, %al
	jne 4f
	mov $LEAVE_RESUME, %edi
	xor %esi, %esi
	xor %edx, %edx
	xor %r8d, %r8d
	jmp leave

2:	/* The first entry. */
	test %rax, %rax
	jne nothing
	lfence
	KEEP_HOST
	lea stack_main(%rip), %rsp
	push $2
	popfq
	xor %ebp, %ebp
	call shim_start
	ud2

3:	/* The host has answered; at the depth at which it was asked. */
	cmp enclave_depth(%rip), %eax
	jne nothing
	lfence
	KEEP_HOST
	mov saved_rsp(%rip), %rsp
	push $2
	popfq
	CLEAN_VECTORS
	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	add $8, %rsp
	pop %rax
	wrgsbase %rax
	pop %rax
	wrfsbase %rax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	/*
	 * Back to exec without the host: its vectors out of the frame, the
	 * depth down by one, its registers out of a copy, since the frame may
	 * be overwritten from here on.  Who enters now finds no exception and
	 * leaves the copy alone.  No register is free for where to go, so that
	 * jump alone is one through memory (docs/adr/0019).
	 */
4:	mov $-1, %eax
	mov $-1, %edx
	xrstor64 enclave_ssa(%rip)
	mov $EDECCSSA, %eax
	enclu
	mov enclave_frame + SGX_GPRS_FSBASE(%rip), %rax
	wrfsbase %rax
	mov enclave_frame + SGX_GPRS_GSBASE(%rip), %rax
	wrgsbase %rax
	lea enclave_frame(%rip), %rsp	/* struct sgx_gprs */
	pop %rax
	pop %rcx
	pop %rdx
	pop %rbx
	pop enclave_rsp(%rip)
	pop %rbp
	pop %rsi
	pop %rdi
	pop %r8
	pop %r9
	pop %r10
	pop %r11
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	popfq
	mov enclave_rsp(%rip), %rsp
	jmp *enclave_frame + SGX_GPRS_RIP(%rip)

	/* Nothing is done, nothing told; the host's stack stays its own. */
nothing:
	mov %rcx, %rbx
	mov $LEAVE_NOTHING, %edi
	xor %esi, %esi
	xor %edx, %edx
	xor %r8d, %r8d

	/* In: rbx where to, rdi rsi rdx r8 what to say, rsp and rbp the
	 * host's.  The rest holds nothing. */
out:
	xor %ecx, %ecx
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	mov $EEXIT, %eax
	enclu
	ud2

	.text
	/* void enclave_leave(uint64_t why, uint64_t a, uint64_t b, ...): rdi
	 * rsi rdx, and r8 from the fourth; returns at the next entry. */
	.globl enclave_leave
enclave_leave:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	rdfsbase %rax		/* exec's, at depth 0 */
	push %rax
	rdgsbase %rax
	push %rax
	sub $8, %rsp
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	mov %rsp, saved_rsp(%rip)
	mov %rcx, %r8
	mov %rdx, %r9
	CLEAN_VECTORS
	mov %r9, %rdx
	movl $STATE_WAITING, enclave_state(%rip)
leave:
	mov return_to(%rip), %rbx
	push $2
	popfq
	mov host_rsp(%rip), %rsp
	mov host_rbp(%rip), %rbp
	jmp out

	/*
	 * int64_t enclave_call(uint64_t number, const uint64_t args[6]): what
	 * exec may call instead of SYSCALL, at depth 0 and on its own stack.
	 * The shim's is used: exec's may have pages that are not there.  Who
	 * enters meanwhile finds it busy.
	 */
	.globl enclave_call
enclave_call:
	movl $STATE_BUSY, enclave_state(%rip)
	movl $0, enclave_depth(%rip)
	mov %rsp, call_rsp(%rip)
	lea stack_main(%rip), %rsp
	call shim_call
	mov call_rsp(%rip), %rsp
	movl $STATE_USER, enclave_state(%rip)
	ret

	/* NORETURN void enclave_user(uint64_t rip, uint64_t rsp): nothing of
	 * the shim or the host is left in a register; exec's own begin is in
	 * rax. */
	.globl enclave_user
enclave_user:
	push %rsi
	CLEAN_VECTORS
	movl $STATE_USER, enclave_state(%rip)
	pop %rsp
	push $2
	popfq
	mov %rdi, %rax
	xor %ebx, %ebx
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %edi, %edi
	xor %ebp, %ebp
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	jmp *%rax

	.section .rodata, "a"
	.balign 64
	/* An area of XSAVE's that says: all as after a reset. */
clean:	.quad 0x37f, 0, 0
	.long 0x1f80, 0
	.skip 512 - 32
	.skip 64

	.bss
	.balign 8
	.globl enclave_state, enclave_depth, enclave_frame
enclave_frame:
	.skip 184
enclave_rsp:
	.quad 0
return_to:
	.quad 0
host_rsp:
	.quad 0
host_rbp:
	.quad 0
saved_rsp:
	.quad 0
call_rsp:
	.quad 0
enclave_state:
	.long 0
enclave_depth:
	.long 0

	.section .note.GNU-stack, "", @progbits
