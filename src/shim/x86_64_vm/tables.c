/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/tables.h"

#include "arch/x86_64/cpu.h"
#include "shim/x86_64_vm/platform.h"

typedef uint64_t table[512] __attribute__((aligned(PAGE_BYTES)));

/* The shim's half; the tables of exec's half come out of RAM. */
static table level4, top3, top2, image1, ram3, ram2;

/* The image's parts: shim.ld. */
extern uint8_t image_text_end[], image_rodata_end[], image_end[];
extern uint8_t boot_4[], boot_3[], boot_2[]; /* entry.S: guard the stacks */

static uint64_t image_gpa(const void *at)
{
	return (uint64_t)at - VM_SHIM_VA + VM_RAM_GPA;
}

static uint64_t link(const struct paging *p, const void *image)
{
	return paging_link(p->physical + image_gpa(image));
}

static void guard(const uint8_t *at)
{
	image1[((uint64_t)at - VM_SHIM_VA) / PAGE_BYTES] = 0;
}

static void map_image(const struct paging *p)
{
	const struct paging_image image = { (uint8_t *)VM_SHIM_VA,
		image_text_end, image_rodata_end, image_end };
	paging_map_image(image1, &image, p->physical + VM_RAM_GPA);
	guard(boot_4);
	guard(boot_3);
	guard(boot_2);
}

void tables_init(struct paging *p, const struct vm_image_head *head)
{
	*p = (struct paging){
		.ram = tables_at(0),
		.physical = head->c_bit ? 1ull << head->c_bit : 0,
		.window = platform_shared_bit() + VM_WINDOW_GPA,
		.exec = level4,
		.ram_table = ram3,
		.first_gib = ram2,
		.ram_max = 512ull << 30,
		.exec_at = VM_RAM_GPA + VM_IMAGE_ALIGN,
		.exec_bytes = head->exec_bytes,
	};
	paging_init(p);
	map_image(p);
	level4[511] = link(p, top3);
	top3[510] = link(p, top2);
	top2[0] = link(p, image1);
	/* Of this page only the window is there. */
	top2[1] = paging_page(p->window - VM_WINDOW_GPA,
		SPACE_READ | SPACE_WRITE, true);
	level4[256] = link(p, ram3);
	ram3[0] = link(p, ram2);
	cpu_write_cr3(image_gpa(level4) + p->physical);
}

static bool accept(void *ctx, uint64_t from, uint64_t to, bool again)
{
	(void)ctx;
	return platform_accept(from, to, again);
}

static void release(void *ctx, uint64_t from, uint64_t to)
{
	(void)ctx;
	platform_release(from, to);
}

void tables_add_ram(struct paging *p, uint64_t ram_bytes)
{
	static const struct frames_ops ops = { accept, release };
	paging_add_ram(p, VM_RAM_GPA + ram_bytes, &ops);
	frames_reserve(&p->frames, platform_hole() / PAGE_BYTES);
}

void paging_forget(uint64_t start, uint64_t end)
{
	for (; start < end; start += PAGE_BYTES)
		cpu_invlpg(start);
}

void paging_forget_all(void)
{
	cpu_write_cr3(cpu_read_cr3());
}
