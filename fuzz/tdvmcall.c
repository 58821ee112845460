/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDG.VP.VMCALL, again and again: steps of one byte and what it needs.
 *	0 a register (1 and 8)		1 a call
 *	2 the host's answer (8), entry	3 userspace's, of KVM_EXIT_TDX (16)
 */
#include "base/must.h"
#include "base/reader.h"
#include "soft/device_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REGISTERS = 16, MOST_PAGES = 512 };

static struct monitor_box box;
static struct kvm_run run;

/* What userspace is told has a meaning. */
static void check(void)
{
	struct spec_kvm_tdx_exit x;
	switch (run.exit_reason) {
	case KVM_EXIT_IO:
		must(run.io.size == 1 || run.io.size == 2 || run.io.size == 4);
		must(run.io.count == 1);
		break;
	case KVM_EXIT_HYPERCALL:
		must(run.hypercall.args[0] % PAGE_BYTES == 0);
		must(!(run.hypercall.args[0] & TDX_SHARED));
		must(run.hypercall.args[1] > 0);
		must(run.hypercall.args[1] <= MOST_PAGES);
		break;
	case SPEC_KVM_EXIT_TDX:
		memcpy(&x, (const uint8_t *)&run + SPEC_KVM_RUN_UNION,
			sizeof x);
		must(x.nr == TDX_CALL_INFO || x.nr == TDX_CALL_GET_QUOTE ||
			x.nr == TDX_CALL_EVENT_NOTIFY);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		must(run.system_event.ndata >= 2 &&
			run.system_event.ndata <= 10);
		break;
	default:
		must(false);
	}
}

static enum soft_turn step(struct soft_device *s, struct reader *r)
{
	uint8_t *at = (uint8_t *)&run + SPEC_KVM_RUN_UNION;
	uint64_t two[2];
	size_t i;
	switch (reader_u8(r) & 3) {
	case 0:
		i = reader_u8(r) % REGISTERS;
		box.state.general[i] = reader_u64le(r);
		return SOFT_GUEST;
	case 1:
		return s->tdx.pending ? SOFT_GUEST :
					soft_tdvmcall_exit(s, &run);
	case 2:
		run.hypercall.ret = reader_u64le(r);
		return soft_tdvmcall_answer(s, &run);
	default:
		two[0] = reader_u64le(r);
		two[1] = reader_u64le(r);
		memcpy(at + offsetof(struct spec_kvm_tdx_exit, ret), two,
			sizeof two);
		return soft_tdvmcall_answer(s, &run);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct soft_device s;
	struct reader r = { .in = bytes_of(data, size) };
	memset(&run, 0, sizeof run);
	memset(&box, 0, sizeof box);
	s = (struct soft_device){ .machine.box = &box, .kind = MONITOR_TDX };
	s.private.hypercalls = reader_u8(&r) & 1;
	while (reader_left(&r) && !r.failed) {
		enum soft_turn turn = step(&s, &r);
		if (turn == SOFT_DEAD)
			break;
		if (turn == SOFT_HOST)
			check();
	}
	return 0;
}
