/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem-doorbell (QEMU, docs/specs/ivshmem-spec.txt): its memory is the
 * shared file; a store into its doorbell wakes the host, an interrupt of its
 * wakes us.
 */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/monitor.h"

enum {
	ID = 0x11101af4,
	CONFIG_ADDRESS = 0xcf8,
	CONFIG_DATA = 0xcfc,
	MSIX = 0x11,
	VECTOR = 0x40,
	PEER_HOST = 1, /* the monitor is peer 0 */
	DOORBELL = 12,
	CODE = 0x18,
};

/* The interrupt controller (AMD64 manual, volume 2, §16). */
#define APIC_HPA  0xfee00000ull
#define APIC_SVR  0xf0
#define APIC_BASE 0x1b

static void write32(uint64_t hpa, uint32_t value)
{
	*(volatile uint32_t *)hpa = value;
}

/* --- PCI configuration -------------------------------------------------- */

static uint32_t config_read(uint32_t slot, uint32_t at)
{
	cpu_out32(CONFIG_ADDRESS, 1u << 31 | slot << 11 | (at & ~3u));
	return cpu_in32(CONFIG_DATA);
}

static void config_write(uint32_t slot, uint32_t at, uint32_t value)
{
	cpu_out32(CONFIG_ADDRESS, 1u << 31 | slot << 11 | at);
	cpu_out32(CONFIG_DATA, value);
}

static uint32_t find_capability(uint32_t slot, uint32_t id)
{
	uint32_t at = config_read(slot, 0x34) & 0xff;
	for (unsigned i = 0; at && i < 48; i++) {
		uint32_t word = config_read(slot, at);
		if ((word & 0xff) == id)
			return at;
		at = word >> 8 & 0xff;
	}
	return 0;
}

/* Base addresses: 0 registers, 1 table of interrupts, 2 and 3 the file. */
static bool set_up(uint32_t slot)
{
	uint32_t msix = find_capability(slot, MSIX);
	if (!msix)
		return false;
	config_write(slot, 0x10, MONITOR_BELL_HPA);
	config_write(slot, 0x14, MONITOR_BELL_HPA + PAGE_BYTES);
	config_write(slot, 0x18, (uint32_t)MONITOR_SHARED_HPA);
	config_write(slot, 0x1c, (uint32_t)(MONITOR_SHARED_HPA >> 32));
	config_write(slot, 0x04, 6); /* memory, and may interrupt */
	write32(MONITOR_BELL_HPA + PAGE_BYTES + 0, APIC_HPA);
	write32(MONITOR_BELL_HPA + PAGE_BYTES + 4, 0);
	write32(MONITOR_BELL_HPA + PAGE_BYTES + 8, VECTOR);
	write32(MONITOR_BELL_HPA + PAGE_BYTES + 12, 0);
	config_write(slot, msix, config_read(slot, msix) | 1u << 31);
	return true;
}

bool bell_init(void)
{
	cpu_wrmsr(APIC_BASE, cpu_rdmsr(APIC_BASE) | 1 << 11);
	write32(APIC_HPA + APIC_SVR, 0x1ff);
	for (uint32_t slot = 0; slot < 32; slot++)
		if (config_read(slot, 0) == ID)
			return set_up(slot);
	return false;
}

void bell_ring(enum monitor_bell which)
{
	write32(MONITOR_BELL_HPA + DOORBELL, PEER_HOST << 16 | which);
}

/* --- interrupts --------------------------------------------------------- */

struct idt_gate {
	uint16_t offset_0;
	uint16_t selector;
	uint16_t type;
	uint16_t offset_16;
	uint64_t offset_32;
};
LAYOUT_SIZE(struct idt_gate, 16);

static struct idt_gate idt[256];

void bell_init_interrupts(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(idt); i++) {
		uint64_t at = (uint64_t)(i == VECTOR ? monitor_on_bell :
						       monitor_on_fault);
		idt[i] = (struct idt_gate){
			.offset_0 = (uint16_t)at,
			.selector = CODE,
			.type = 0x8e00,
			.offset_16 = (uint16_t)(at >> 16),
			.offset_32 = at >> 32,
		};
	}
	const struct cpu_table t = { .limit = sizeof idt - 1,
		.base = (uint64_t)idt };
	cpu_lidt(&t);
}
