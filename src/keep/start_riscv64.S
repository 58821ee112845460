/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel or shim enters exec.  In: sp, with the System V ABI's words;
 * a0, what to call at the end.  Both reach the C library's start as they were;
 * clobbered: the rest.
 */
	.text
	.globl	keep_start
	.hidden	keep_start
	.type	keep_start, @function
keep_start:
	.option	push
	.option	norelax
	lla	gp, __global_pointer$
	.option	pop
	mv	s0, a0
	mv	s1, sp
	lla	a0, __ehdr_start
	lla	a1, _DYNAMIC
	andi	sp, sp, -16
	call	keep_start_relocate
	mv	a0, s0
	mv	sp, s1
	tail	_start
	.size	keep_start, . - keep_start
	.hidden	__ehdr_start
	.hidden	_DYNAMIC
/* Nothing of this library chooses. */
	.globl	__rela_iplt_start, __rela_iplt_end
	.hidden	__rela_iplt_start
	.hidden	__rela_iplt_end
	.data
__rela_iplt_start:
__rela_iplt_end:
	.section .note.GNU-stack, "", @progbits
