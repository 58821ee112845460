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

static struct gate_area *area;

static void need(bool ok, int number)
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

static uint8_t *map(size_t n, int prot)
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

/* Vector registers keep what is in them over a way out and back. */
__attribute__((target("avx2"))) static void vectors(void)
{
	typedef uint32_t v8 __attribute__((vector_size(32)));
	if (!__builtin_cpu_supports("avx2"))
		return;
	v8 x = { 1, 2, 3, 4, 5, 6, 7, 8 };
	long n = SYS_getpid;
	__asm__ volatile("vmovdqa %1, %%ymm7\n\t"
			 "syscall\n\t"
			 "vmovdqa %%ymm7, %1"
			 : "+a"(n), "+m"(x)
			 :
			 : "rcx", "r11", "memory", "xmm7");
	for (uint32_t i = 0; i < 8; i++)
		need(x[i] == i + 1, 40);
}

/* A bell with marks in every register that is not the call's own.  True: all
 * of them are there afterwards. */
static bool marked_bell(const uint64_t marks[4])
{
	uint64_t ok;
	__asm__ volatile("push %%rbp\n\t"
			 "mov (%[m]), %%rbp\n\t"
			 ".irp r, 8, 9, 10, 12, 13, 14, 15\n\t"
			 "mov %%rbp, %%r\\r\n\t"
			 ".endr\n\t"
			 "mov %%rbp, %%rbx\n\t"
			 ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "movdqu (%[m]), %%xmm\\r\n\t"
			 ".endr\n\t"
			 "fldpi\n\t"
			 "mov $1, %%eax\n\t" /* write */
			 "mov $3, %%edi\n\t"
			 "mov $1, %%edx\n\t"
			 "syscall\n\t"
			 "fstp %%st(0)\n\t"
			 "cmp $1, %%rax\n\t"
			 "sete %%al\n\t"
			 ".irp r, 8, 9, 10, 12, 13, 14, 15\n\t"
			 "xor %%rbp, %%r\\r\n\t"
			 "or %%r\\r, %%rbx\n\t"
			 ".endr\n\t"
			 "cmp %%rbp, %%rbx\n\t"
			 "sete %%ah\n\t"
			 "and %%ah, %%al\n\t"
			 ".irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "pxor %%xmm\\r, %%xmm0\n\t"
			 "pxor %%xmm\\r, %%xmm0\n\t"
			 "pcmpeqb %%xmm0, %%xmm\\r\n\t"
			 "pmovmskb %%xmm\\r, %%ebx\n\t"
			 "cmp $0xffff, %%ebx\n\t"
			 "sete %%ah\n\t"
			 "and %%ah, %%al\n\t"
			 ".endr\n\t"
			 "pop %%rbp\n\t"
			 "movzbl %%al, %%eax\n\t"
			 : "=&a"(ok)
			 : [m] "S"(marks)
			 : "rbx", "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11",
			 "r12", "r13", "r14", "r15", "memory", "cc", "xmm0",
			 "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			 "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			 "xmm14", "xmm15");
	return ok;
}

typedef int64_t call_fn(uint64_t number, const uint64_t args[6]);

/* The shim's way without a trap, where it has one. */
static call_fn *door(void)
{
	const struct gate_shim *s =
		(const void *)(uintptr_t)getauxval(GATE_AUX_SHIM);
	call_fn *f = NULL;
	if (s && s->call)
		memcpy(&f, &s->call, sizeof f);
	return f;
}

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return door()(number, (const uint64_t[6]){ a, b, c });
}

