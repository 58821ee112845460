/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_isa.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define area	guest_area
#define need	guest_need
#define map	guest_map
#define refused guest_refused

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

void guest_isa_marks(void)
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

void guest_isa_live(void)
{
	vectors();
	if (door())
		without_trap();
	else
		need(syscall(GATE_CALL_CODE, 0, 0, 0) == -1, 132);
}

void guest_isa_walls(void)
{
	need(refused(syscall(SYS_arch_prctl, 0x1002, 0xffffffff80000000),
		     EPERM),
		85);
	need(refused(syscall(SYS_fork), ENOSYS), 79);
}

void guest_isa_code(uint8_t *at, int number)
{
	const uint8_t code[8] = { 0xb8, (uint8_t)number, 0, 0, 0, 0xc3 };
	memcpy(at, code, sizeof code);
}

void guest_isa_fault(enum guest what)
{
	switch (what) {
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
}
