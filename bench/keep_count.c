/* SPDX-License-Identifier: Apache-2.0 */
/*
 * donjon-keep for `make bench-keep`: the same program, whose calls of a
 * processor are counted.  The linker puts this between the HAL and its devices
 * (--wrap, module.mk); at the end one line goes to the file `counts` beside
 * the program, opened while files still could be.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <unistd.h>

#include "abi/enclave.h"
#include "abi/sanctum_driver.h"
#include "abi/vm.h"
#include "base/fmt.h"
#include "soft/device_priv.h"
#include "soft/sanctum.h"

static const struct device_ops *real;
static struct device_ops spy;
static const struct gate_area *area;
static uint64_t requests, exits, bells, after, ops[GATE_OP_COUNT];
static uint32_t op;
static bool up, soft;
static int to = -1;

/* Why an enclave was left: all, and those after the channel was up. */
enum left {
	LEFT_BELL,
	LEFT_TRAP,
	LEFT_FAULT,
	LEFT_ADD,
	LEFT_RIGHTS,
	LEFT_REMOVE,
	LEFT_OTHER,
	LEFT_REASONS,
};
static const char *const left_names[LEFT_REASONS] = { "the bell",
	"system call, CPUID", "page fault", "pages to add", "rights of pages",
	"pages to remove", "other" };
static uint64_t left[LEFT_REASONS][2];
/* Pages that the kernel added because the enclave touched them: of real
 * hardware an exit each, of which the loader hears nothing. */
static uint64_t touched_before;

static void *spy_memory(struct device *d, size_t len)
{
	uint8_t *p = real->memory(d, len);
	if (p && len == VM_WINDOW_BYTES)
		area = (const void *)(p + VM_AREA_AT);
	return p;
}

/* The security monitor's enclaves are entered by a request. */
static int spy_run(struct device *d, int handle, struct sanctum_run *r)
{
	up = up || (op == GATE_ACCEPT && area->reply.error == GATE_OK);
	int n = real->ioctl(d, handle, SANCTUM_IOC_RUN, r);
	op = area->request.op;
	exits++;
	after += up;
	if (n == 0 && r->event == VM_EVENT_BELL && op < GATE_OP_COUNT) {
		bells++;
		ops[op]++;
	}
	return n;
}

static int spy_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	if (request == SANCTUM_IOC_RUN)
		return spy_run(d, handle, arg);
	requests++;
	return real->ioctl(d, handle, request, arg);
}

/* The channel is up when the host has handed its first connection over. */
static int spy_enter(struct device *d, int vcpu, void *run)
{
	const struct kvm_run *r = run;
	up = up || (op == GATE_ACCEPT && area->reply.error == GATE_OK);
	int n = real->enter(d, vcpu, run);
	op = area->request.op;
	exits++;
	after += up;
	if (n == 0 && r->exit_reason == KVM_EXIT_IO && op < GATE_OP_COUNT) {
		bells++;
		ops[op]++;
	}
	return n;
}

static uint64_t touched(const struct device *d)
{
	const struct soft_device *s = (const void *)d;
	return soft ? s->machine.box->counts[MONITOR_COUNT_TOUCHED] : 0;
}

/* An enclave leaves by EEXIT, which says why, or by an exception. */
static enum left why_left(const struct device_enclave *x)
{
	if (x->function != SGX_EEXIT)
		return x->vector == 14 ? LEFT_FAULT : LEFT_TRAP;
	switch (x->rdi) {
	case ENCLAVE_BELL:
	case ENCLAVE_EXIT:
		return LEFT_BELL;
	case ENCLAVE_ADD:
		return LEFT_ADD;
	case ENCLAVE_RESTRICT:
		return LEFT_RIGHTS;
	case ENCLAVE_RETYPE:
	case ENCLAVE_REMOVE:
		return LEFT_REMOVE;
	default:
		return LEFT_OTHER;
	}
}

