/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions against the bytes that GNU as makes of them. */
#include "helpers/asm.h"

TEST(registers_above_the_seventh_have_their_prefix)
{
	restart();
	x64_rr(&a, X_ADD, 0, RCX, RDX); /* add ecx, edx */
	IS(0x03, 0xca);
	x64_rr(&a, X_ADD, X64_W, RCX, R10); /* add rcx, r10 */
	IS(0x49, 0x03, 0xca);
	x64_rr(&a, X_MOVSXD, X64_W, RAX, RSI); /* movsxd rax, esi */
	IS(0x48, 0x63, 0xc6);
	x64_rr(&a, X_MOVZX8, X64_BYTE, RAX, RSI); /* movzx eax, sil */
	IS(0x40, 0x0f, 0xb6, 0xc6);
	x64_rr(&a, X_MOVSX8, X64_W, R15, R14); /* movsx r15, r14b */
	IS(0x4d, 0x0f, 0xbe, 0xfe);
	x64_rr(&a, X_LZCNT, X64_W, R8, R9); /* lzcnt r8, r9 */
	IS(0xf3, 0x4d, 0x0f, 0xbd, 0xc1);
	x64_rr(&a, X_MOVD_TO, X64_W, 3, RAX); /* movq xmm3, rax */
	IS(0x66, 0x48, 0x0f, 0x6e, 0xd8);
	x64_rr(&a, X_MOVD_FROM, 0, 12, RCX); /* movd ecx, xmm12 */
	IS(0x66, 0x44, 0x0f, 0x7e, 0xe1);
	x64_rr(&a, X_GROUP5, 0, 2, RAX); /* call rax */
	IS(0xff, 0xd0);
}

TEST(what_does_nothing_takes_as_many_bytes_as_wanted)
{
	restart();
	x64_nops(&a, 0);
	CHECK_INT(a.len, 0);
	x64_nops(&a, 3); /* nopl (%rax) */
	IS(0x0f, 0x1f, 0x00);
	x64_nops(&a, 11); /* nopw 0(%rax,%rax,1); xchg %ax,%ax */
	IS(0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0x66, 0x90);
}

TEST(memory_operands_have_the_shortest_form_that_is_one)
{
	restart();
	/* lea eax, [rcx * 4 + 0xe50] */
	x64_rm(&a, X_LEA, 0, RAX, x64_sum(NO_REG, RCX, 2, 0xe50));
	IS(0x8d, 0x04, 0x8d, 0x50, 0x0e, 0, 0);
	/* lea r9, [r12 * 2] */
	x64_rm(&a, X_LEA, X64_W, R9, x64_sum(NO_REG, R12, 1, 0));
	IS(0x4e, 0x8d, 0x0c, 0x65, 0, 0, 0, 0);
	x64_rm(&a, X_MOV, 0, R8, x64_at(RSP, 0)); /* mov r8d, [rsp] */
	IS(0x44, 0x8b, 0x04, 0x24);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RSP, 8));
	IS(0x48, 0x8b, 0x44, 0x24, 0x08);
	/* rbp and r13 always want a displacement, r12 a second byte. */
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RBP, 0));
	IS(0x48, 0x8b, 0x45, 0x00);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(R13, 0));
	IS(0x49, 0x8b, 0x45, 0x00);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(R12, 0));
	IS(0x49, 0x8b, 0x04, 0x24);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RBX, 0x7f));
	IS(0x48, 0x8b, 0x43, 0x7f);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RBX, 0x80));
	IS(0x48, 0x8b, 0x83, 0x80, 0, 0, 0);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RBX, -0x80));
	IS(0x48, 0x8b, 0x43, 0x80);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RBX, -0x81));
	IS(0x48, 0x8b, 0x83, 0x7f, 0xff, 0xff, 0xff);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_sum(RBX, R9, 3, 0));
	IS(0x4a, 0x8b, 0x04, 0xcb);
	x64_rm(&a, X_MOV, X64_W, RAX, x64_sum(R13, RBP, 1, 0x10));
	IS(0x49, 0x8b, 0x44, 0x6d, 0x10);
	x64_rm(&a, X_MOV8_STORE, X64_BYTE, RSI, x64_at(RDI, 0));
	IS(0x40, 0x88, 0x37); /* mov [rdi], sil */
	x64_rm(&a, X_MOV16_STORE, 0, RAX, x64_sum(RDI, RCX, 0, 0));
	IS(0x66, 0x89, 0x04, 0x0f);
	x64_rm(&a, X_GROUP5, 0, 4, x64_sum(R11, RCX, 3, 0));
	IS(0x41, 0xff, 0x24, 0xcb); /* jmp [r11 + rcx * 8] */
}

