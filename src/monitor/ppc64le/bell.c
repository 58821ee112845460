/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ivshmem-doorbell (QEMU, docs/specs/ivshmem-spec.txt) behind the host bridge
 * of a POWER9 chip (PHB4), of which no firmware has set up anything: its memory
 * is the shared file; a store into its doorbell wakes the host.  Nothing wakes
 * us: whoever waits looks every millisecond.
 *
 * Registers: IBM, POWER9 PCIe controller, functional specification 1.1.
 */
#include "arch/ppc64le/cpu.h"
#include "monitor/ppc64le/monitor.h"

/* The chip's own registers (XSCOM), and those of its first bridge's stack. */
#define XSCOM 0x000603fc00000000ull
#define STACK (0x4010c00 + 0x40)
enum {
	STACK_MMIO_0 = 0x0e,
	STACK_MMIO_0_MASK = 0x0f,
	STACK_MMIO_1 = 0x10,
	STACK_MMIO_1_MASK = 0x11,
	STACK_REGISTERS = 0x12,
	STACK_ENABLE = 0x14,
};
/* Both windows and the registers. */
#define STACK_ENABLE_ALL 0xe000000000000000ull

/* Where we want them: memory of 64 bits, of 32 bits, the bridge's registers. */
#define WINDOW_BYTES (1ull << 40)
#define LOW_HPA	     0x0006010000000000ull
#define LOW_BYTES    0x80000000ull
#define BRIDGE_HPA   0x000600c3c0000000ull
/* The same in the bus' 32-bit addresses. */
#define LOW_BUS 0x80000000u

/* The bridge's registers. */
enum {
	CONFIG_DATA = 0x130,
	CONFIG_ADDRESS = 0x140,
	M32_START = 0x1a0,
	IODA_ADDRESS = 0x220,
	IODA_DATA = 0x228,
	ROOT_CONFIG = 0x1000,
};
#define IODA_WINDOWS	  (16ull << 48 | 1ull << 63)
#define IODA_ENABLE	  (1ull << 63)
#define IODA_M32	  (1ull << 62)
#define IODA_ADDRESS_MASK 0x00fffffffffff000ull

enum { ID = 0x11101af4, PEER_HOST = 1, DOORBELL = 12 };

static void stack_write(uint32_t at, uint64_t value)
{
	cpu_store_be64(XSCOM + (((uint64_t)STACK + at) << 3), value);
}

/* What a window's mask register wants: address bits that must be the same. */
static uint64_t window_mask(uint64_t bytes)
{
	return ~((bytes - 1) << 8) & ~0xffull;
}

static void put_windows(void)
{
	stack_write(STACK_MMIO_0, MONITOR_PPC_SHARED_HPA << 8);
	stack_write(STACK_MMIO_0_MASK, window_mask(WINDOW_BYTES));
	stack_write(STACK_MMIO_1, LOW_HPA << 8);
	stack_write(STACK_MMIO_1_MASK, window_mask(LOW_BYTES));
	stack_write(STACK_REGISTERS, BRIDGE_HPA << 8);
	stack_write(STACK_ENABLE, STACK_ENABLE_ALL);
}

/* A pair of entries: address, mask. */
static void put_translation(uint64_t hpa, uint64_t bytes, uint64_t type)
{
	cpu_store_be64(BRIDGE_HPA + IODA_DATA,
		IODA_ENABLE | type | (hpa & IODA_ADDRESS_MASK));
	cpu_store_be64(BRIDGE_HPA + IODA_DATA,
		IODA_ENABLE | (~(bytes - 1) & IODA_ADDRESS_MASK));
}

/* --- configuration space ------------------------------------------------ */

static volatile uint32_t *word(uint64_t hpa)
{
	return (volatile uint32_t *)hpa;
}

/* Of the root port, which is bus 0; all else is bus 1, device 0. */
static void root_write(uint32_t at, uint32_t value)
{
	*word(BRIDGE_HPA + ROOT_CONFIG + at) = value;
	cpu_sync();
}

static volatile uint32_t *device(uint32_t at)
{
	cpu_store_be64(BRIDGE_HPA + CONFIG_ADDRESS,
		1ull << 63 | 1ull << 52 | (uint64_t)(at & ~3u) << 32);
	return word(BRIDGE_HPA + CONFIG_DATA);
}

static void device_write(uint32_t at, uint32_t value)
{
	*device(at) = value;
	cpu_sync();
}

/* Base addresses: 0 registers, 1 table of interrupts, 2 and 3 the file. */
static void put_addresses(void)
{
	const uint64_t hpa = MONITOR_PPC_SHARED_HPA;
	const uint32_t low = LOW_BUS >> 16;
	const uint32_t from = (uint32_t)(hpa >> 16) & 0xfff0;
	root_write(0x18, 1 << 16 | 1 << 8);
	root_write(0x20, (low + 0x10) << 16 | low);
	root_write(0x24, 0xfff00000 | from | 0x10001);
	root_write(0x28, (uint32_t)(hpa >> 32));
	root_write(0x2c, (uint32_t)((hpa + WINDOW_BYTES - 1) >> 32));
	root_write(0x04, 6);
	device_write(0x10, LOW_BUS);
	device_write(0x14, LOW_BUS + PAGE_BYTES);
	device_write(0x18, (uint32_t)hpa);
	device_write(0x1c, (uint32_t)(hpa >> 32));
	device_write(0x04, 2);
}

bool bell_init(void)
{
	put_windows();
	cpu_store_be64(BRIDGE_HPA + M32_START, LOW_BUS);
	cpu_store_be64(BRIDGE_HPA + IODA_ADDRESS, IODA_WINDOWS);
	put_translation(MONITOR_PPC_SHARED_HPA, WINDOW_BYTES, 0);
	put_translation(LOW_HPA, LOW_BYTES, IODA_M32);
	root_write(0x18, 1 << 16 | 1 << 8);
	if (*device(0) != ID)
		return false;
	put_addresses();
	return true;
}

void bell_ring(enum monitor_bell which)
{
	cpu_sync();
	*word(LOW_HPA + DOORBELL) = PEER_HOST << 16 | (uint32_t)which;
	cpu_sync();
}
