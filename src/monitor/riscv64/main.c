/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/riscv64/csr.h"
#include "base/fmt.h"
#include "base/must.h"
#include "monitor/riscv64/monitor.h"

static struct monitor monitor;

extern const uint8_t handler[], handler_end[]; /* boot.S */

#define MIE_TIMER    (1u << 7)
#define MIE_EXTERNAL (1u << 11)

void *monitor_memory(uint64_t at)
{
	return (void *)at;
}

void monitor_log(const char *format, ...)
{
	char line[256];
	va_list ap;
	struct monitor_box *b = monitor.box;
	va_start(ap, format);
	size_t n = fmt_v(line, sizeof line - 1, format, ap);
	va_end(ap);
	line[n++] = '\n';
	uint32_t at = b->log_bytes;
	if (at > sizeof b->log - n)
		return;
	memcpy(b->log + at, line, n);
	b->log_bytes = at + (uint32_t)n;
}

/* The host sees that nothing goes on any more. */
NORETURN static void stop(void)
{
	monitor.box->exit.reason = MONITOR_EXIT_BUG;
	monitor.box->run_done = monitor.box->run_asked;
	bell_ring(MONITOR_BELL_RUN);
	for (;;)
		cpu_wait();
}

NORETURN void monitor_fault(uint64_t cause, uint64_t pc, uint64_t at);
NORETURN void monitor_fault(uint64_t cause, uint64_t pc, uint64_t at)
{
	monitor_log("exception %llx at %llx, %llx", (unsigned long long)cause,
		(unsigned long long)pc, (unsigned long long)at);
	stop();
}

NORETURN void must_failed(const char *what, const char *file, int line)
{
	(void)what;
	monitor_log("bug at %s:%d", file, line);
	stop();
}

/* --- where there is no operating system: the loader's calls ------------- */

/* The stage holds them; each is copied before it is judged.  The first that
 * fails is the last. */
static void serve(struct monitor *m)
{
	struct monitor_call *c = &m->box->call;
	struct sanctum_call *list =
		monitor_memory(SANCTUM_UNTRUSTED_AT + MONITOR_STAGE_AT);
	const uint64_t most = MONITOR_STAGE_BYTES / sizeof *list;
	uint64_t n = __atomic_load_n(&c->a, __ATOMIC_SEQ_CST);
	c->result = MONITOR_WRONG;
	for (uint64_t i = 0; c->op == MONITOR_SANCTUM && i < n && i < most;
		i++) {
		struct sanctum_call one = list[i];
		cpu_fence();
		one.result = enclave_call(m, one.number, one.a, &one.value);
		list[i].value = one.value;
		list[i].result = one.result;
		c->result = MONITOR_OK;
		if (one.result != SANCTUM_OK)
			break;
	}
}

static void run(struct monitor *m)
{
	struct monitor_exit x = { .reason = MONITOR_EXIT_SANCTUM };
	enum sanctum_result r;
	uint64_t number = m->box->enclave, event = 0;
	struct enclave *v = enclave_enter(m, number, &r);
	if (v)
		r = run_enclave(m, v, 0, &event);
	x.port = r;
	x.value = (uint32_t)event;
	m->box->exits++;
	memcpy(&m->box->exit, &x, sizeof x);
}

static bool asked(const struct monitor_box *b)
{
	return __atomic_load_n(&b->run_asked, __ATOMIC_SEQ_CST) !=
		b->run_done ||
		__atomic_load_n(&b->call_asked, __ATOMIC_SEQ_CST) !=
		b->call_done;
}

static void wait(struct monitor_box *b)
{
	for (uint32_t i = b->spin; i && !asked(b); i--)
		cpu_fence();
	if (asked(b))
		return;
	__atomic_store_n(&b->asleep, 1, __ATOMIC_SEQ_CST);
	if (!asked(b))
		cpu_wait();
	b->asleep = 0;
	bell_clear();
}

NORETURN static void serve_loader(struct monitor *m)
{
	for (;;) {
		wait(m->box);
		uint32_t call = m->box->call_asked;
		if (call != m->box->call_done) {
			cpu_fence();
			serve(m);
			__atomic_store_n(&m->box->call_done, call,
				__ATOMIC_SEQ_CST);
			bell_ring(MONITOR_BELL_CALL);
		}
		uint32_t asked_run = m->box->run_asked;
		if (asked_run == m->box->run_done)
			continue;
		cpu_fence();
		run(m);
		__atomic_store_n(&m->box->run_done, asked_run,
			__ATOMIC_SEQ_CST);
		bell_ring(MONITOR_BELL_RUN);
	}
}

/* --- start -------------------------------------------------------------- */

static bool take_record(struct monitor *m)
{
	struct sanctum_record *r = monitor_memory(SANCTUM_RECORD_AT);
	bool ok = r->magic == SANCTUM_RECORD_MAGIC &&
		r->version == SANCTUM_RECORD_VERSION &&
		r->ram_end > SANCTUM_ENCLAVES_AT &&
		r->ram_end < SANCTUM_UNTRUSTED_AT &&
		r->ram_end % PAGE_BYTES == 0 &&
		r->untrusted_bytes % PAGE_BYTES == 0 && r->untrusted_bytes;
	m->record = *r;
	explicit_bzero(r, sizeof *r);
	return ok;
}

NORETURN void monitor_main(void);
NORETURN void monitor_main(void)
{
	struct monitor *m = &monitor;
	m->box = monitor_memory(SANCTUM_UNTRUSTED_AT);
	m->handler.ptr = handler;
	m->handler.len = (uint64_t)(handler_end - handler);
	uint64_t random;
	if (!take_record(m) || !bell_init() || !random_draw(&random))
		for (;;)
			cpu_wait();
	crypto_init(random);
	context_init();
	timer_set(0);
	csr_write(mie, MIE_TIMER | MIE_EXTERNAL);
	m->box->alive = MONITOR_MAGIC;
	bell_ring(MONITOR_BELL_CALL);
	if (m->record.system_at)
		run_system(m);
	serve_loader(m);
}
