/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enclave's pages behind exec's address space: which are there, with which
 * rights.  SGX2: a page is added by the host and taken with EACCEPT when it is
 * first needed, its rights change by EMODPE and EMODPR, and it is trimmed when
 * exec gives it back.  SGX1: all there ever will be are there at the start
 * (enclave_head.heap_bytes), and keep their rights.
 *
 * Four bits a page, in pages that are the enclave's too and are taken as they
 * are needed: one for 32 MiB.
 */
#ifndef SHIM_SGX_MEMORY_H
#define SHIM_SGX_MEMORY_H

#include "abi/enclave.h"
#include "shim/common/space.h"

#define MEMORY_MAP_OF ENCLAVE_MAP_OF
#define MEMORY_MAPS   (ENCLAVE_BYTES / ENCLAVE_MAP_OF)

struct memory {
	bool fixed;		   /* SGX1 */
	uint64_t present;	   /* pages taken */
	uint64_t kept;		   /* of them, pages of no range */
	bool has_map[MEMORY_MAPS]; /* which pages of bits there are */
};

extern const struct space_ops memory_space_ops;

void memory_init(struct memory *m, uint32_t heap_bytes);
/* exec's image, from `at` on: pages that were added with those rights. */
void memory_image(struct memory *m, uint64_t at, uint64_t bytes, uint8_t prot);
/* [at, at + bytes) of one range are there, with its rights. */
void memory_have(struct memory *m, uint64_t at, uint64_t bytes, uint8_t prot);
/* This page is there and may be read, or written. */
bool memory_allows(const struct memory *m, uint64_t at, bool write);
bool memory_has(const struct memory *m, uint64_t at);
/* Before the first of them is taken: the host adds those that are not there,
 * and more that lie around them in their range. */
void memory_ask(struct memory *m, uint64_t at, uint64_t bytes, bool code);
/* [at, at + bytes) is a range's from now on: so are pages there that were kept
 * when another gave them back. */
void memory_claim(struct memory *m, uint64_t at, uint64_t bytes);
/*
 * Code into a range that has no rights yet.  _fits: what is there of it can
 * still be written.  memory_code is called before that range can be executed,
 * with `there`, and after, without: for pages that are there and for those
 * that are not.  False: exec has nothing at `from`.
 */
bool memory_code_fits(const struct memory *m, uint64_t at, uint64_t bytes);
struct user;
bool memory_code(struct user *u, uint64_t to, uint64_t from, uint64_t bytes,
	bool there);

#endif
