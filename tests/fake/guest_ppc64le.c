/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_isa.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define area	guest_area
#define need	guest_need
#define map	guest_map
#define refused guest_refused

/* Floating point and vectors keep what is in them over a way out and back, and
 * start clean. */
void guest_isa_live(void)
{
	double x = 1.5, y, status;
	uint64_t bits;
	long n;
	__asm__ volatile("mffs %0" : "=f"(status));
	memcpy(&bits, &status, sizeof bits);
	need(bits == 0, 54);
	__asm__ volatile("fmr 20, %2\n\t"
			 "vspltisw 25, 7\n\t"
			 "li 0, 20\n\t" /* getpid */
			 "sc\n\t"
			 "fmr %1, 20\n\t"
			 "vspltisw 26, 7\n\t"
			 "vcmpequw. 26, 25, 26\n\t"
			 "mfcr 4\n\t"
			 "rlwinm 4, 4, 25, 31, 31\n\t" /* CR6: all equal */
			 "mulld %0, 3, 4"
			 : "=r"(n), "=f"(y)
			 : "f"(x)
			 : "r0", "r3", "r4", "fr20", "v25", "v26", "cr0", "cr6",
			 "ctr", "xer", "memory");
	need(n == 1 && x == y, 40);
	need(getauxval(AT_HWCAP) == 0xdc000182, 46);
	/* No scv: it would be the shim's end. */
	need(!(getauxval(AT_HWCAP2) & 0x100000), 47);
	need(syscall(GATE_CALL_CODE, 0, 0, 0) == -1, 132);
}

/* An ultracall of exec's is a system call of that number, and none that is
 * known; the time base is anybody's. */
void guest_isa_walls(void)
{
	uint64_t a, b, n;
	__asm__ volatile("mftb %0" : "=r"(a));
	__asm__ volatile("mftb %0" : "=r"(b));
	need(b >= a, 85);
	__asm__ volatile("li 0, 0\n\t"
			 "ori 0, 0, 0xf130\n\t"
			 "mr 3, 0\n\t"
			 "sc 2\n\t"
			 "mr %0, 3"
			 : "=r"(n)
			 :
			 : "r0", "r3", "r4", "cr0", "ctr", "xer", "memory");
	need(n == ENOSYS, 86);
}

/* Marks in all that a callee keeps, through three bells. */
void guest_isa_marks(void)
{
	for (uint32_t i = 1; i <= 3; i++) {
		uint64_t ok;
		char byte;
		area->request =
			(struct gate_request){ .op = GATE_TIME_HINT, .seq = i };
		__asm__ volatile(
			".irp r, 14,15,16,17,18,19,20,21,22,23,24,25\n\t"
			"mr \\r, %1\n\t"
			"mtvsrd \\r, %1\n\t"
			".endr\n\t"
			"li 0, 4\n\t" /* write */
			"li 3, 3\n\t"
			"mr 4, 1\n\t"
			"li 5, 1\n\t"
			"sc\n\t"
			"addi %0, 3, -1\n\t"
			".irp r, 14,15,16,17,18,19,20,21,22,23,24,25\n\t"
			"xor \\r, \\r, %1\n\t"
			"or %0, %0, \\r\n\t"
			"mfvsrd \\r, \\r\n\t"
			"xor \\r, \\r, %1\n\t"
			"or %0, %0, \\r\n\t"
			".endr"
			: "=&b"(ok)
			: "b"(GUEST_MARK)
			: "r0", "r3", "r4", "r5", "r14", "r15", "r16", "r17",
			"r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25",
			"fr14", "fr15", "fr16", "fr17", "fr18", "fr19", "fr20",
			"fr21", "fr22", "fr23", "fr24", "fr25", "cr0", "ctr",
			"xer", "memory");
		need(ok == 0, 57);
		need(read(GATE_BELL_FD, &byte, 1) == 1, 58);
		need(area->reply.seq == i, 59);
	}
	_exit(0);
}

/* li r3, number; blr */
void guest_isa_code(uint8_t *at, int number)
{
	const uint32_t code[2] = { 0x38600000u | (uint32_t)number, 0x4e800020 };
	memcpy(at, code, sizeof code);
	__builtin___clear_cache((char *)at, (char *)at + sizeof code);
}

void guest_isa_fault(enum guest what)
{
	switch (what) {
	case GUEST_UD:
		__asm__ volatile(".long 0");
		break;
	case GUEST_HLT: /* what only privileged state may */
		__asm__ volatile("mtmsrd %0" : : "r"(0ull));
		break;
	case GUEST_OUT: /* a hypercall */
		__asm__ volatile("li 3, 0x58\n\tsc 1" : : : "r3", "memory");
		break;
	case GUEST_RDMSR:
		__asm__ volatile("mfspr 3, 48" : : : "r3");
		break;
	default:
		__asm__ volatile("trap");
	}
}
