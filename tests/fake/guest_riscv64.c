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

static uint64_t rounding(void)
{
	uint64_t v;
	__asm__ volatile("frcsr %0" : "=r"(v));
	return v;
}

/* Floating point keeps what is in it over a way out and back, and starts clean.
 */
void guest_isa_live(void)
{
	double x = 1.5, y;
	long n;
	need(rounding() == 0, 54);
	__asm__ volatile("fmv.d fs3, %2\n\t"
			 "li a7, 172\n\t" /* getpid */
			 "ecall\n\t"
			 "fmv.d %1, fs3\n\t"
			 "mv %0, a0"
			 : "=r"(n), "=f"(y)
			 : "f"(x)
			 : "a0", "a7", "fs3", "memory");
	need(n == 1 && x == y, 40);
	need(getauxval(AT_HWCAP) == 0x112d, 46);
	need(syscall(GATE_CALL_CODE, 0, 0, 0) == -1, 132);
}

/* S-mode's own are nobody's here: each is a test of GUEST_RDMSR's kind. */
void guest_isa_walls(void)
{
	uint64_t a, b;
	__asm__ volatile("rdtime %0" : "=r"(a));
	__asm__ volatile("rdtime %0" : "=r"(b));
	need(b >= a, 85);
}

/* Marks in all that a callee keeps, through three bells. */
void guest_isa_marks(void)
{
	for (uint32_t i = 1; i <= 3; i++) {
		uint64_t ok;
		char byte;
		area->request =
			(struct gate_request){ .op = GATE_TIME_HINT, .seq = i };
		__asm__ volatile(".irp r, 2,3,4,5,6,7,8,9,10,11\n\t"
				 "mv s\\r, %1\n\t"
				 "fmv.d.x fs\\r, %1\n\t"
				 ".endr\n\t"
				 "li a7, 64\n\t" /* write */
				 "li a0, 3\n\t"
				 "mv a1, sp\n\t"
				 "li a2, 1\n\t"
				 "ecall\n\t"
				 "addi %0, a0, -1\n\t"
				 ".irp r, 2,3,4,5,6,7,8,9,10,11\n\t"
				 "xor s\\r, s\\r, %1\n\t"
				 "or %0, %0, s\\r\n\t"
				 "fmv.x.d s\\r, fs\\r\n\t"
				 "xor s\\r, s\\r, %1\n\t"
				 "or %0, %0, s\\r\n\t"
				 ".endr"
				 : "=&r"(ok)
				 : "r"(GUEST_MARK)
				 : "a0", "a1", "a2", "a7", "s2", "s3", "s4",
				 "s5", "s6", "s7", "s8", "s9", "s10", "s11",
				 "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",
				 "fs8", "fs9", "fs10", "fs11", "memory");
		need(ok == 0, 57);
		need(read(GATE_BELL_FD, &byte, 1) == 1, 58);
		need(area->reply.seq == i, 59);
	}
	_exit(0);
}

/* li a0, number; ret */
void guest_isa_code(uint8_t *at, int number)
{
	const uint32_t code[2] = { 0x00000513u | (uint32_t)number << 20,
		0x00008067 };
	memcpy(at, code, sizeof code);
	__builtin___clear_cache((char *)at, (char *)at + sizeof code);
}

void guest_isa_fault(enum guest what)
{
	switch (what) {
	case GUEST_UD:
		__asm__ volatile(".4byte 0");
		break;
	case GUEST_HLT: /* what only S-mode may */
		__asm__ volatile("sret");
		break;
	case GUEST_OUT:
		__asm__ volatile("sfence.vma");
		break;
	case GUEST_RDMSR:
		__asm__ volatile("csrr a0, satp" : : : "a0");
		break;
	default:
		__asm__ volatile("ebreak");
	}
}
