/* SPDX-License-Identifier: Apache-2.0 */
/* What C cannot say: the image's head, the first tables, and the ways into
 * the shim and out of it. */
#include "abi/vm.h"

/* Selectors: gdt in traps.c. */
#define USER_DATA 0x1b
#define USER_CODE 0x23

	/* struct vm_image_head; shim_tee and the offsets come from the link. */
	.section .head, "a"
	.long VM_IMAGE_MAGIC, VM_IMAGE_VERSION, shim_tee, image_bytes
	.quad shim_entry
	.long boot_4 - VM_SHIM_VA, boot_3 - VM_SHIM_VA, boot_2 - VM_SHIM_VA
	.long shim_secrets, shim_cpuid, 0, 0, 0, shim_reset, 0
	.balign 64

	/* The tables to start with: the image's first 2 MiB, all rights.
	 * tables.c replaces them before exec is looked at; from then on they
	 * are pages without rights, one below each stack. */
	.section .stacks, "aw"
	.balign 4096
	.globl boot_4, boot_3, boot_2, stack_main, stack_fault, stack_vc
boot_4:	.fill 511, 8, 0
	.quad boot_3 - VM_SHIM_VA + VM_RAM_GPA + 0x3
	.skip 4 * 4096
stack_main:
boot_3:	.fill 510, 8, 0
	.quad boot_2 - VM_SHIM_VA + VM_RAM_GPA + 0x3, 0
	.skip 2 * 4096
stack_fault:
boot_2:	.quad VM_RAM_GPA + 0x83
	.fill 511, 8, 0
	.skip 2 * 4096
stack_vc:

	.section .bss
	.balign 4
entered:
	.skip 4

	/* In: the state of docs/shim.md; all general registers 0.  Once: who
	 * starts here again, another processor or this one put back, stands
	 * still, with nobody's stack. */
	.section .entry, "ax"
	.globl shim_entry
shim_entry:
	lock btsl $0, entered(%rip)
	jc stand_still
	lea stack_main(%rip), %rsp
	xor %ebp, %ebp
	call shim_start
	ud2
stand_still:
	cli
	hlt
	jmp stand_still

	/* SYSCALL.  In: rax the number, rdi rsi rdx r10 r8 r9 its arguments,
	 * rcx and r11 exec's rip and rflags; on exec's stack.  Out: rax; rcx
	 * and r11 clobbered, as Linux does.  Interrupts are off. */
	.globl shim_syscall_entry
shim_syscall_entry:
	mov %rsp, user_rsp(%rip)
	lea stack_main(%rip), %rsp
	push user_rsp(%rip)
	push %rcx
	push %r11
	push %rax
	push %r9
	push %r8
	push %r10
	push %rdx
	push %rsi
	push %rdi
	mov %rax, %rdi
	mov %rsp, %rsi
	call shim_syscall
	pop %rdi
	pop %rsi
	pop %rdx
	pop %r10
	pop %r8
	pop %r9
	add $8, %rsp
	pop %r11
	pop %rcx
	pop %rsp
	sysretq

	/* NORETURN void shim_enter_user(uint64_t rip, uint64_t rsp): nothing
	 * of the shim is left in a register. */
	.globl shim_enter_user
shim_enter_user:
	push $USER_DATA
	push %rsi
	push $2			/* rflags: no interrupts, no I/O */
	push $USER_CODE
	push %rdi
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
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
	iretq

	/* One stub of 16 bytes for each exception, and the last for all
	 * interrupts; the processor pushes an error code for some of them, the
	 * stub for the others. */
	.balign 16
	.globl shim_vectors
shim_vectors:
	.set vector, 0
	.rept 33
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
		vector == 21 || vector == 29 || vector == 30)
	push $0
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

	/* Builds struct trap (traps.h). */
trap_common:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	pushfq
	andl $~0x40000, (%rsp)	/* AC: SMAP holds for the shim */
	popfq
	mov %rsp, %rdi
	call shim_trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq

	.bss
	.balign 8
user_rsp:
	.quad 0
