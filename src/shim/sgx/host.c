/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sgx/sgx.h"

#include "arch/x86_64/cpu.h"

/* The host's memory, in words: a processor may mix stale data of its own into
 * what is read or written there in smaller pieces. */
static volatile uint64_t *window;

void host_init(uint64_t at)
{
	const uint64_t end = (uint64_t)ENCLAVE_BASE + ENCLAVE_BYTES;
	bool outside = at % PAGE_BYTES == 0 && at >= PAGE_BYTES &&
		at < (1ull << 47) - VM_WINDOW_BYTES &&
		(at + VM_WINDOW_BYTES <= ENCLAVE_BASE || at >= end);
	/* There is nowhere to write why. */
	for (;;) {
		if (outside)
			break;
		enclave_leave(ENCLAVE_CRASH, 0, 0, 0);
	}
	cpu_fence_loads();
	window = (volatile uint64_t *)at;
}

void host_read(void *to, uint32_t at, size_t n)
{
	uint8_t *p = to;
	if (at % 8 || n > VM_WINDOW_BYTES || at > VM_WINDOW_BYTES - n)
		shim_crash("bug: a read outside the window");
	for (volatile uint64_t *w = window + at / 8; n;) {
		uint64_t word = *w++;
		size_t part = size_min(n, sizeof word);
		memcpy(p, &word, part);
		p += part;
		n -= part;
	}
	cpu_fence_loads();
}

void host_write(uint32_t at, const void *from, size_t n)
{
	const uint8_t *p = from;
	if (!window || at % 8 || n > VM_WINDOW_BYTES - 8 ||
		at > VM_WINDOW_BYTES - 8 - n)
		return;
	for (volatile uint64_t *w = window + at / 8; n;) {
		uint64_t word = 0;
		size_t part = size_min(n, sizeof word);
		memcpy(&word, p, part);
		*w++ = word;
		p += part;
		n -= part;
	}
}

/* --- the gate --------------------------------------------------------------
 */

enum {
	REQUEST = VM_AREA_AT + offsetof(struct gate_area, request),
	REPLY = VM_AREA_AT + offsetof(struct gate_area, reply),
	DATA = VM_AREA_AT + offsetof(struct gate_area, data),
	REPORT_DATA = 64,
};

/* The host's quoting enclave is whom the report is for; one that is not makes
 * evidence that nobody accepts, no more. */
static void put_report(struct gate_request *r, const uint8_t *data)
{
	static struct sgx_targetinfo target;
	static struct sgx_report_mac report;
	if (r->data_len != REPORT_DATA)
		shim_crash("report data of %u bytes", r->data_len);
	host_read(&target, ENCLAVE_TARGET_AT, sizeof target);
	report_make(&target, data, &report);
	host_write(DATA, &report, sizeof report);
	r->data_len = sizeof report;
}

static void put_request(const struct gate_area *a)
{
	struct gate_request r = a->request;
	if (r.data_len > GATE_DATA_BYTES)
		shim_crash("a request of %u bytes", r.data_len);
	if (r.op == GATE_EVIDENCE)
		put_report(&r, a->data);
	else
		host_write(DATA, a->data, r.data_len);
	host_write(REQUEST, &r, sizeof r);
}

/* exec judges what the reply says; here it is what may be copied at all. */
static void take_reply(struct gate_area *a)
{
	struct gate_reply r;
	host_read(&r, REPLY, sizeof r);
	if (r.data_len > GATE_DATA_BYTES)
		shim_crash("the host's reply is longer than the gate: %u",
			r.data_len);
	host_read(a->data, DATA, r.data_len);
	a->reply = r;
}

void shim_bell(void)
{
	struct gate_area *a = (struct gate_area *)shim_user.gate;
	if (!a)
		shim_crash("exec rings without a gate");
	put_request(a);
	enclave_leave(ENCLAVE_BELL, 0, 0, 0);
	take_reply(a);
}
