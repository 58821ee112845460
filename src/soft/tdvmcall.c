/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TDG.VP.VMCALL as KVM answers it (Linux 6.16, arch/x86/kvm/vmx/tdx.c; GHCI
 * 1.5).  What the domain says is in the box's state: copied once, judged,
 * answered there.
 */
#include <errno.h>
#include <linux/kvm_para.h>

#include "soft/device_priv.h"

/* KVM asks userspace for no more at once. */
#define MAP_MOST 0x200000ull

enum { R10 = 10, R11, R12, R13, R14, R15, LEAST_VECTOR = 32, VECTORS = 256 };

static uint64_t *registers(const struct soft_device *s)
{
	return s->machine.box->state.general;
}

static enum soft_turn answer(const struct soft_device *s, uint64_t status)
{
	registers(s)[R10] = status;
	return SOFT_GUEST;
}

/* --- ports -------------------------------------------------------------- */

static enum soft_turn on_port(struct soft_device *s, struct kvm_run *run)
{
	const uint64_t *r = registers(s);
	uint64_t size = r[R12], out = r[R13];
	if (out > TDX_IO_OUT || (size != 1 && size != 2 && size != 4))
		return answer(s, TDX_CALL_OPERAND_INVALID);
	const struct monitor_exit x = {
		.reason = out ? MONITOR_EXIT_OUT : MONITOR_EXIT_IN,
		.size = (uint32_t)size,
		.port = (uint16_t)r[R14],
		.value = (uint32_t)(r[R15] & ((1ull << 8 * size) - 1)),
	};
	s->tdx.pending = out ? SOFT_TD_OUT : SOFT_TD_IN;
	return soft_kvm_tell(&x, run) == 0 ? SOFT_HOST : SOFT_DEAD;
}

static enum soft_turn end_in(struct soft_device *s, const struct kvm_run *run)
{
	uint32_t value;
	memcpy(&value, (const uint8_t *)run + SOFT_IO_DATA_AT, sizeof value);
	if (run->io.size < sizeof value)
		value &= (1u << 8 * run->io.size) - 1;
	registers(s)[R11] = value;
	return answer(s, TDX_CALL_SUCCESS);
}

static enum soft_turn on_cpuid(struct soft_device *s)
{
	struct monitor_cpuid c = { 0 };
	uint64_t *r = registers(s);
	soft_kvm_cpuid(s->cpuid, s->cpuid_count, (uint32_t)r[R12],
		(uint32_t)r[R13], &c);
	r[R12] = c.eax;
	r[R13] = c.ebx;
	r[R14] = c.ecx;
	r[R15] = c.edx;
	return answer(s, TDX_CALL_SUCCESS);
}

/* --- page states -------------------------------------------------------- */

static enum soft_turn next_map(struct soft_device *s, struct kvm_run *run)
{
	uint64_t at = s->tdx.map_next, left = s->tdx.map_end - at;
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.ret = 0;
	run->hypercall.args[0] = at & ~TDX_SHARED;
	run->hypercall.args[1] =
		(left < MAP_MOST ? left : MAP_MOST) / PAGE_BYTES;
	run->hypercall.args[2] = at & TDX_SHARED ? 0 : SPEC_KVM_MAP_ENCRYPTED;
	s->tdx.pending = SOFT_TD_MAP;
	return SOFT_HOST;
}

static bool map_legal(uint64_t gpa, uint64_t bytes)
{
	const uint64_t end = TDX_SHARED << 1;
	return bytes && gpa < end && bytes <= end - gpa &&
		!((gpa ^ (gpa + bytes - 1)) & TDX_SHARED);
}

static enum soft_turn on_map(struct soft_device *s, struct kvm_run *run)
{
	uint64_t gpa = registers(s)[R12], bytes = registers(s)[R13];
	uint64_t status = TDX_CALL_SUCCESS;
	if (!s->private.hypercalls)
		status = TDX_CALL_UNSUPPORTED;
	else if (!map_legal(gpa, bytes))
		status = TDX_CALL_OPERAND_INVALID;
	else if ((gpa | bytes) % PAGE_BYTES)
		status = TDX_CALL_ALIGN_ERROR;
	if (status != TDX_CALL_SUCCESS) {
		registers(s)[R11] = gpa;
		return answer(s, status);
	}
	s->tdx.map_next = gpa;
	s->tdx.map_end = gpa + bytes;
	return next_map(s, run);
}

static enum soft_turn end_map(struct soft_device *s, struct kvm_run *run)
{
	if (run->hypercall.ret) {
		registers(s)[R11] = s->tdx.map_next;
		return answer(s,
			run->hypercall.ret == EAGAIN ?
				TDX_CALL_RETRY :
				TDX_CALL_OPERAND_INVALID);
	}
	s->tdx.map_next += MAP_MOST;
	return s->tdx.map_next < s->tdx.map_end ? next_map(s, run) :
						  answer(s, TDX_CALL_SUCCESS);
}

/* --- what userspace answers --------------------------------------------- */

static enum soft_turn to_user(struct soft_device *s, struct kvm_run *run,
	const struct spec_kvm_tdx_exit *x)
{
	run->exit_reason = SPEC_KVM_EXIT_TDX;
	memcpy((uint8_t *)run + SPEC_KVM_RUN_UNION, x, sizeof *x);
	s->tdx.pending = SOFT_TD_USER;
	return SOFT_HOST;
}

