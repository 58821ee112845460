/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem-doorbell (QEMU, docs/specs/ivshmem-spec.txt) on the `virt` machine:
 * its memory is the untrusted memory; a store into its doorbell wakes the host,
 * a message of its wakes us (RISC-V AIA, §3: IMSIC).
 */
#include "arch/riscv64/csr.h"
#include "monitor/riscv64/monitor.h"

/* The machine's map (QEMU, hw/riscv/virt.c). */
#define CONFIG_AT   0x30000000ull /* PCI Express, of bus 0 */
#define REGISTERS   0x40000000ull
#define MESSAGES_AT 0x24000000u /* the M-mode interrupt file */

enum {
	ID = 0x11101af4,
	MSIX = 0x11,
	MESSAGE = 1,
	PEER_HOST = 1, /* the monitor is peer 0 */
	DOORBELL = 12,
	SLOTS = 32,
};

/* Of the interrupt file, behind MISELECT. */
enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIE0 = 0xc0 };

static volatile uint32_t *word(uint64_t at)
{
	return (volatile uint32_t *)at;
}

static volatile uint32_t *config(uint32_t slot, uint32_t at)
{
	return word(CONFIG_AT + ((uint64_t)slot << 15) + (at & ~3u));
}

static uint32_t find_capability(uint32_t slot, uint32_t id)
{
	uint32_t at = *config(slot, 0x34) & 0xff;
	for (unsigned i = 0; at && i < 48; i++) {
		uint32_t w = *config(slot, at);
		if ((w & 0xff) == id)
			return at;
		at = w >> 8 & 0xff;
	}
	return 0;
}

static void set_file(uint64_t which, uint64_t value)
{
	csr_write(0x350, which); /* MISELECT */
	csr_write(0x351, value); /* MIREG */
}

/* Base addresses: 0 registers, 1 table of interrupts, 2 and 3 the file. */
static bool set_up(uint32_t slot)
{
	uint32_t msix = find_capability(slot, MSIX);
	if (!msix)
		return false;
	*config(slot, 0x10) = (uint32_t)REGISTERS;
	*config(slot, 0x14) = (uint32_t)REGISTERS + PAGE_BYTES;
	*config(slot, 0x18) = (uint32_t)SANCTUM_UNTRUSTED_AT;
	*config(slot, 0x1c) = (uint32_t)(SANCTUM_UNTRUSTED_AT >> 32);
	*config(slot, 0x04) = 6; /* memory, and may interrupt */
	volatile uint32_t *table = word(REGISTERS + PAGE_BYTES);
	table[0] = MESSAGES_AT;
	table[1] = 0;
	table[2] = MESSAGE;
	table[3] = 0;
	*config(slot, msix) = *config(slot, msix) | 1u << 31;
	set_file(EIDELIVERY, 1);
	set_file(EITHRESHOLD, 0);
	set_file(EIE0, 1u << MESSAGE);
	return true;
}

bool bell_init(void)
{
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		if (*config(slot, 0) == ID)
			return set_up(slot);
	return false;
}

void bell_ring(enum monitor_bell which)
{
	*word(REGISTERS + DOORBELL) = PEER_HOST << 16 | which;
}

void bell_clear(void)
{
	(void)csr_swap(0x35c, 0); /* MTOPEI */
}
