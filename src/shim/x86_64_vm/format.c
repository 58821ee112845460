/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/paging.h"

/* AMD64 manual, volume 2, §5.4. */
#define PTE_PRESENT  0x001ull
#define PTE_WRITE    0x002ull
#define PTE_USER     0x004ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY    0x040ull
#define PTE_LARGE    0x080ull
#define PTE_OURS_1   0x200ull /* for whoever writes the tables */
#define PTE_OURS_2   0x400ull
#define PTE_NX	     (1ull << 63)

/* Four levels.  A technology's bit that tells private pages from shared ones is
 * one of the address. */
const struct paging_format paging_format = {
	.address = 0x000ffffffffff000,
	.top = 39,
	.user_end = 1ull << 47,
	.link = PTE_PRESENT | PTE_WRITE,
	.exec_link = PTE_PRESENT | PTE_WRITE | PTE_USER,
	.page = PTE_ACCESSED | PTE_DIRTY,
	.large = PTE_LARGE,
	.exec = PTE_USER,
	.read = PTE_PRESENT,
	.write = PTE_WRITE,
	.no_execute = PTE_NX,
	.file = PTE_OURS_2,
	.window = PTE_OURS_1,
};

uint64_t paging_word(uint64_t bits)
{
	return bits;
}
