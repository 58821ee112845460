/* SPDX-License-Identifier: Apache-2.0 */
#include "robot.h"

#include <asm/sgx.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../test.h"
#include "attest/measure_sgx.h"
#include "enclave/sign.h"
#include "run.h"

/* The code's page.  EENTER: rax CSSA, rcx where to leave to.  SSA frame 0 is
 * at 0x2000 from here, its GPRs 184 bytes before its end, EXINFO 16 before. */
extern const uint8_t robot_code[], robot_code_end[];
__asm__(".pushsection .rodata\n"
	"robot_code:\n"
	"	test %rax, %rax\n"
	"	jne 9f\n"
	"	mov %rcx, %r15\n"
	"	cmp $8, %rdi\n"
	"	ja 0f\n"
	"	lea 8f(%rip), %rax\n"
	"	movslq (%rax,%rdi,4), %rdi\n"
	"	add %rdi, %rax\n"
	"	jmp *%rax\n"
	"8:	.long 0f-8b, 1f-8b, 2f-8b, 3f-8b, 4f-8b, 5f-8b, 6f-8b, 7f-8b\n"
	"	.long 10f-8b\n"
	"0:	xor %edi, %edi\n"
	"	jmp 99f\n"
	"1:	mov %rsi, %rax\n"
	"	mov %rdx, %rbx\n"
	"	mov %r8, %rcx\n"
	"	lea robot_code+0x5000(%rip), %rdx\n"
	"	.byte 0x0f, 0x01, 0xd7\n"
	"	mov %rax, %rdi\n"
	"	jmp 99f\n"
	"2:	mov (%rsi), %rdi\n"
	"	jmp 99f\n"
	"3:	mov %rdx, (%rsi)\n"
	"	xor %edi, %edi\n"
	"	jmp 99f\n"
	"4:	jmp *%rsi\n"
	"5:	syscall\n"
	"	jmp 0b\n"
	"6:	cpuid\n"
	"	jmp 0b\n"
	"7:	hlt\n"
	"	jmp 0b\n"
	"10:	dec %rsi\n"
	"	jne 10b\n"
	"	jmp 0b\n"
	/* An exception: what it was; and ERESUME leads to the end. */
	"9:	lea 98f(%rip), %rdi\n"
	"	xchg %rdi, robot_code+0x2fd0(%rip)\n" /* RIP */
	"	mov robot_code+0x2fe8(%rip), %edi\n"  /* EXITINFO */
	"	mov robot_code+0x2f38(%rip), %rsi\n"  /* MADDR */
	"	mov robot_code+0x2f40(%rip), %edx\n"  /* ERRCD */
	"	mov %rcx, %rbx\n"
	"	mov $4, %eax\n"
	"	.byte 0x0f, 0x01, 0xd7\n"
	"98:	mov $0xbac, %edi\n"
	"99:	mov %r15, %rbx\n"
	"	mov $4, %eax\n"
	"	.byte 0x0f, 0x01, 0xd7\n"
	"robot_code_end:\n"
	".popsection\n");

const struct crypto_rsa3 *robot_key(void)
{
	static struct crypto_rsa3 *key;
	struct err e;
	if (!key)
		CHECK(crypto_rsa3_generate(&key, &e));
	return key;
}

/* --- what it is made of ----------------------------------------------------
 */

static void make_pages(struct robot *r)
{
	const struct sgx_tcs t = { .ossa = ROBOT_SSA_AT,
		.nssa = 2,
		.fslimit = 0xfff,
		.gslimit = 0xfff };
	memcpy(r->code, robot_code, (size_t)(robot_code_end - robot_code));
	memcpy(r->tcs, &t, sizeof t);
	r->secs = (struct sgx_secs){ .size = ROBOT_BYTES,
		.base = ROBOT_BASE,
		.ssa_frame_pages = 1,
		.miscselect = SGX_MISC_EXINFO,
		.attributes = SGX_FLAG_MODE64BIT | SGX_FLAG_KSS,
		.xfrm = 3 };
	memset(r->secs.configid, 0x77, 32);
}

void robot_open(struct robot *r)
{
	struct err e = { 0 };
	static char images[4096];
	memset(r, 0, sizeof *r);
	run_path(images, "keep");
	snprintf(r->root, sizeof r->root, "/tmp/donjon-robot-%d.pem",
		(int)getpid());
	const struct soft_config c = { .image_dir = images,
		.root_path = r->root,
		.epc_bytes = 4 << 20 };
	CHECK(soft_device_new(&c, &r->d, &e));
	r->window = r->d->ops->memory(r->d, VM_WINDOW_BYTES);
	CHECK(r->window);
	r->handle = r->d->ops->open(r->d, "/dev/sgx_enclave");
	CHECK(r->handle > 0);
	make_pages(r);
}

void robot_close(struct robot *r)
{
	r->d->ops->close(r->d, r->handle);
	r->d->ops->memory_free(r->d, r->window, VM_WINDOW_BYTES);
	r->d->ops->free(r->d);
	unlink(r->root);
}

/* --- launch ----------------------------------------------------------------
 */

int robot_create(struct robot *r)
{
	struct sgx_enclave_create c = { .src = (uintptr_t)&r->secs };
	return device_ioctl(r->d, r->handle, SGX_IOC_ENCLAVE_CREATE, &c);
}