/* The same, by a call: marks are in all that a caller keeps and in vectors. */
static bool marked_call(const uint64_t marks[4])
{
	const uint64_t args[6] = { GATE_BELL_FD, (uintptr_t) "", 1 };
	const uint64_t in[6] = { marks[0], marks[1], marks[2], marks[3],
		(uintptr_t)args, (uintptr_t)door() };
	const uint64_t *from = in;
	uint64_t n = SYS_write, kept;
	__asm__ volatile("push %%rbp\n\t"
			 "mov %%rsp, %%rbp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov (%%rsi), %%rbx\n\t"
			 ".irp r, 12, 13, 14, 15\n\t"
			 "mov %%rbx, %%r\\r\n\t"
			 ".endr\n\t"
			 ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "movdqu (%%rsi), %%xmm\\r\n\t"
			 ".endr\n\t"
			 "mov 40(%%rsi), %%rax\n\t"
			 "mov 32(%%rsi), %%rsi\n\t"
			 "call *%%rax\n\t"
			 "mov %%rbp, %%rsp\n\t"
			 "pop %%rbp\n\t"
			 "mov %%rbx, %%rcx\n\t"
			 ".irp r, 12, 13, 14, 15\n\t"
			 "xor %%rbx, %%r\\r\n\t"
			 "or %%r\\r, %%rcx\n\t"
			 ".endr\n\t"
			 : "=&c"(kept), "+D"(n), "+S"(from)
			 :
			 : "rax", "rbx", "rdx", "r8", "r9", "r10", "r11", "r12",
			 "r13", "r14", "r15", "memory", "cc", "xmm0", "xmm1",
			 "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			 "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			 "xmm15");
	return kept == marks[0];
}

/* How a program finds its processor, whatever its host had left there. */
static void clean_state(void)
{
	uint32_t mxcsr;
	uint16_t control;
	uint64_t flags;
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(control));
	__asm__ volatile("pushfq\n\tpop %0" : "=r"(flags));
	need((mxcsr & ~0x3fu) == 0x1f80, 54);
	need(control == 0x37f, 55);
	need(!(flags & 0x40400), 56); /* AC, DF */
}

static void marks(void)
{
	static const uint64_t m[4] = { GUEST_MARK, GUEST_MARK, GUEST_MARK,
		GUEST_MARK };
	char byte;
	clean_state();
	for (uint32_t i = 1; i <= 3; i++) {
		area->request =
			(struct gate_request){ .op = GATE_TIME_HINT, .seq = i };
		need(i == 2 ? marked_call(m) : marked_bell(m), 57);
		clean_state();
		need(read(GATE_BELL_FD, &byte, 1) == 1, 58);
		need(area->reply.seq == i, 59);
	}
	_exit(0);
}

/* Code of its own making, turned over to be run, and back. */
static void own_code(void)
{
	static const uint8_t codes[2][6] = {
		{ 0xb8, 42, 0, 0, 0, 0xc3 },
		{ 0xb8, 43, 0, 0, 0, 0xc3 },
	};
	uint8_t *p = map(8192, PROT_READ | PROT_WRITE);
	need(p != NULL, 41);
	for (int i = 0; i < 2; i++) {
		memcpy(p + 4096, codes[i], sizeof codes[i]);
		need(mprotect(p, 8192, PROT_READ | PROT_EXEC) == 0, 42);
		uintptr_t at = (uintptr_t)p + 4096;
		need(((int (*)(void))at)() == 42 + i, 43);
		need(mprotect(p, 8192, PROT_READ | PROT_WRITE) == 0, 44);
	}
	need(munmap(p, 8192) == 0, 45);
}

/* Code that was put into place: there, executable and no more. */
static void code_put(void)
{
	enum { SPAN = 64 * 4096 };
	static uint8_t code[2 * 4096 + 6];
	static const uint8_t tail[6] = { 0xb8, 44, 0, 0, 0, 0xc3 };
	const uintptr_t from = (uintptr_t)code;
	memset(code, 0x90, sizeof code);
	memcpy(code + 2 * 4096, tail, sizeof tail);
	uint8_t *span = map(SPAN, PROT_NONE);
	uint8_t *data = map(4096, PROT_READ | PROT_WRITE);
	need(span && data, 110);
	uintptr_t at = (uintptr_t)span;
	need(call(GATE_CALL_CODE, at, from, sizeof code) == 0, 111);
	need(((int (*)(void))at)() == 44, 112);
	need(!memcmp(span, code, sizeof code), 113);
	need(span[sizeof code] == 0xcc, 114);
	at += 3 * 4096;
	need(call(GATE_CALL_CODE, at, from + 2 * 4096, 6) == 0, 115);
	need(((int (*)(void))at)() == 44, 116);
	/* Not where something is, nor where it may be written, nor from
	 * nowhere. */
	need(call(GATE_CALL_CODE, at, from, 6) == -EINVAL, 117);
	need(call(GATE_CALL_CODE, at + 4097, from, 6) == -EINVAL, 118);
	need(call(GATE_CALL_CODE, (uintptr_t)data, from, 6) == -EINVAL, 119);
	need(call(GATE_CALL_CODE, at + 4096, from, SPAN) == -EINVAL, 120);
	need(call(GATE_CALL_CODE, at + 4096, 8, 6) == -EFAULT, 121);
	need(munmap(span, SPAN) == 0 && munmap(data, 4096) == 0, 122);
}

