/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

extern uint8_t guest_vectors[], stack_top[], stack_vc[];

uint64_t probe_level_1[10][512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t level_4[512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t level_3[512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t level_3_high[512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t level_2[2][512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t level_2_high[512] __attribute__((aligned(PAGE_BYTES)));
static uint64_t idt[64], gdt[8];
static uint8_t tss[104];

struct guest_result *probe_result(void)
{
	return (void *)(uint64_t)(VM_WINDOW_GPA + GUEST_RESULT_AT);
}

void probe_tell(uint64_t value)
{
	struct guest_result *r = probe_result();
	if (r->count < ARRAY_LEN(r->values))
		r->values[r->count++] = value;
}

/* --- tables ------------------------------------------------------------- */

uint64_t probe_pa(const void *p)
{
	return (uint64_t)p - VM_SHIM_VA + VM_RAM_GPA;
}

void probe_map(uint64_t private_bit, uint64_t shared_bit)
{
	const uint64_t c = private_bit;
	level_4[0] = probe_pa(level_3) | c | 7;
	level_4[511] = probe_pa(level_3_high) | c | 7;
	level_3[0] = probe_pa(level_2[0]) | c | 7;
	level_3[1] = probe_pa(level_2[1]) | c | 7;
	level_3_high[510] = probe_pa(level_2_high) | c | 7;
	level_2_high[0] = VM_RAM_GPA | c | 0x87;
	for (uint64_t i = 0; i < 10; i++) {
		uint64_t gpa = (i % 5) << 21;
		uint64_t *two = &level_2[i / 5][i % 5];
		*two = probe_pa(probe_level_1[i]) | c | 7;
		for (uint64_t j = 0; j < 512; j++) {
			bool window = gpa < VM_RAM_GPA;
			bool is_private = window == (i >= 5);
			probe_level_1[i][j] = (gpa + j * PAGE_BYTES) |
				(is_private ? c : shared_bit) | 7;
		}
		if (gpa == GUEST_LARGE_GPA)
			*two = gpa | (i < 5 ? c : shared_bit) | 0x87;
	}
	cpu_write_cr3(probe_pa(level_4) | c);
}

void probe_set_up(void)
{
	uint64_t t = (uint64_t)tss;
	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = 0x00cff3000000ffff;
	gdt[4] = 0x00affb000000ffff;
	gdt[5] = 0x67 | (t & 0xffffff) << 16 | 0x89ull << 40 |
		(t >> 24 & 0xff) << 56;
	gdt[6] = t >> 32;
	uint64_t top = (uint64_t)stack_vc;
	memcpy(tss + 0x24, &top, 8);
	memcpy(tss + 4, &top, 8);
	for (uint64_t i = 0; i < 32; i++) {
		uint64_t at = (uint64_t)guest_vectors + i * 16;
		idt[2 * i] = (at & 0xffff) | 8 << 16 |
			(i == 29 ? 1ull << 32 : 0) | 0x8eull << 40 |
			(at >> 16 & 0xffff) << 48;
		idt[2 * i + 1] = at >> 32;
	}
	const struct cpu_table g = { .limit = sizeof gdt - 1,
		.base = (uint64_t)gdt };
	const struct cpu_table d = { .limit = sizeof idt - 1,
		.base = (uint64_t)idt };
	cpu_lgdt(&g);
	cpu_lidt(&d);
	cpu_ltr(0x28);
}

/* --- probes ------------------------------------------------------------- */

uint64_t probe_outcome(void)
{
	uint64_t v = *(volatile uint64_t *)&caught_vector;
	return v ? GUEST_EXCEPTION(v, caught_error) : 0;
}

uint64_t probe_read(uint64_t va)
{
	return PROBE("mov (%0), %%rax", : : "r"(va) : "rax", "r15", "memory");
}

uint64_t probe_write(uint64_t va)
{
	return PROBE("movq $1, (%0)", : : "r"(va) : "r15", "memory");
}

uint64_t probe_run(uint64_t va)
{
	return PROBE("jmp *%0", : : "r"(va) : "r15", "memory");
}
