/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMGEXIT, again and again: steps of one byte and what it needs.
 *	0 the MSR (8 bytes), exit	1 a quadword of the page (2 and 8)
 *	2 the page, exit		3 the host's answer (8), entry
 */
#include "soft/psp_priv.h"

#include "base/must.h"
#include "base/reader.h"
#include "soft/device_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GPA  0x100000ull
#define PAGE (GPA + 0x3000)

enum { WINDOW = 0x10000 };

static uint8_t window[WINDOW] __attribute__((aligned(PAGE_BYTES)));
static struct monitor_box box;
static struct psp psp;
static struct {
	struct kvm_run run;
} room;

static void start(struct soft_device *s)
{
	memset(window, 0, sizeof window);
	memset(&room, 0, sizeof room);
	box.slots[0] = (struct monitor_slot){ .gpa = GPA,
		.bytes = WINDOW,
		.shared_at = MONITOR_GUEST_AT };
	psp.state = PSP_RUNNING;
	*s = (struct soft_device){ .machine.box = &box };
	s->machine.regions[0] =
		(struct soft_region){ window, WINDOW, MONITOR_GUEST_AT };
	s->snp.psp = &psp;
	s->private.hypercalls = true;
	s->snp.registered = PAGE;
}

/* What userspace is told has a meaning. */
static void check(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		must(run->io.size == 1 || run->io.size == 2 ||
			run->io.size == 4);
		must(run->io.count == 1);
		break;
	case KVM_EXIT_HYPERCALL:
		must(run->hypercall.args[0] % PAGE_BYTES == 0);
		must(run->hypercall.args[1] > 0);
		must(run->hypercall.args[1] <= 512 * GHCB_STATE_ENTRIES);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
	case SPEC_KVM_EXIT_SNP_REQ_CERTS:
		break;
	default:
		must(false);
	}
}

static enum soft_turn step(struct soft_device *s, struct reader *r)
{
	uint64_t value;
	size_t at;
	switch (reader_u8(r) & 3) {
	case 0:
		s->snp.msr = reader_u64le(r);
		return soft_ghcb_exit(s, &room.run);
	case 1:
		at = reader_u16le(r) % (WINDOW - 8);
		value = reader_u64le(r);
		memcpy(window + at, &value, sizeof value);
		return SOFT_GUEST;
	case 2:
		s->snp.msr = PAGE;
		return soft_ghcb_exit(s, &room.run);
	default:
		room.run.hypercall.ret = reader_u64le(r);
		return soft_ghcb_answer(s, &room.run);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct soft_device s;
	struct reader r = { .in = bytes_of(data, size) };
	start(&s);
	s.snp.certs = reader_u8(&r) & 1;
	while (reader_left(&r) && !r.failed) {
		enum soft_turn turn = step(&s, &r);
		if (turn == SOFT_DEAD)
			break;
		if (turn == SOFT_HOST)
			check(&room.run);
	}
	return 0;
}
