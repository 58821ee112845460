/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pef/tables.h"

#include "arch/ppc64le/cpu.h"

/* A process' entry: addresses of 52 bits (less 31, in two parts), its root's
 * place and size. */
#define PROCESS_SIZE (2ull << 61 | 5ull << 5)

enum { ROOT_BITS = 13, GIB_BITS = 30 };

typedef uint64_t root_table[1 << ROOT_BITS] __attribute__((aligned(0x10000)));
typedef uint64_t table[512] __attribute__((aligned(PAGE_BYTES)));

/* No part of the image: shim.ld. */
#define SCRATCH __attribute__((section(".scratch")))

SCRATCH static root_table shim_root, exec_root;
SCRATCH static table shim_1, ram_2, image_3, window_2, window_3;
SCRATCH static struct {
	uint64_t root, reserved;
} processes[PAGE_BYTES / 16] __attribute__((aligned(PAGE_BYTES)));

/* The image's parts, and what is behind it. */
extern uint8_t scratch[], scratch_end[];
extern uint8_t image_text_end[], image_rodata_end[], image_end[];
extern uint8_t guard_main[], guard_fault[];

static uint64_t gpa_of(const void *at)
{
	return (uint64_t)at - PEF_SHIM_VA;
}

static void map_image(void)
{
	const struct paging_image image = { (uint8_t *)PEF_SHIM_VA,
		image_text_end, image_rodata_end, image_end };
	paging_map_image(image_3, &image, 0);
	/* Vectors are never used by their address here. */
	for (uint64_t at = 0; at < PEF_UNIT; at += PAGE_BYTES)
		image_3[at / PAGE_BYTES] = paging_page(at, SPACE_READ, false);
	image_3[gpa_of(guard_main) / PAGE_BYTES] = 0;
	image_3[gpa_of(guard_fault) / PAGE_BYTES] = 0;
	shim_root[0] = paging_link(gpa_of(shim_1));
	shim_1[0] = paging_link(gpa_of(ram_2));
	ram_2[0] = paging_link(gpa_of(image_3));
}

static void map_window(void)
{
	shim_1[PEF_WINDOW_GPA >> GIB_BITS] = paging_link(gpa_of(window_2));
	window_2[0] = paging_link(gpa_of(window_3));
	for (uint64_t at = 0; at < VM_WINDOW_BYTES; at += PAGE_BYTES)
		window_3[at / PAGE_BYTES] = paging_page(PEF_WINDOW_GPA + at,
			SPACE_READ | SPACE_WRITE, false);
}

static uint64_t process(const uint64_t *root)
{
	return __builtin_bswap64(PROCESS_SIZE | gpa_of(root) | ROOT_BITS);
}

uint64_t tables_init(struct paging *p, const struct vm_image_head *head)
{
	*p = (struct paging){
		.ram = (uint8_t *)PEF_SHIM_VA,
		.window = PEF_WINDOW_GPA,
		.exec = exec_root,
		.ram_table = shim_1,
		.first_gib = ram_2,
		.ram_max = PEF_WINDOW_GPA,
		.exec_at = VM_IMAGE_ALIGN,
		.exec_bytes = head->exec_bytes,
	};
	memset(scratch, 0, (size_t)(scratch_end - scratch));
	paging_init(p);
	map_image();
	map_window();
	processes[0].root = process(shim_root);
	processes[1].root = process(exec_root);
	cpu_mtspr(SPR_PIDR, 1);
	return gpa_of(processes);
}

/* Without tables: those are known until all is forgotten (§5.9.3.3). */
void paging_forget(uint64_t start, uint64_t end)
{
	cpu_sync();
	for (; start < end; start += PAGE_BYTES)
		__asm__ volatile("tlbie %0, %1, 0, 1, 1"
				 :
				 : "r"(start), "r"(1ull << 32)
				 : "memory");
	__asm__ volatile("eieio\n\ttlbsync\n\tptesync" ::: "memory");
}

void paging_forget_all(void)
{
	cpu_sync();
	__asm__ volatile("tlbie %0, %1, 2, 1, 1\n\teieio\n\ttlbsync\n\tptesync"
			 :
			 : "r"(0x400ull), "r"(1ull << 32)
			 : "memory");
}
