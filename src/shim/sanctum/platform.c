/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An enclave of the security monitor's (docs/tee/sanctum.md).  What it is
 * entered with is the monitor's word, and so is every answer; the host has a
 * part in nothing but the window.
 */
#include "shim/riscv64/platform.h"

#include "abi/sanctum.h"
#include "shim/common/linux.h"
#include "shim/riscv64/boot.h"
#include "shim/sanctum/ecall.h"
#include "spec/sanctum.h"

static struct sanctum_entry entered;

extern const struct sanctum_shim_head shim_head;

void platform_init(const uint64_t a[6], struct platform_memory *out)
{
	memcpy(&entered, a, sizeof entered);
	if (entered.window_bytes != VM_WINDOW_BYTES ||
		entered.bytes <= SANCTUM_EXEC_AT)
		shim_crash("boot: an enclave of another form");
	*out = (struct platform_memory){
		.base = entered.base,
		.bytes = entered.bytes,
		.shim_at = SANCTUM_SHIM_AT,
		.exec_at = SANCTUM_EXEC_AT,
		.exec_bytes = shim_head.exec_bytes,
		.window_at = entered.window_at,
		.window_bytes = entered.window_bytes,
	};
}

uint64_t platform_timebase_khz(void)
{
	return entered.timebase_khz;
}

bool shim_debug(void)
{
	return entered.debug;
}

bool platform_random(uint64_t *out)
{
	struct ecall_result r = ecall(SANCTUM_RANDOM, 0, 0);
	*out = r.value;
	return r.result == SANCTUM_OK;
}

void platform_event(enum vm_event event)
{
	(void)ecall(SANCTUM_LEAVE, event, 0);
}

void platform_shim(struct gate_shim *out)
{
	*out = (struct gate_shim){ .version = 1, .tee = GATE_TEE_SANCTUM };
}

/* Data comes from exec's memory, and evidence goes there: no host sees either
 * before exec shows it.  The monitor reads and writes a page of ours. */
static int64_t attest(const uint64_t *args)
{
	static struct {
		uint8_t data[64];
		struct sanctum_evidence evidence;
	} page __attribute__((aligned(PAGE_BYTES)));
	if (!user_copy_in(&shim_user, page.data, args[0], sizeof page.data))
		return -LINUX_EFAULT;
	uint64_t at =
		entered.base + SANCTUM_SHIM_AT + (uint64_t)&page - SHIM_VA;
	struct ecall_result r = ecall(SANCTUM_ATTEST, at,
		at + ((uint64_t)&page.evidence - (uint64_t)&page));
	if (r.result != SANCTUM_OK)
		return -LINUX_EIO;
	return user_copy_out(&shim_user, args[1], &page.evidence,
		       sizeof page.evidence) ?
		0 :
		-LINUX_EFAULT;
}

bool platform_call(uint64_t number, const uint64_t args[6], int64_t *result)
{
	if (number != GATE_CALL_REPORT)
		return false;
	*result = attest(args);
	return true;
}
