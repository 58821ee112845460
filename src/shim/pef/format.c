/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/paging.h"

/* Power ISA 3.0B, book III, §5.7.10.2.  Words are big-endian. */
#define PTE_VALID   (1ull << 63)
#define PTE_LEAF    (1ull << 62)
#define PTE_OURS_1  0x400ull /* for whoever writes the tables */
#define PTE_OURS_2  0x200ull
#define PTE_USED    0x180ull /* referenced, changed */
#define PTE_PRIVATE 0x008ull /* the shim's */
#define PTE_READ    0x004ull
#define PTE_WRITE   0x002ull
#define PTE_EXECUTE 0x001ull
#define TABLE_BITS  9ull /* of an address are the next table's */

/* Four levels, of which the first has 13 bits. */
const struct paging_format paging_format = {
	.address = 0x01fffffffffff000,
	.top = 39,
	.user_end = 1ull << 52,
	.link = PTE_VALID | TABLE_BITS,
	.exec_link = PTE_VALID | TABLE_BITS,
	.page = PTE_LEAF | PTE_USED,
	.shim = PTE_PRIVATE,
	.read = PTE_VALID | PTE_READ,
	.write = PTE_WRITE,
	.execute = PTE_EXECUTE,
	.file = PTE_OURS_2,
	.window = PTE_OURS_1,
};

uint64_t paging_word(uint64_t bits)
{
	return __builtin_bswap64(bits);
}
