/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/vm.h"

	.section .head, "a"
	.long VM_IMAGE_MAGIC, VM_IMAGE_VERSION, shim_tee, image_bytes
	.quad shim_entry
	.long boot_4 - VM_SHIM_VA, boot_3 - VM_SHIM_VA, boot_2 - VM_SHIM_VA
	.long 0, 0, 0, 0, 0, guest_reset, 0
	.balign 64

	.section .stacks, "aw"
	.balign 4096
	.globl boot_4, boot_3, boot_2, stack_top, stack_vc
boot_4:	.fill 511, 8, 0
	.quad boot_3 - VM_SHIM_VA + VM_RAM_GPA + 0x3
boot_3:	.fill 510, 8, 0
	.quad boot_2 - VM_SHIM_VA + VM_RAM_GPA + 0x3, 0
boot_2:	.quad VM_RAM_GPA + 0x83
	.fill 511, 8, 0
	.skip 2 * 4096
stack_top:
	.skip 4096
stack_vc:

	/* In: rdi what to do, rsi a number for it. */
	.section .entry, "ax"
	.globl shim_entry
shim_entry:
	lea stack_top(%rip), %rsp
	call guest_main
1:	hlt
	jmp 1b

	.balign 16
	.globl guest_vectors
guest_vectors:
	.set vector, 0
	.rept 32
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
		vector == 21 || vector == 29 || vector == 30)
	push $0
	.endif
	push $vector
	jmp caught
	.set vector, vector + 1
	.endr

	/* Notes vector and error code, goes on where the probe said. */
caught:
	push %rax
	mov 8(%rsp), %rax
	mov %rax, caught_vector(%rip)
	mov 16(%rsp), %rax
	mov %rax, caught_error(%rip)
	mov 24(%rsp), %rax
	mov %rax, caught_rip(%rip)
	mov 32(%rsp), %rax
	and $3, %eax
	jnz 1f
	mov fixup(%rip), %rax
	mov %rax, 24(%rsp)
	pop %rax
	add $16, %rsp
	iretq
	/* From ring 3: back to who went there. */
1:	mov user_return(%rip), %rsp
	mov fixup(%rip), %rax
	jmp *%rax

	/* void guest_to_user(uint64_t rip): returns by its first exception. */
	.globl guest_to_user
guest_to_user:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, user_return(%rip)
	lea 1f(%rip), %rax
	mov %rax, fixup(%rip)
	mov %rsp, %rax
	push $0x1b
	push %rax
	push $2
	push $0x23
	push %rdi
	iretq
1:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	/* What ring 3 tries. */
	.globl guest_user_tdcall
guest_user_tdcall:
	mov $1, %eax
	.byte 0x66, 0x0f, 0x01, 0xcc
1:	jmp 1b
	.globl guest_user_code
guest_user_code:
	mov $VM_RAM_GPA, %eax
	xor %ecx, %ecx
	mov $1, %edx
	.byte 0xf2, 0x0f, 0x01, 0xff
1:	jmp 1b

	.data
	.balign 8
	.globl fixup, caught_vector, caught_error, caught_rip
fixup:		.quad 0
caught_vector:	.quad 0
caught_error:	.quad 0
caught_rip:	.quad 0
user_return:	.quad 0