static int spy_enclave(struct device *d, int handle, struct device_enclave *x)
{
	if (!up && op == GATE_ACCEPT && area->reply.error == GATE_OK) {
		up = true;
		touched_before = touched(d);
	}
	int n = real->enclave_enter(d, handle, x);
	enum left why = n == 0 ? why_left(x) : LEFT_OTHER;
	op = area->request.op;
	exits++;
	after += up;
	left[why][0]++;
	left[why][1] += up;
	if (why == LEFT_BELL && x->rdi == ENCLAVE_BELL && op < GATE_OP_COUNT) {
		bells++;
		ops[op]++;
	}
	return n;
}

/* No stream: its calls are not what a confined loader may make. */
static void put(const char *format, ...) PRINTF(1, 2);
static void put(const char *format, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, format);
	size_t n = fmt_v(text, sizeof text, format, ap);
	va_end(ap);
	(void)!write(to, text, n);
}

static void tell_monitor(const struct device *d)
{
	static const char *const names[] = { "host", "memory", "cpuid", "msr",
		"port", "vmgexit", "rmp", "other" };
	const struct soft_device *s = (const void *)d;
	const struct monitor_box *b = s->machine.box;
	put(", \"processor\": {\"all\": %llu", (unsigned long long)b->exits);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		put(", \"%s\": %u", names[i], b->counts[i]);
	put("}");
}

static void put_pair(const char *name, uint64_t all, uint64_t since)
{
	put("\"%s\": [%llu, %llu]", name, (unsigned long long)all,
		(unsigned long long)since);
}

static void tell_enclave(const struct device *d)
{
	const struct soft_device *s = (const void *)d;
	if (soft)
		put(", \"pages added\": %u",
			s->machine.box->counts[MONITOR_COUNT_PAGES]);
	put(", \"enclave\": {");
	for (size_t i = 0; i < LEFT_REASONS; i++) {
		put_pair(left_names[i], left[i][0], left[i][1]);
		put(", ");
	}
	put_pair("beside them, on hardware: pages touched", touched(d),
		touched(d) - touched_before);
	put("}");
}

static void spy_free(struct device *d)
{
	static const char *const names[GATE_OP_COUNT] = { "?", "evidence",
		"publish", "listen", "accept", "connect", "send", "recv",
		"shutdown", "close", "poll", "resolve", "time_hint", "log",
		"exit" };
	put("{\"requests\": %llu, \"exits\": %llu, \"bells\": %llu, "
	    "\"after\": %llu",
		(unsigned long long)requests, (unsigned long long)exits,
		(unsigned long long)bells, (unsigned long long)after);
	if (left[LEFT_BELL][0])
		tell_enclave(d);
	for (size_t i = 1; i < GATE_OP_COUNT; i++)
		if (ops[i])
			put(", \"%s\": %llu", names[i],
				(unsigned long long)ops[i]);
	if (soft)
		tell_monitor(d);
	put("}\n");
	real->free(d);
}

static void spy_on(struct device *d)
{
	char path[4096] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
	char *slash = n > 0 ? strrchr(path, '/') : NULL;
	if (slash) {
		memcpy(slash, "/counts", sizeof "/counts");
		to = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			0644);
	}
	real = d->ops;
	spy = *real;
	spy.memory = spy_memory;
	spy.ioctl = spy_ioctl;
	spy.enter = spy_enter;
	spy.enclave_enter = spy_enclave;
	spy.free = spy_free;
	d->ops = &spy;
}

/* --- the linker's doors -----------------------------------------------------
 */

bool __real_device_linux_new(struct device **out, struct err *e);
bool __wrap_device_linux_new(struct device **out, struct err *e);
bool __wrap_device_linux_new(struct device **out, struct err *e)
{
	if (!__real_device_linux_new(out, e))
		return false;
	spy_on(*out);
	return true;
}

bool __real_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	soft = true;
	if (!__real_soft_device_new(c, out, e))
		return false;
	spy_on(*out);
	return true;
}

bool __real_soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	if (!__real_soft_sanctum_new(c, out, e))
		return false;
	spy_on(*out);
	return true;
}

/* It looks at whose device it is. */
bool __real_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);
bool __wrap_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);
bool __wrap_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e)
{
	d->ops = real;
	bool ok = __real_soft_device_endorsements(d, out, e);
	d->ops = &spy;
	return ok;
}
