/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/ppc64le/cpu.h"
#include "base/fmt.h"
#include "base/must.h"
#include "monitor/ppc64le/monitor.h"

/* While nothing is asked: 1 ms of 512 MHz. */
#define WAIT_TICKS 512000u

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

NORETURN static void halt(void)
{
	for (;;) {
		cpu_mtspr(SPR_HDEC, INT32_MAX);
		cpu_stop();
	}
}

/* The host sees that nothing goes on any more. */
NORETURN static void stop(void)
{
	monitor.box->exit.reason = MONITOR_EXIT_BUG;
	monitor.box->run_done = monitor.box->run_asked;
	bell_ring(MONITOR_BELL_RUN);
	halt();
}

NORETURN void monitor_fault(uint64_t vector, uint64_t at, uint64_t msr,
	uint64_t address);
NORETURN void monitor_fault(uint64_t vector, uint64_t at, uint64_t msr,
	uint64_t address)
{
	monitor_log(&monitor, "interrupt 0x%llx of its own at %llx, %llx, %llx",
		(unsigned long long)vector, (unsigned long long)at,
		(unsigned long long)msr, (unsigned long long)address);
	stop();
}

NORETURN void must_failed(const char *what, const char *file, int line)
{
	(void)what;
	monitor_log(&monitor, "bug at %s:%d", file, line);
	stop();
}

static bool asked(const struct monitor_box *b)
{
	const volatile struct monitor_box *v = b;
	return v->run_asked != v->run_done || v->call_asked != v->call_done;
}

/* Short spins are cheaper than sleep, which nothing but time ends. */
static void wait(const struct monitor_box *b)
{
	for (uint32_t i = b->spin; i; i--)
		if (asked(b))
			return;
	while (!asked(b)) {
		cpu_mtspr(SPR_HDEC, WAIT_TICKS);
		cpu_stop();
	}
}

NORETURN void monitor_main(void);
NORETURN void monitor_main(void)
{
	struct monitor *m = &monitor;
	m->box = monitor_memory(MONITOR_PPC_SHARED_HPA);
	cpu_mtspr(SPR_LPCR, CPU_LPCR_WAKE);
	cpu_mtspr(SPR_PSSCR, 0);
	if (!bell_init() || m->box->magic != MONITOR_MAGIC ||
		m->box->version != MONITOR_VERSION)
		halt();
	m->box->alive = MONITOR_MAGIC;
	bell_ring(MONITOR_BELL_CALL);
	for (;;) {
		wait(m->box);
		cpu_sync();
		calls_serve(m);
		uint32_t run = m->box->run_asked;
		if (run == m->box->run_done)
			continue;
		vcpu_run(m);
		cpu_sync();
		m->box->run_done = run;
		bell_ring(MONITOR_BELL_RUN);
	}
}
