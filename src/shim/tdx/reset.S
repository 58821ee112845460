/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page at VM_RESET_GPA, where a trust domain's processor starts: flat
 * 32-bit code without paging (spec/tdx.h, TDX_RESET_...).  It leads to
 * shim_entry in long mode, on the image's first tables.
 */
#include "abi/vm.h"

#define CODE	 0x08
#define DATA	 0x10
#define HERE(at) (VM_RESET_GPA + at - reset_page)
#define RAM(at)	 (at - VM_SHIM_VA + VM_RAM_GPA)
/* Present, writable; a page of 2 MiB, too. */
#define TABLE	 0x3
#define LARGE	 0x83

	.section .reset, "a"
	.balign 4096
	.globl reset_page
	.code32
reset_page:
	cli
	cld
	/* In: esi the processor's number.  There is one. */
	test %esi, %esi
	jnz stand_still
	/* This page, as it is, by the last 2 MiB below 4 GiB; who replaces
	 * these tables (tables.c) leaves it out. */
	movl $RAM(boot_3) + TABLE, RAM(boot_4)
	movl $RAM(boot_2) + TABLE, RAM(boot_3) + 3 * 8
	movl $(VM_RESET_GPA & ~0x1fffff) + LARGE, RAM(boot_2) + 511 * 8
	mov $RAM(boot_4), %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax			/* PAE; MCE stays */
	mov %eax, %cr4
	mov $0x80010033, %eax		/* PE MP ET NE WP PG */
	mov %eax, %cr0
	lgdtl HERE(gdtr)
	ljmp $CODE, $HERE(long_mode)
	.code64
long_mode:
	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	xor %ebx, %ebx
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %edi, %edi
	xor %ebp, %ebp
	xor %r8d, %r8d
	jmp *entry(%rip)
	.code32
stand_still:
	hlt
	jmp stand_still

	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:	.word 3 * 8 - 1
	.long HERE(gdt)
	.balign 8
entry:	.quad shim_entry

	.org 0xff0
	jmp reset_page
	.org 0x1000
