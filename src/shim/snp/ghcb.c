/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/snp/ghcb.h"

#include "shim/x86_64_vm/paging.h"
#include "shim/x86_64_vm/platform.h"
#include "spec/snp_guest.h"

#define GPA (VM_WINDOW_GPA + VM_GHCB_AT)

/* The firmware may be busy with another guest's request. */
enum { TRIES = 1000 };
#define ANSWER_BUSY 0x200000000ull

static bool ready;

static struct ghcb *page(void)
{
	return (void *)(PAGING_WINDOW_VA + VM_GHCB_AT);
}

static uint64_t msr_call(uint64_t request)
{
	cpu_wrmsr(SNP_MSR_GHCB, request);
	cpu_vmgexit();
	return cpu_rdmsr(SNP_MSR_GHCB);
}

void ghcb_end(unsigned reason)
{
	for (;;)
		msr_call(GHCB_END(0, reason));
}

bool ghcb_ready(void)
{
	return ready;
}

void ghcb_init(uint32_t c_bit)
{
	enum { VERSIONS = 1, FEATURES = 2, ENCRYPTION = 3, REGISTER = 4 };
	uint64_t info = msr_call(GHCB_MSR_INFO_REQ);
	if (GHCB_MSR_CODE(info) != GHCB_MSR_INFO ||
		GHCB_INFO_MIN(info) > GHCB_VERSION ||
		GHCB_INFO_MAX(info) < GHCB_VERSION)
		ghcb_end(VERSIONS);
	if (GHCB_INFO_CBIT(info) != c_bit)
		ghcb_end(ENCRYPTION);
	uint64_t features = msr_call(GHCB_MSR_FEATURES_REQ);
	if (GHCB_MSR_CODE(features) != GHCB_MSR_FEATURES ||
		!(features >> 12 & GHCB_FEATURE_SNP))
		ghcb_end(FEATURES);
	if (msr_call(GPA | GHCB_MSR_REGISTER_REQ) != (GPA | GHCB_MSR_REGISTER))
		ghcb_end(REGISTER);
	ready = true;
}

static void set_valid(size_t offset)
{
	page()->valid[offset / 64] |= (uint8_t)(1u << (offset / 8 & 7));
}

#define SET(field, value)                                \
	do {                                             \
		page()->field = (value);                 \
		set_valid(offsetof(struct ghcb, field)); \
	} while (0)

static void begin(uint64_t code, uint64_t info_1, uint64_t info_2)
{
	cpu_store_bytes(page(), 0, sizeof *page());
	page()->version = GHCB_VERSION;
	SET(exit_code, code);
	SET(exit_info_1, info_1);
	SET(exit_info_2, info_2);
}

/* exit_info_2 of the answer. */
static uint64_t call(void)
{
	cpu_wrmsr(SNP_MSR_GHCB, GPA);
	cpu_vmgexit();
	const volatile struct ghcb *g = page();
	uint64_t info_1 = g->exit_info_1, info_2 = g->exit_info_2;
	if ((uint32_t)info_1 != GHCB_ANSWER_OK)
		shim_crash("the host refused a call: 0x%llx, 0x%llx",
			(unsigned long long)info_1, (unsigned long long)info_2);
	return info_2;
}

void ghcb_out(uint16_t port, uint32_t value)
{
	begin(GHCB_EXIT_IOIO, GHCB_IO_OUT32(port), 0);
	SET(rax, value);
	call();
}

void ghcb_guest_request(uint64_t request, uint64_t response)
{
	uint64_t answer = ANSWER_BUSY;
	for (unsigned i = 0; i < TRIES && answer == ANSWER_BUSY; i++) {
		begin(GHCB_EXIT_GUEST_REQUEST, request, response);
		answer = call();
	}
	if (answer)
		shim_crash("the firmware refused a message: 0x%llx",
			(unsigned long long)answer);
}
