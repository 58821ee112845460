/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program below the shim: what must work does, what must not does not.  An
 * exit status from 100 on is the number of the check that failed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "abi/gate.h"
#include "guest.h"
#include "guest_isa.h"

struct gate_area *guest_area;

/* Short names, here. */
#define area	guest_area
#define need	guest_need
#define map	guest_map
#define refused guest_refused

void guest_need(bool ok, int number)
{
	if (!ok)
		_exit(100 + number);
}

static void ask(uint32_t seq)
{
	char byte;
	area->request =
		(struct gate_request){ .op = GATE_TIME_HINT, .seq = seq };
	need(write(GATE_BELL_FD, "", 1) == 1, 0);
	need(read(GATE_BELL_FD, &byte, 1) == 1, 1);
	need(area->reply.seq == seq && area->reply.ret0 == seq * 3, 2);
}

static void ring(void)
{
	for (uint32_t i = 1; i <= 3; i++)
		ask(i);
	_exit(0);
}

/* --- what must work ------------------------------------------------------- */

uint8_t *guest_map(size_t n, int prot)
{
	uint8_t *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void memory(void)
{
	enum { N = 300 * 4096 };
	uint8_t *p = map(N, PROT_READ | PROT_WRITE);
	need(p != NULL, 10);
	for (size_t i = 0; i < N; i += 511) {
		need(p[i] == 0, 11);
		p[i] = (uint8_t)(i / 511);
	}
	/* Something right behind it makes it move. */
	uint8_t *wall = mmap(p + N, 4096, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *q = mremap(p, N, 2 * N, MREMAP_MAYMOVE);
	need(q != MAP_FAILED && wall != MAP_FAILED, 12);
	for (size_t i = 0; i < N; i += 511)
		need(q[i] == (uint8_t)(i / 511), 13);
	need(q[2 * N - 1] == 0, 14);
	need(mprotect(q, N, PROT_READ) == 0 && q[0] == 0, 15);
	need(mprotect(q, N, PROT_READ | PROT_WRITE) == 0, 16);
	q[0] = 1;
	need(madvise(q, 4096, MADV_DONTNEED) == 0 && q[0] == 0, 17);
	need(munmap(q, 2 * N) == 0, 18);
	char *heap = malloc(100000), *more = realloc(heap, 3000000);
	need(more != NULL, 19);
	memset(more, 7, 3000000);
	free(more);
}

static void time_passes(void)
{
	struct timespec a, b;
	need(clock_gettime(CLOCK_MONOTONIC, &a) == 0, 20);
	do
		need(clock_gettime(CLOCK_MONOTONIC, &b) == 0, 21);
	while (b.tv_sec == a.tv_sec && b.tv_nsec == a.tv_nsec);
	need(b.tv_sec > a.tv_sec ||
			(b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec),
		22);
	/* The hour is a hint of the host's; ours is after 2023. */
	need(time(NULL) > 1700000000, 23);
}

static void random_bytes(void)
{
	uint64_t a[4] = { 0 }, b[4] = { 0 };
	need(getrandom(a, sizeof a, 0) == sizeof a, 30);
	need(getrandom(b, sizeof b, 0) == sizeof b, 31);
	need(memcmp(a, b, sizeof a) != 0 && a[3] != 0, 32);
	need(getauxval(AT_RANDOM) != 0 && getauxval(AT_SYSINFO_EHDR) == 0, 33);
}

/* Code of its own making, turned over to be run, and back. */
static void own_code(void)
{
	uint8_t *p = map(8192, PROT_READ | PROT_WRITE);
	need(p != NULL, 41);
	for (int i = 0; i < 2; i++) {
		guest_isa_code(p + 4096, 42 + i);
		need(mprotect(p, 8192, PROT_READ | PROT_EXEC) == 0, 42);
		uintptr_t at = (uintptr_t)p + 4096;
		need(((int (*)(void))at)() == 42 + i, 43);
		need(mprotect(p, 8192, PROT_READ | PROT_WRITE) == 0, 44);
	}
	need(munmap(p, 8192) == 0, 45);
}

static void live(void)
{
	static __thread int mine = 5;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	memory();
	time_passes();
	random_bytes();
	own_code();
	guest_isa_live();
	need(++mine == 6, 50);
	need(pthread_mutex_lock(&lock) == 0, 51);
	need(pthread_mutex_unlock(&lock) == 0, 52);
	need(getpid() == 1, 53);
	_exit(0);
}

static void full(void)
{
	enum { CHUNK = 8 << 20, MOST = 4096 };
	static uint8_t *got[MOST];
	for (int round = 0; round < 2; round++) {
		size_t n = 0;
		while (n < MOST &&
			(got[n] = map(CHUNK, PROT_READ | PROT_WRITE)))
			n++;
		/* What the tenant was promised is there, and all of it. */
		need(n * CHUNK >= area->boot.memory_bytes - CHUNK, 60);
		for (size_t i = 0; i < n; i++)
			for (size_t at = 0; at < CHUNK; at += 4096)
				got[i][at]++;
		for (size_t i = 0; i < n; i++) {
			need(got[i][CHUNK - 4096] == 1, 61);
			need(munmap(got[i], CHUNK) == 0, 62);
		}
	}
	_exit(0);
}

/* --- what must not -------------------------------------------------------- */

bool guest_refused(long result, int error)
{
	return result == -1 && errno == error;
}

static void walls(void)
{
	extern const char __executable_start[];
	void *code = (void *)(uintptr_t)__executable_start;
	uint8_t *p = map(4096, PROT_READ | PROT_WRITE);
	/* Nothing is executable and writable, and what was measured stays as
	 * it is. */
	need(map(4096, PROT_READ | PROT_EXEC) == NULL, 70);
	need(refused(mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC),
		     EACCES),
		71);
	need(refused(mprotect(p, 4096, PROT_WRITE | PROT_EXEC), EACCES), 71);
	uintptr_t stack = (uintptr_t)&p & ~(uintptr_t)4095;
	need(refused(mprotect((void *)stack, 4096, PROT_READ | PROT_EXEC),
		     EACCES),
		90);
	need(refused(mprotect(code, 4096, PROT_READ | PROT_WRITE), EACCES), 72);
	need(refused(munmap(code, 4096), EPERM), 73);
	need(mmap(code, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0) == MAP_FAILED,
		74);
	/* No descriptor but two, no process, no thread, no file. */
	need(refused(write(1, "x", 1), EBADF), 75);
	need(refused(write(GATE_AREA_FD, "x", 1), EBADF), 76);
	need(refused(syscall(SYS_openat, -100, "/", 0), ENOSYS), 77);
	need(refused(syscall(SYS_socket, 2, 1, 0), ENOSYS), 78);
	need(refused(syscall(SYS_clone, 0x100, 0, 0, 0, 0), ENOSYS), 80);
	need(refused(syscall(99999), ENOSYS), 81);
	need(refused(syscall(-1), ENOSYS), 82);
	/* Addresses of the shim's half, and ones that are none. */
	need(refused(syscall(SYS_clock_gettime, 1, 0xffffffff80000000), EFAULT),
		83);
	need(refused(syscall(SYS_getrandom, 0xffff800000400000, 8, 0), EFAULT),
		84);
	guest_isa_walls();
	need(refused(syscall(SYS_clock_gettime, 1, code), EFAULT), 86);
	need(refused(syscall(SYS_clock_gettime, 1, area), EFAULT), 87);
	/* An enclave, and RISC-V, have less room for what is never touched. */
	bool little = area->boot.tee == GATE_TEE_SGX ||
		area->boot.tee == GATE_TEE_SANCTUM;
	need(mmap(NULL, 1ull << (little ? 35 : 45), PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
		88);
	need(map(area->boot.memory_bytes + (128u << 20),
		     PROT_READ | PROT_WRITE) == NULL,
		89);
	_exit(0);
}

static int overflow(volatile int *n)
{
	volatile int here[64];
	here[0] = *n;
	if (here[0] == 1)
		return 1;
	return here[0] + overflow(here) + here[1];
}

static void fault(enum guest what)
{
	volatile int zero = 0;
	uint8_t *data = map(4096, PROT_READ | PROT_WRITE);
	uintptr_t at;
	switch (what) {
	case GUEST_NULL:
		*(volatile int *)(uintptr_t)zero = 1;
		break;
	case GUEST_READ_SHIM:
		at = 0xffffffff80000000;
		(void)*(volatile int *)at;
		break;
	case GUEST_WRITE_CODE:
		at = (uintptr_t)ask;
		*(volatile char *)at = 0;
		break;
	case GUEST_WRITE_MADE:
		mprotect(data, 4096, PROT_READ | PROT_EXEC);
		*(volatile uint8_t *)data = 0;
		break;
	case GUEST_RUN_DATA:
		guest_isa_code(data, 0);
		at = (uintptr_t)data;
		((void (*)(void))at)();
		break;
	case GUEST_OVERFLOW:
		_exit(overflow(&zero));
	default:
		guest_isa_fault(what);
	}
	_exit(99);
}

/* A report of its own data, which the host never had, and its quote. */
static void quote(void)
{
	static uint8_t data[64], report[1024];
	bool tdx = area->boot.tee == GATE_TEE_TDX;
	const size_t at = tdx ? 128 : 448, len = tdx ? sizeof report : 576;
	char byte;
	memset(data, 0x42, sizeof data);
	need(refused(syscall(GATE_CALL_REPORT, 0xffffffff80000000, report),
		     EFAULT),
		90);
	need(refused(syscall(GATE_CALL_REPORT, data, 0xffffffff80000000),
		     EFAULT),
		91);
	need(refused(syscall(GATE_CALL_REPORT, area, report), EFAULT), 92);
	need(syscall(GATE_CALL_REPORT, data, report) == 0, 93);
	need(!memcmp(report + at, data, sizeof data), 94);
	memcpy(area->data, report, len);
	area->request = (struct gate_request){ .op = GATE_EVIDENCE,
		.seq = 1,
		.data_len = (uint32_t)len };
	need(write(GATE_BELL_FD, "", 1) == 1, 95);
	need(read(GATE_BELL_FD, &byte, 1) == 1, 96);
	_exit((int)area->reply.error);
}

int main(void)
{
	void *p = mmap(NULL, GATE_AREA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED, GATE_AREA_FD, 0);
	if (p == MAP_FAILED)
		_exit(89);
	area = p;
	switch (area->boot.nonce[0]) {
	case GUEST_RING:
		ring();
		break;
	case GUEST_QUIT:
		_exit(7);
	case GUEST_WAIT:
		ask(1);
		break;
	case GUEST_SPIN:
		for (;;)
			__asm__ volatile("");
	case GUEST_LIVE:
		live();
		break;
	case GUEST_WALLS:
		walls();
		break;
	case GUEST_FULL:
		full();
		break;
	case GUEST_MARKS:
		guest_isa_marks();
		break;
	case GUEST_QUOTE:
		quote();
		break;
	default:
		fault(area->boot.nonce[0]);
	}
	return 98;
}