int robot_add(struct robot *r, uint64_t offset, uint64_t flags,
	const uint8_t page[PAGE_BYTES], bool measured)
{
	struct sgx_secinfo info = { .flags = flags };
	uint8_t *copy = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
	CHECK(copy);
	memcpy(copy, page, PAGE_BYTES);
	struct sgx_enclave_add_pages a = { .src = (uintptr_t)copy,
		.offset = offset,
		.length = PAGE_BYTES,
		.secinfo = (uintptr_t)&info,
		.flags = measured ? SGX_PAGE_MEASURE : 0 };
	int n = device_ioctl(r->d, r->handle, SGX_IOC_ENCLAVE_ADD_PAGES, &a);
	free(copy);
	return n;
}

struct part {
	uint64_t at, flags;
	const uint8_t *page;
};

enum { PARTS = 7 };

static void parts_of(const struct robot *r, struct part out[PARTS])
{
	static const uint8_t zeros[PAGE_BYTES];
	const uint64_t reg = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R;
	const struct part all[PARTS] = {
		{ ROBOT_CODE_AT, reg | SGX_PAGE_X, r->code },
		{ ROBOT_TCS_AT, SGX_PAGE_TYPE(SGX_PT_TCS), r->tcs },
		{ ROBOT_SSA_AT, reg | SGX_PAGE_W, zeros },
		{ ROBOT_SSA_AT + PAGE_BYTES, reg | SGX_PAGE_W, zeros },
		{ ROBOT_DATA_AT, reg | SGX_PAGE_W, r->data },
		{ ROBOT_OUT_AT, reg | SGX_PAGE_W, zeros },
		{ ROBOT_CONST_AT, reg, zeros },
	};
	memcpy(out, all, sizeof all);
}

void robot_add_all(struct robot *r)
{
	struct part p[PARTS];
	parts_of(r, p);
	for (size_t i = 0; i < PARTS; i++)
		CHECK_INT(robot_add(r, p[i].at, p[i].flags, p[i].page, true),
			0);
}

void robot_measure(const struct robot *r, uint8_t out[32])
{
	struct part p[PARTS];
	struct err e;
	struct attest_sgx_build *b;
	parts_of(r, p);
	CHECK(attest_sgx_create(1, ROBOT_BYTES, &b, &e));
	for (size_t i = 0; i < PARTS; i++)
		CHECK(attest_sgx_add(b, p[i].at, p[i].flags,
			bytes_of(p[i].page, PAGE_BYTES), true, &e));
	CHECK(attest_sgx_end(b, out, &e));
	attest_sgx_free(b);
}

void robot_sign(struct robot *r, const uint8_t mrenclave[32])
{
	struct err e;
	CHECK(enclave_sign_keep(robot_key(), mrenclave, &r->sig, &e));
	r->sig.isvsvn = 3;
	CHECK(enclave_sign(robot_key(), &r->sig, &e));
}

int robot_init(struct robot *r)
{
	struct sgx_enclave_init i = { .sigstruct = (uintptr_t)&r->sig };
	return device_ioctl(r->d, r->handle, SGX_IOC_ENCLAVE_INIT, &i);
}

void robot_launch(struct robot *r)
{
	uint8_t m[32];
	robot_open(r);
	CHECK_INT(robot_create(r), 0);
	robot_add_all(r);
	robot_measure(r, m);
	robot_sign(r, m);
	CHECK_INT(robot_init(r), 0);
}

/* --- entries ---------------------------------------------------------------
 */

int robot_enter(struct robot *r, uint32_t function, uint64_t rdi, uint64_t rsi,
	uint64_t rdx, uint64_t r8)
{
	r->x = (struct device_enclave){ .tcs = ROBOT_BASE + ROBOT_TCS_AT,
		.function = function,
		.rdi = rdi,
		.rsi = rsi,
		.rdx = rdx,
		.r8 = r8 };
	return r->d->ops->enclave_enter(r->d, r->handle, &r->x);
}

uint64_t robot_ask(struct robot *r, enum robot_do what, uint64_t rsi,
	uint64_t rdx, uint64_t r8)
{
	CHECK_INT(robot_enter(r, SGX_EENTER, what, rsi, rdx, r8), 0);
	if (r->x.function != SGX_EEXIT)
		fail_msg("exception %u, error 0x%x", r->x.vector, r->x.error);
	return r->x.rdi;
}

uint32_t robot_fails(struct robot *r, enum robot_do what, uint64_t rsi,
	uint64_t rdx, uint64_t r8, unsigned vector, uint64_t *at)
{
	CHECK_INT(robot_enter(r, SGX_EENTER, what, rsi, rdx, r8), 0);
	CHECK_INT(r->x.function, SGX_ERESUME);
	CHECK_INT(r->x.vector, vector);
	/* What its own handler sees. */
	robot_ask(r, ROBOT_NOTHING, 0, 0, 0);
	CHECK_INT(r->x.rdi, SGX_EXIT_VALID | SGX_EXIT_HARDWARE << 8 | vector);
	uint32_t error = (uint32_t)r->x.rdx;
	if (at)
		*at = r->x.rsi;
	CHECK_INT(robot_enter(r, SGX_ERESUME, 0, 0, 0, 0), 0);
	CHECK_INT(r->x.rdi, ROBOT_BACK);
	return error;
}
