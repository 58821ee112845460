/* SPDX-License-Identifier: Apache-2.0 */
/* A test's enclave: does what its registers say at each entry, so that a test
 * can try from inside what a processor must refuse. */
#ifndef TESTS_SOFT_ROBOT_H
#define TESTS_SOFT_ROBOT_H

#include "abi/enclave.h"
#include "crypto/rsa.h"
#include "soft/device.h"
#include "spec/sgx_enclave.h"

/* Its pages. */
#define ROBOT_BASE  ENCLAVE_BASE
#define ROBOT_BYTES 0x20000u
enum {
	ROBOT_CODE_AT = 0x0000,
	ROBOT_TCS_AT = 0x1000,
	ROBOT_SSA_AT = 0x2000,	/* two frames */
	ROBOT_DATA_AT = 0x4000, /* as the test fills it */
	ROBOT_OUT_AT = 0x5000,
	ROBOT_CONST_AT = 0x6000, /* may be read only */
	ROBOT_FREE_AT = 0x8000,	 /* nothing is there at first */
};

/* In RDI.  Afterwards: the answer, in RDI. */
enum robot_do {
	ROBOT_NOTHING, /* CSSA */
	ROBOT_ENCLU,   /* RSI the leaf, RDX its RBX, R8 its RCX; its RDX is
			  ROBOT_OUT_AT: RAX */
	ROBOT_READ,    /* RSI an address: 8 bytes */
	ROBOT_WRITE,   /* RDX there */
	ROBOT_JUMP,    /* to RSI */
	ROBOT_SYSCALL,
	ROBOT_CPUID,
	ROBOT_HLT,
	ROBOT_SPIN, /* RSI rounds, for interrupts */
};

/* What RDI is after ERESUME of an exception. */
#define ROBOT_BACK 0xbacu

struct robot {
	struct device *d;
	char root[64];
	int handle;
	uint8_t *window;
	struct sgx_secs secs;
	struct sgx_sigstruct sig;
	uint8_t code[PAGE_BYTES], tcs[PAGE_BYTES], data[PAGE_BYTES];
	struct device_enclave x; /* of the last entry */
};

/* A key for enclaves, made once. */
const struct crypto_rsa3 *robot_key(void);

/* Device, memory, SECS and pages as they should be, nothing created yet. */
void robot_open(struct robot *r);
void robot_close(struct robot *r);
int robot_create(struct robot *r);
int robot_add(struct robot *r, uint64_t offset, uint64_t flags,
	const uint8_t page[PAGE_BYTES], bool measured);
/* Its own pages. */
void robot_add_all(struct robot *r);
/* Signs for what was added; the test may spoil it then. */
void robot_sign(struct robot *r, const uint8_t mrenclave[32]);
int robot_init(struct robot *r);
/* All of it. */
void robot_launch(struct robot *r);
/* What EEXTEND comes to, of its own pages. */
void robot_measure(const struct robot *r, uint8_t out[32]);

/* Enters; what ioctl would say. */
int robot_enter(struct robot *r, uint32_t function, uint64_t rdi, uint64_t rsi,
	uint64_t rdx, uint64_t r8);
/* Enters to do something, which must go well: its answer. */
uint64_t robot_ask(struct robot *r, enum robot_do what, uint64_t rsi,
	uint64_t rdx, uint64_t r8);
/* The same, which must be exception `vector`: its error code; for #PF the
 * address is in *at.  The enclave can be used again. */
uint32_t robot_fails(struct robot *r, enum robot_do what, uint64_t rsi,
	uint64_t rdx, uint64_t r8, unsigned vector, uint64_t *at);

#endif