static enum soft_turn end_user(struct soft_device *s, const struct kvm_run *run)
{
	struct spec_kvm_tdx_exit x;
	uint64_t *r = registers(s);
	memcpy(&x, (const uint8_t *)run + SPEC_KVM_RUN_UNION, sizeof x);
	if (x.nr == TDX_CALL_INFO && x.ret == TDX_CALL_SUCCESS) {
		r[R11] = x.info.r11;
		r[R12] = x.info.r12;
		r[R13] = x.info.r13;
		r[R14] = x.info.r14;
	}
	return answer(s, x.ret);
}

static enum soft_turn on_quote(struct soft_device *s, struct kvm_run *run)
{
	const uint64_t *r = registers(s);
	const struct spec_kvm_tdx_exit x = { .nr = TDX_CALL_GET_QUOTE,
		.ret = TDX_CALL_UNSUPPORTED,
		.get_quote = { r[R12] & ~TDX_SHARED, r[R13] } };
	if (!(r[R12] & TDX_SHARED))
		return answer(s, TDX_CALL_OPERAND_INVALID);
	return to_user(s, run, &x);
}

static enum soft_turn on_info(struct soft_device *s, struct kvm_run *run)
{
	uint64_t *r = registers(s);
	const struct spec_kvm_tdx_exit x = { .nr = TDX_CALL_INFO,
		.ret = TDX_CALL_SUCCESS,
		.info = { .leaf = 1 } };
	if (r[R12] == 1)
		return to_user(s, run, &x);
	if (r[R12])
		return answer(s, TDX_CALL_OPERAND_INVALID);
	r[R11] = r[R13] = r[R14] = 0;
	return answer(s, TDX_CALL_SUCCESS);
}

static enum soft_turn on_notify(struct soft_device *s, struct kvm_run *run)
{
	uint64_t vector = registers(s)[R12];
	const struct spec_kvm_tdx_exit x = { .nr = TDX_CALL_EVENT_NOTIFY,
		.ret = TDX_CALL_UNSUPPORTED,
		.event_notify = { vector } };
	if (vector < LEAST_VECTOR || vector >= VECTORS)
		return answer(s, TDX_CALL_OPERAND_INVALID);
	return to_user(s, run, &x);
}

/* The domain's last words: those of the registers that it named. */
static enum soft_turn end_guest(struct soft_device *s, struct kvm_run *run)
{
	static const uint8_t order[] = { R14, R15, MONITOR_RBX, MONITOR_RDI,
		MONITOR_RSI, 8, 9, MONITOR_RDX };
	const uint64_t *r = registers(s);
	uint64_t *data = (uint64_t *)run->system_event.data;
	uint32_t n = 2;
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = SPEC_KVM_SYSTEM_EVENT_TDX_FATAL;
	data[0] = r[R12];
	data[1] = r[R13];
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (r[MONITOR_RCX] >> order[i] & 1)
			data[n++] = r[order[i]];
	run->system_event.ndata = n;
	return SOFT_HOST;
}

/* --- all of them -------------------------------------------------------- */

enum soft_turn soft_tdvmcall_exit(struct soft_device *s, struct kvm_run *run)
{
	/* KVM's own hypercalls: none is offered. */
	if (registers(s)[R10])
		return answer(s, (uint64_t)-KVM_ENOSYS);
	switch (registers(s)[R11]) {
	case TDX_REASON_CPUID:
		return on_cpuid(s);
	case TDX_REASON_HLT:
		/* An interrupt may have come: nobody can tell. */
		return answer(s, TDX_CALL_SUCCESS);
	case TDX_REASON_IO:
		return on_port(s, run);
	case TDX_REASON_RDMSR:
	case TDX_REASON_WRMSR:
		/* None of them is here. */
		return answer(s, TDX_CALL_OPERAND_INVALID);
	case TDX_CALL_MAP_GPA:
		return on_map(s, run);
	case TDX_CALL_GET_QUOTE:
		return on_quote(s, run);
	case TDX_CALL_INFO:
		return on_info(s, run);
	case TDX_CALL_EVENT_NOTIFY:
		return on_notify(s, run);
	case TDX_CALL_FATAL_ERROR:
		return end_guest(s, run);
	default:
		return answer(s, TDX_CALL_UNSUPPORTED);
	}
}

enum soft_turn soft_tdvmcall_answer(struct soft_device *s, struct kvm_run *run)
{
	enum soft_td_pending pending = s->tdx.pending;
	s->tdx.pending = SOFT_TD_NONE;
	switch (pending) {
	case SOFT_TD_OUT:
		return answer(s, TDX_CALL_SUCCESS);
	case SOFT_TD_IN:
		return end_in(s, run);
	case SOFT_TD_MAP:
		return end_map(s, run);
	case SOFT_TD_USER:
		return end_user(s, run);
	default:
		return SOFT_GUEST;
	}
}

void soft_tdvmcall_scribble(struct soft_device *s)
{
	if (s->scribble_call &&
		s->machine.box->exit.reason == MONITOR_EXIT_TDVMCALL)
		s->scribble_call(s->scribble_ctx, registers(s));
}