TEST(operands_near_the_code_tell_where_their_distance_is)
{
	restart();
	uint32_t at = x64_rm(&a, X_LEA, X64_W, R11,
		(struct x64_mem){ NO_REG, NO_REG, 0, 0 });
	CHECK_INT(at, 3);
	x64_ret(&a);
	x64_patch_here(&a, at);
	IS(0x4c, 0x8d, 0x1d, 1, 0, 0, 0, 0xc3);
	uint32_t back = x64_jcc(&a, CC_NE), on = x64_jmp(&a);
	x64_patch(&a, back, 0);
	x64_patch_here(&a, on);
	IS(0x0f, 0x85, 0xfa, 0xff, 0xff, 0xff, 0xe9, 0, 0, 0, 0);
}

TEST(vector_registers_and_three_operands)
{
	restart();
	x64_rm(&a, X_MOVSS, 0, 1, x64_at(RDI, 0));
	IS(0xf3, 0x0f, 0x10, 0x0f);
	x64_rr(&a, X_MOVSD, 0, 9, 10);
	IS(0xf2, 0x45, 0x0f, 0x10, 0xca);
	x64_rm(&a, X_MOVUPS_STORE, 0, 15, x64_at(R8, 0));
	IS(0x45, 0x0f, 0x11, 0x38);
	x64_rr(&a, X_CVTSD2SS, 0, 0, 1);
	IS(0xf2, 0x0f, 0x5a, 0xc1);
	x64_vrr(&a, X_SHLX, 0, RAX, RDX, RCX); /* shlx eax, ecx, edx */
	IS(0xc4, 0xe2, 0x69, 0xf7, 0xc1);
	x64_vrm(&a, X_SHRX, X64_W, R8, R9, x64_sum(RBX, R12, 2, 0));
	IS(0xc4, 0x22, 0xb3, 0xf7, 0x04, 0xa3);
	x64_vrr(&a, X_RORX, X64_W, R11, 0, R9); /* rorx r11, r9, 7 */
	x64_u8(&a, 7);
	IS(0xc4, 0x43, 0xfb, 0xf0, 0xd9, 7);
	x64_vrm(&a, X_RORX, 0, RAX, 0, x64_at(RSP, 16));
	x64_u8(&a, 25);
	IS(0xc4, 0xe3, 0x7b, 0xf0, 0x44, 0x24, 0x10, 25);
}

TEST(constants_take_the_fewest_bytes)
{
	restart();
	x64_mov_ri(&a, RAX, 1);
	IS(0xb8, 1, 0, 0, 0);
	x64_mov_ri(&a, R9, 1);
	IS(0x41, 0xb9, 1, 0, 0, 0);
	x64_mov_ri(&a, RAX, (uint64_t)-2);
	IS(0x48, 0xc7, 0xc0, 0xfe, 0xff, 0xff, 0xff);
	x64_mov_ri(&a, R10, 0x1122334455667788);
	IS(0x49, 0xba, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11);
	x64_alu_ri(&a, ALU_ADD, X64_W, RSP, 8);
	IS(0x48, 0x83, 0xc4, 0x08);
	x64_alu_ri(&a, ALU_SUB, X64_W, RSP, 0x1000);
	IS(0x48, 0x81, 0xec, 0, 0x10, 0, 0);
	x64_alu_mi(&a, ALU_CMP, X64_W, x64_at(R15, 0x10), 5);
	IS(0x49, 0x83, 0x7f, 0x10, 0x05);
	x64_shift_ri(&a, 4, X64_W, RDX, 5);
	IS(0x48, 0xc1, 0xe2, 0x05);
	x64_shift_ri(&a, 7, 0, R9, 31);
	IS(0x41, 0xc1, 0xf9, 0x1f);
}

TEST(a_full_buffer_is_noticed_and_never_passed)
{
	restart();
	a.cap = 32;
	for (int i = 0; i < 100; i++)
		x64_rm(&a, X_MOV, X64_W, RAX, x64_at(RBX, 0x12345678));
	CHECK(a.full);
	CHECK(a.len <= 32);
	for (size_t i = 32; i < sizeof buffer; i++)
		CHECK_INT(buffer[i], 0);
}
