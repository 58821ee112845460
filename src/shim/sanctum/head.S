/* SPDX-License-Identifier: Apache-2.0 */
/* The image's head: struct sanctum_shim_head (abi/sanctum.h). */
#include "abi/sanctum.h"

	.section .head, "a"
	.globl shim_head
shim_head:
	.long SANCTUM_SHIM_MAGIC, SANCTUM_SHIM_VERSION, image_bytes
	.long image_text_bytes, image_rodata_bytes, image_stack_at
	.quad shim_entry
	.long 0, 0
	.balign 64
