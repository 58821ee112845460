/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/paging.h"

/* RISC-V privileged architecture, §4.3.1. */
#define PTE_V	   0x001ull
#define PTE_R	   0x002ull
#define PTE_W	   0x004ull
#define PTE_X	   0x008ull
#define PTE_U	   0x010ull
#define PTE_A	   0x040ull
#define PTE_D	   0x080ull
#define PTE_OURS_1 0x100ull /* for whoever writes the tables */
#define PTE_OURS_2 0x200ull

/* Sv39 (§4.4); exec has its lower half. */
const struct paging_format paging_format = {
	.shift = 2,
	.address = 0x003ffffffffffc00,
	.top = 30,
	.user_end = 1ull << 38,
	.link = PTE_V,
	.exec_link = PTE_V,
	.page = PTE_A | PTE_D,
	.exec = PTE_U,
	.read = PTE_V | PTE_R,
	.write = PTE_W,
	.execute = PTE_X,
	.file = PTE_OURS_2,
	.window = PTE_OURS_1,
};

uint64_t paging_word(uint64_t bits)
{
	return bits;
}
