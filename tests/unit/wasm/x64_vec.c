/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions against the bytes that GNU as makes of them. */
#include "wasm/jit/vec_priv.h"

#include "helpers/asm.h"

#define OP(name) jit_vecs[V_##name].op

TEST(the_old_encoding_moves_the_first_source_to_the_result)
{
	restart();
	x64_v3(&a, false, OP(PADDD), 0, 1, 1, 2); /* paddd xmm1, xmm2 */
	IS(0x66, 0x0f, 0xfe, 0xca);
	x64_v3(&a, false, OP(PADDD), 0, 9, 3, 10);
	IS(0x44, 0x0f, 0x28, 0xcb, 0x66, 0x45, 0x0f, 0xfe, 0xca);
	x64_v3(&a, false, OP(PSHUFB), 0, 1, 1, 9);
	IS(0x66, 0x41, 0x0f, 0x38, 0x00, 0xc9);
	x64_v3m(&a, false, OP(PSHUFB), 0, 9, 9, x64_at(RSP, 16));
	IS(0x66, 0x44, 0x0f, 0x38, 0x00, 0x4c, 0x24, 0x10);
	x64_v3(&a, false, OP(PALIGNR), 0, 3, 3, 4);
	x64_u8(&a, 5);
	IS(0x66, 0x0f, 0x3a, 0x0f, 0xdc, 0x05);
	x64_v3(&a, false, OP(PINSRD), X64_W, 2, 2, R10);
	x64_u8(&a, 1); /* pinsrq xmm2, r10, 1 */
	IS(0x66, 0x49, 0x0f, 0x3a, 0x22, 0xd2, 0x01);
	x64_v2(&a, false, OP(PEXTRB), 0, 9, RDX);
	x64_u8(&a, 3);
	IS(0x66, 0x44, 0x0f, 0x3a, 0x14, 0xca, 0x03);
	x64_v2(&a, false, OP(PEXTRD), X64_W, 1, R9);
	x64_u8(&a, 1); /* pextrq r9, xmm1, 1 */
	IS(0x66, 0x49, 0x0f, 0x3a, 0x16, 0xc9, 0x01);
	x64_v2(&a, false, OP(PMOVMSKB), 0, R9, 3);
	IS(0x66, 0x44, 0x0f, 0xd7, 0xcb);
	x64_v2(&a, false, OP(ROUNDPS), 0, 8, 1);
	x64_u8(&a, 9);
	IS(0x66, 0x44, 0x0f, 0x3a, 0x08, 0xc1, 0x09);
}

TEST(the_encoding_with_three_operands_takes_two_bytes_where_it_can)
{
	restart();
	x64_v3(&a, true, OP(PADDD), 0, 1, 2, 3); /* vpaddd xmm1, xmm2, xmm3 */
	IS(0xc5, 0xe9, 0xfe, 0xcb);
	x64_v3(&a, true, OP(PADDD), 0, 9, 10, 11);
	IS(0xc4, 0x41, 0x29, 0xfe, 0xcb);
	x64_v3(&a, true, OP(PSHUFB), 0, 1, 9, 2);
	IS(0xc4, 0xe2, 0x31, 0x00, 0xca);
	x64_v3m(&a, true, OP(PSHUFB), 0, 9, 1, x64_sum(R14, RAX, 0, 64));
	IS(0xc4, 0x42, 0x71, 0x00, 0x4c, 0x06, 0x40);
	x64_v3(&a, true, OP(PINSRD), X64_W, 2, 3, R10);
	x64_u8(&a, 1); /* vpinsrq xmm2, xmm3, r10, 1 */
	IS(0xc4, 0xc3, 0xe1, 0x22, 0xd2, 0x01);
	x64_v2(&a, true, OP(PEXTRD), X64_W, 1, R9);
	x64_u8(&a, 1); /* vpextrq r9, xmm1, 1 */
	IS(0xc4, 0xc3, 0xf9, 0x16, 0xc9, 0x01);
	x64_v3(&a, true, OP(CMPPS), 0, 1, 2, 3);
	x64_u8(&a, 1); /* vcmpltps xmm1, xmm2, xmm3 */
	IS(0xc5, 0xe8, 0xc2, 0xcb, 0x01);
	x64_v2m(&a, true, OP(CVTDQ2PS), 0, 9, x64_at(RSP, 8));
	IS(0xc5, 0x78, 0x5b, 0x4c, 0x24, 0x08);
	x64_v2(&a, true, OP(MOVD), 0, 1, R9); /* vmovd xmm1, r9d */
	IS(0xc4, 0xc1, 0x79, 0x6e, 0xc9);
	x64_v2(&a, true, OP(MOVD), X64_W, 9, RAX); /* vmovq xmm9, rax */
	IS(0xc4, 0x61, 0xf9, 0x6e, 0xc8);
	x64_v2(&a, true, OP(PTEST), 0, 9, 9);
	IS(0xc4, 0x42, 0x79, 0x17, 0xc9);
}

TEST(shifts_by_constants_are_a_group_of_their_own)
{
	restart();
	x64_vshift(&a, false, OP(PSLLW), 5, 5, 3);
	IS(0x66, 0x0f, 0x71, 0xf5, 0x03);
	x64_vshift(&a, false, OP(PSRAW), 9, 9, 7);
	IS(0x66, 0x41, 0x0f, 0x71, 0xe1, 0x07);
	x64_vshift(&a, false, OP(PSRLQ), 2, 2, 63);
	IS(0x66, 0x0f, 0x73, 0xd2, 0x3f);
	x64_vshift(&a, false, OP(PSLLD), 2, 3, 1); /* movaps; pslld */
	IS(0x0f, 0x28, 0xd3, 0x66, 0x0f, 0x72, 0xf2, 0x01);
	x64_vshift(&a, true, OP(PSLLW), 5, 6, 3);
	IS(0xc5, 0xd1, 0x71, 0xf6, 0x03);
	x64_vshift(&a, true, OP(PSRAW), 9, 10, 7);
	IS(0xc4, 0xc1, 0x31, 0x71, 0xe2, 0x07);
	x64_vshift(&a, true, OP(PSRLQ), 2, 9, 63);
	IS(0xc4, 0xc1, 0x69, 0x73, 0xd1, 0x3f);
}

TEST(a_constant_near_the_code_is_found_by_its_distance)
{
	const struct x64_mem behind = { NO_REG, NO_REG, 0, 0 };
	restart();
	/* paddd xmm1, [rip]; vpaddd xmm9, xmm2, [rip] */
	CHECK_INT(x64_v3m(&a, false, OP(PADDD), 0, 1, 1, behind), 4);
	IS(0x66, 0x0f, 0xfe, 0x0d, 0, 0, 0, 0);
	CHECK_INT(x64_v3m(&a, true, OP(PADDD), 0, 9, 2, behind), 4);
	IS(0xc5, 0x69, 0xfe, 0x0d, 0, 0, 0, 0);
}
