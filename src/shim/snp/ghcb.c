/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/snp/ghcb.h"

#include "shim/x86_64_vm/platform.h"
#include "shim/x86_64_vm/tables.h"
#include "spec/svm.h"

#define GPA (VM_WINDOW_GPA + VM_GHCB_AT)

/* The firmware may be busy with another guest's request. */
enum { TRIES = 1000, LARGE_PAGES = 512 };

/* EXITINFO1 of a 32-bit OUT (AMD64 manual, volume 2, §15.10.2). */
#define OUT32(port) ((uint64_t)(port) << 16 | 1u << 6)

static bool ready;

static struct ghcb *page(void)
{
	return (void *)(TABLES_WINDOW_VA + VM_GHCB_AT);
}

static uint64_t msr_call(uint64_t request)
{
	cpu_wrmsr(GHCB_MSR, request);
	cpu_vmgexit();
	return cpu_rdmsr(GHCB_MSR);
}

void ghcb_end(unsigned reason)
{
	for (;;)
		msr_call(GHCB_INFO_END | (uint64_t)reason << 16);
}

bool ghcb_ready(void)
{
	return ready;
}

void ghcb_init(uint32_t c_bit)
{
	enum { VERSIONS = 1, FEATURES = 2, ENCRYPTION = 3, REGISTER = 4 };
	uint64_t info = msr_call(GHCB_INFO_SEV_ASK);
	if ((info & GHCB_INFO_MASK) != GHCB_INFO_SEV ||
		(info >> 32 & 0xffff) > GHCB_PROTOCOL ||
		info >> 48 < GHCB_PROTOCOL)
		ghcb_end(VERSIONS);
	if ((info >> 24 & 0xff) != c_bit)
		ghcb_end(ENCRYPTION);
	uint64_t features = msr_call(GHCB_INFO_FEATURES_ASK);
	if ((features & GHCB_INFO_MASK) != GHCB_INFO_FEATURES ||
		!(features >> 12 & GHCB_FEATURE_SNP))
		ghcb_end(FEATURES);
	if (msr_call(GPA | GHCB_INFO_REGISTER_ASK) !=
		(GPA | GHCB_INFO_REGISTER))
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
	page()->protocol = GHCB_PROTOCOL;
	page()->usage = GHCB_USAGE;
	SET(exit_code, code);
	SET(exit_info_1, info_1);
	SET(exit_info_2, info_2);
}

struct answer {
	uint64_t info_1, info_2;
};

static struct answer exchange(void)
{
	cpu_wrmsr(GHCB_MSR, GPA);
	cpu_vmgexit();
	const volatile struct ghcb *g = page();
	return (struct answer){ g->exit_info_1, g->exit_info_2 };
}

static bool done(const struct answer *a)
{
	return (uint32_t)a->info_1 == GHCB_ANSWER_DONE;
}

/* exit_info_2 of the answer. */
static uint64_t call(void)
{
	struct answer a = exchange();
	if (!done(&a))
		shim_crash("the host refused a call: 0x%llx, 0x%llx",
			(unsigned long long)a.info_1,
			(unsigned long long)a.info_2);
	return a.info_2;
}

void ghcb_out(uint16_t port, uint32_t value)
{
	begin(SVM_EXIT_IOIO, OUT32(port), 0);
	SET(rax, value);
	call();
}

static void check_firmware(uint64_t answer)
{
	if (answer)
		shim_crash("the firmware refused a message: 0x%llx",
			(unsigned long long)answer);
}

void ghcb_guest_request(uint64_t request, uint64_t response)
{
	uint64_t answer = GHCB_REQUEST_BUSY;
	for (unsigned i = 0; i < TRIES && answer == GHCB_REQUEST_BUSY; i++) {
		begin(GHCB_EXIT_REQUEST, request, response);
		answer = call();
	}
	check_firmware(answer);
}

bool ghcb_extended_request(uint64_t request, uint64_t response, uint64_t at,
	uint64_t pages)
{
	struct answer a = { 0, GHCB_REQUEST_BUSY };
	for (unsigned i = 0; i < TRIES && a.info_2 == GHCB_REQUEST_BUSY; i++) {
		begin(GHCB_EXIT_EXTENDED, request, response);
		SET(rax, at);
		SET(rbx, pages);
		a = exchange();
		if (!done(&a))
			return false;
	}
	/* More pages needed than there are, or another of the host's reasons:
	 * the firmware was not asked. */
	if (a.info_2 >> 32)
		return false;
	check_firmware(a.info_2);
	return true;
}

/* --- page states -----------------------------------------------------------
 */

static void put_states(uint64_t from, uint64_t count, uint32_t state)
{
	struct ghcb_state_head head = { .last = (uint16_t)(count - 1) };
	uint8_t *to = page()->shared_buffer;
	cpu_move_bytes(to, &head, sizeof head);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t entry = (from + i * LARGE_PAGES) << 12 |
			(uint64_t)state << 52 | GHCB_STATE_2M;
		cpu_move_bytes(to + sizeof head + i * sizeof entry, &entry,
			sizeof entry);
	}
}

bool ghcb_page_state(uint64_t from, uint64_t to, uint32_t state)
{
	const volatile struct ghcb_state_head *head =
		(void *)page()->shared_buffer;
	for (unsigned i = 0; i < TRIES && from < to; i++) {
		uint64_t n = (to - from) / LARGE_PAGES;
		n = n < GHCB_STATE_ENTRIES ? n : GHCB_STATE_ENTRIES;
		begin(GHCB_EXIT_STATE, 0, 0);
		put_states(from, n, state);
		SET(scratch, GPA + offsetof(struct ghcb, shared_buffer));
		struct answer a = exchange();
		uint64_t come = head->current;
		if (!done(&a) || a.info_2 || come > n)
			return false;
		from += come * LARGE_PAGES;
	}
	return from >= to;
}
