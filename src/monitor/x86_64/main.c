/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fmt.h"
#include "base/must.h"
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/monitor.h"

static struct monitor monitor;

void *monitor_memory(uint64_t hpa)
{
	return (void *)hpa;
}

void monitor_log(struct monitor *m, const char *format, ...)
{
	char line[256];
	va_list ap;
	va_start(ap, format);
	size_t n = fmt_v(line, sizeof line - 1, format, ap);
	va_end(ap);
	line[n++] = '\n';
	uint32_t at = m->box->log_bytes;
	if (at > sizeof m->box->log - n)
		return;
	memcpy(m->box->log + at, line, n);
	m->box->log_bytes = at + (uint32_t)n;
}

/* The host sees that nothing goes on any more. */
NORETURN static void stop(void)
{
	monitor.box->exit.reason = MONITOR_EXIT_BUG;
	monitor.box->run_done = monitor.box->run_asked;
	bell_ring(MONITOR_BELL_RUN);
	for (;;)
		cpu_hlt();
}

NORETURN void monitor_fault(const uint64_t *stack);
NORETURN void monitor_fault(const uint64_t *stack)
{
	monitor_log(&monitor, "exception: %llx %llx %llx, cr2 %llx",
		(unsigned long long)stack[0], (unsigned long long)stack[1],
		(unsigned long long)stack[2],
		(unsigned long long)cpu_read_cr2());
	stop();
}

NORETURN void must_failed(const char *what, const char *file, int line)
{
	(void)what;
	monitor_log(&monitor, "bug at %s:%d", file, line);
	stop();
}

/* Something to do, or an interrupt: short spins are cheaper than sleep. */
static bool asked(const struct monitor_box *b)
{
	return b->run_asked != b->run_done || b->call_asked != b->call_done;
}

static void wait(struct monitor_box *b)
{
	for (uint32_t i = b->spin; i && !asked(b); i--) {
		cpu_pause();
		cpu_fence();
	}
	if (asked(b))
		return;
	b->asleep = 1;
	cpu_fence();
	if (!asked(b))
		cpu_sleep();
	b->asleep = 0;
}

NORETURN void monitor_main(void);
NORETURN void monitor_main(void)
{
	struct monitor *m = &monitor;
	m->box = monitor_memory(MONITOR_SHARED_HPA);
	bell_init_interrupts();
	if (!bell_init() || m->box->magic != MONITOR_MAGIC ||
		m->box->version != MONITOR_VERSION ||
		!npt_init(&m->npt, MONITOR_TABLES_HPA, m->box->tables_end))
		for (;;)
			cpu_hlt();
	vcpu_init(m);
	m->box->alive = MONITOR_MAGIC;
	bell_ring(MONITOR_BELL_CALL);
	for (;;) {
		wait(m->box);
		calls_serve(m);
		uint32_t run = m->box->run_asked;
		if (run == m->box->run_done)
			continue;
		vcpu_run(m);
		cpu_fence();
		m->box->run_done = run;
		bell_ring(MONITOR_BELL_RUN);
	}
}
