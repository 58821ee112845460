/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/riscv64/tables.h"

#include "arch/riscv64/csr.h"

#define SATP_SV39 (8ull << 60)

enum { SHIFT_3 = 30, SHIFT_2 = 21 };

typedef uint64_t table[512] __attribute__((aligned(PAGE_BYTES)));

/* The shim's half; the tables of exec's half come out of memory. */
static table root, image2, image1, window2, window1, ram2;

/* The image's parts: shim.ld. */
extern uint8_t image_text_end[], image_rodata_end[], image_end[];
extern uint8_t stack_guards[], stack_main[]; /* entry.S */

static uint64_t *entry_at(table t, uint64_t va, unsigned shift)
{
	return &t[va >> shift & 511];
}

static uint64_t physical(const struct platform_memory *m, const void *image)
{
	return (uint64_t)image - SHIM_VA + m->base + m->shim_at;
}

static void guard(const uint8_t *at)
{
	image1[((uint64_t)at - SHIM_VA) / PAGE_BYTES] = 0;
}

static void map_image(const struct platform_memory *m)
{
	const struct paging_image image = { (uint8_t *)SHIM_VA, image_text_end,
		image_rodata_end, image_end };
	paging_map_image(image1, &image, physical(m, image.start));
	guard(stack_guards);
	guard(stack_main);
	*entry_at(image2, SHIM_VA, SHIFT_2) = paging_link(physical(m, image1));
	*entry_at(root, SHIM_VA, SHIFT_3) = paging_link(physical(m, image2));
}

static void map_window(const struct platform_memory *m)
{
	const uint64_t va = TABLES_WINDOW_VA;
	for (uint64_t at = 0; at < m->window_bytes; at += PAGE_BYTES)
		window1[at / PAGE_BYTES] = paging_page(m->window_at + at,
			SPACE_READ | SPACE_WRITE, false);
	*entry_at(window2, va, SHIFT_2) = paging_link(physical(m, window1));
	*entry_at(root, va, SHIFT_3) = paging_link(physical(m, window2));
}

void tables_init(struct paging *p, const struct platform_memory *m)
{
	uint64_t *ram_table = entry_at(root, TABLES_RAM_VA, SHIFT_3);
	*p = (struct paging){
		.ram = (uint8_t *)TABLES_RAM_VA,
		.physical = m->base,
		.window = m->window_at,
		.exec = root,
		.ram_table = ram_table,
		.first_gib = ram2,
		.ram_max = TABLES_WINDOW_VA - TABLES_RAM_VA,
		.exec_at = m->exec_at,
		.exec_bytes = m->exec_bytes,
	};
	paging_init(p);
	map_image(m);
	map_window(m);
	*ram_table = paging_link(physical(m, ram2));
	csr_write(satp, SATP_SV39 | physical(m, root) / PAGE_BYTES);
	cpu_fence_tables();
	paging_add_ram(p, m->bytes, NULL);
}

/* What was code may be something else now. */
void paging_forget(uint64_t start, uint64_t end)
{
	for (; start < end; start += PAGE_BYTES)
		cpu_fence_table_at(start);
	cpu_fence_code();
}

void paging_forget_all(void)
{
	cpu_fence_tables();
	cpu_fence_code();
}
