/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel or shim enters exec.  In: r1, with the System V ABI's words,
 * which reach the C library's start as they were; clobbered: the rest.  r2
 * becomes the table of contents, from where this code lies (ELFv2 ABI §2.3).
 */
	.abiversion 2
	.text
	.globl	keep_start
	.hidden	keep_start
	.type	keep_start, @function
keep_start:
	bcl	20, 31, 1f
1:	mflr	30
	addis	2, 30, .TOC. - 1b@ha
	addi	2, 2, .TOC. - 1b@l
	mr	31, 1
	clrrdi	1, 1, 4
	li	0, 0
	stdu	0, -32(1)
	addis	3, 2, __ehdr_start@toc@ha
	addi	3, 3, __ehdr_start@toc@l
	addis	4, 2, _DYNAMIC@toc@ha
	addi	4, 4, _DYNAMIC@toc@l
	bl	keep_start_relocate
	nop
	mr	1, 31
	addis	12, 2, _start@toc@ha
	addi	12, 12, _start@toc@l
	mtctr	12
	bctr
	.size	keep_start, . - keep_start
	.hidden	__ehdr_start
	.hidden	_DYNAMIC
/* Functions that choose themselves, 24 bytes for each. */
	.globl	__rela_iplt_start, __rela_iplt_end
	.hidden	__rela_iplt_start
	.hidden	__rela_iplt_end
	.section .data.rel.ro, "aw"
	.balign	8
__rela_iplt_start:
	.skip	24 * 48
__rela_iplt_end:
	.section .note.GNU-stack, "", @progbits
