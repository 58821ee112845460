/* SPDX-License-Identifier: Apache-2.0 */
/* From the reset vector to C; VMRUN; interrupts. */
#include "abi/monitor.h"

#define CODE_64	     0x18
#define DATA	     0x10
#define TABLE_4	     0x1000	/* level 4 and 3 of the monitor's own tables */
#define TABLE_3	     0x2000
#define RESET	     0xfffffe00
#define IMAGE	     0xfffe0000

	/* The last 512 bytes below 4 GiB, also the last of the first MiB. */
	.section .reset, "ax"
	.code16
reset:
	cli
	cld
	mov $0xf000, %ax
	mov %ax, %ds
	lgdtl reset_gdtr - reset + 0xfe00
	mov $0x11, %eax			/* PE, ET */
	mov %eax, %cr0
	ljmpl $8, $RESET + (reset_32 - reset)
	.code32
reset_32:
	mov $DATA, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $IMAGE, %esi
	mov $MONITOR_CODE_HPA, %edi
	mov $(RESET - IMAGE) / 4, %ecx
	rep movsl
	/* 512 GiB as they are, in pages of 1 GiB. */
	xor %eax, %eax
	mov $TABLE_4, %edi
	mov $0x400, %ecx
	rep stosl
	movl $TABLE_3 + 7, TABLE_4
	mov $TABLE_3, %edi
	mov $0x87, %eax
	xor %edx, %edx
1:	mov %eax, (%edi)
	mov %edx, 4(%edi)
	add $8, %edi
	add $0x40000000, %eax
	adc $0, %edx
	cmp $TABLE_3 + 0x1000, %edi
	jne 1b
	mov $TABLE_4, %eax
	mov %eax, %cr3
	mov $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	rdmsr
	or $0x1900, %eax		/* LME, NXE, SVME */
	wrmsr
	mov $0x80000011, %eax
	mov %eax, %cr0
	ljmp $CODE_64, $MONITOR_CODE_HPA
	.balign 8
reset_gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
reset_gdtr:
	.word 31
	.long RESET + (reset_gdt - reset)
	.org 0x1f0
	.code16
	ljmp $0xf000, $0xfe00
	.org 0x200

	.code64
	.section .text.start, "ax"
	.globl monitor_start
monitor_start:
	mov $DATA, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $MONITOR_STACK_HPA, %esp
	lgdt gdtr
	mov $monitor_bss, %edi
	mov $monitor_bss_end, %ecx
	sub %edi, %ecx
	xor %eax, %eax
	rep stosb
	clgi
	call monitor_main
1:	hlt
	jmp 1b

	.text
	/* void cpu_vmrun(struct svm_vmcb *vmcb, uint64_t general[16]): runs the
	 * guest with its general registers (in the instructions' order; rax
	 * and rsp are in the VMCB) until it exits. */
	.globl cpu_vmrun
cpu_vmrun:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	push %rsi
	mov %rdi, %rax
	mov 0x08(%rsi), %rcx
	mov 0x10(%rsi), %rdx
	mov 0x18(%rsi), %rbx
	mov 0x28(%rsi), %rbp
	mov 0x38(%rsi), %rdi
	mov 0x40(%rsi), %r8
	mov 0x48(%rsi), %r9
	mov 0x50(%rsi), %r10
	mov 0x58(%rsi), %r11
	mov 0x60(%rsi), %r12
	mov 0x68(%rsi), %r13
	mov 0x70(%rsi), %r14
	mov 0x78(%rsi), %r15
	mov 0x30(%rsi), %rsi
	sti			/* still held back: GIF is 0 */
	vmrun
	cli
	push %rsi
	mov 8(%rsp), %rsi
	mov %rcx, 0x08(%rsi)
	mov %rdx, 0x10(%rsi)
	mov %rbx, 0x18(%rsi)
	mov %rbp, 0x28(%rsi)
	mov %rdi, 0x38(%rsi)
	mov %r8, 0x40(%rsi)
	mov %r9, 0x48(%rsi)
	mov %r10, 0x50(%rsi)
	mov %r11, 0x58(%rsi)
	mov %r12, 0x60(%rsi)
	mov %r13, 0x68(%rsi)
	mov %r14, 0x70(%rsi)
	mov %r15, 0x78(%rsi)
	pop 0x30(%rsi)
	pop %rsi
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	/* void cpu_take_interrupt(void): one that waits. */
	.globl cpu_take_interrupt
cpu_take_interrupt:
	sti
	stgi
	nop
	nop
	clgi
	cli
	ret

	/* void cpu_sleep(void): until there is an interrupt. */
	.globl cpu_sleep
cpu_sleep:
	stgi
	sti
	hlt
	cli
	clgi
	ret

	/* The bell: end of interrupt, nothing else. */
	.globl monitor_on_bell
monitor_on_bell:
	push %rax
	mov $0xfee000b0, %eax
	movl $0, (%rax)
	pop %rax
	iretq

	/* An exception of the monitor's own: a bug. */
	.globl monitor_on_fault
monitor_on_fault:
	mov %rsp, %rdi
	and $-16, %rsp
	call monitor_fault
1:	hlt
	jmp 1b

	.data
	.balign 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdtr:	.word 31
	.quad gdt

	.section .note.GNU-stack, "", @progbits