/* As SYSCALL, and nothing of the caller's is changed by a way out. */
static void without_trap(void)
{
	uint32_t mxcsr = 0x9fc0, now; /* flush to zero, denormals are zero */
	uint16_t control = 0x27f, then;
	struct timespec t = { 0 };
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(control));
	need(call(SYS_getpid, 0, 0, 0) == 1, 123);
	/* The host adds the pages of this. */
	const uint64_t args[6] = { 0, 1 << 19, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0 };
	int64_t p = door()(SYS_mmap, args);
	need(p > 0 && call(SYS_munmap, (uint64_t)p, 1 << 19, 0) == 0, 124);
	need(call(SYS_mmap, 0, 2 << 20, 3) == -EBADF, 125);
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(now), "=m"(then));
	need(now == mxcsr && then == control, 126);
	mxcsr = 0x1f80;
	control = 0x37f;
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(control));
	need(call(SYS_clock_gettime, 1, (uintptr_t)&t, 0) == 0, 127);
	need(t.tv_sec || t.tv_nsec, 128);
	need(call(SYS_clock_gettime, 1, 8, 0) == -EFAULT, 129);
	need(call(99999, 0, 0, 0) == -ENOSYS, 130);
	need(call(SYS_write, 1, (uintptr_t) "x", 1) == -EBADF, 131);
	code_put();
}

static void live(void)
{
	static __thread int mine = 5;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	memory();
	time_passes();
	random_bytes();
	vectors();
	own_code();
	if (door())
		without_trap();
	else
		need(syscall(GATE_CALL_CODE, 0, 0, 0) == -1, 132);
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

static bool refused(long result, int error)
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
	need(refused(syscall(SYS_fork), ENOSYS), 79);
	need(refused(syscall(SYS_clone, 0x100, 0, 0, 0, 0), ENOSYS), 80);
	need(refused(syscall(99999), ENOSYS), 81);
	need(refused(syscall(-1), ENOSYS), 82);
	/* Addresses of the shim's half, and ones that are none. */
	need(refused(syscall(SYS_clock_gettime, 1, 0xffffffff80000000), EFAULT),
		83);
	need(refused(syscall(SYS_getrandom, 0xffff800000400000, 8, 0), EFAULT),
		84);
	need(refused(syscall(SYS_arch_prctl, 0x1002, 0xffffffff80000000),
		     EPERM),
		85);
	need(refused(syscall(SYS_clock_gettime, 1, code), EFAULT), 86);
	need(refused(syscall(SYS_clock_gettime, 1, area), EFAULT), 87);
	/* An enclave has less room for what is never touched. */
	bool enclave = area->boot.tee == GATE_TEE_SGX;
	need(mmap(NULL, 1ull << (enclave ? 35 : 45), PROT_READ,
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
		data[0] = 0xc3;
		at = (uintptr_t)data;
		((void (*)(void))at)();
		break;
	case GUEST_OVERFLOW:
		_exit(overflow(&zero));
	case GUEST_UD:
		__asm__ volatile("ud2");
		break;
	case GUEST_DIVIDE:
		__asm__ volatile("divl %0" : : "r"(0) : "eax", "edx");
		break;
	case GUEST_HLT:
		__asm__ volatile("hlt");
		break;
	case GUEST_OUT:
		__asm__ volatile("outb %%al, $0x80" : : "a"(0));
		break;
	case GUEST_RDMSR:
		__asm__ volatile("rdmsr" : : "c"(0x10) : "eax", "edx");
		break;
	default:
		__asm__ volatile("int $0x80" : : "a"(1) : "memory");
	}
	_exit(99);
}

/* A report of its own data, which the host never had, and its quote. */
static void quote(void)
{
	static uint8_t data[64], report[1024];
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
	need(!memcmp(report + 128, data, sizeof data), 94);
	memcpy(area->data, report, sizeof report);
	area->request = (struct gate_request){ .op = GATE_EVIDENCE,
		.seq = 1,
		.data_len = sizeof report };
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
		marks();
		break;
	case GUEST_QUOTE:
		quote();
		break;
	default:
		fault(area->boot.nonce[0]);
	}
	return 98;
}
