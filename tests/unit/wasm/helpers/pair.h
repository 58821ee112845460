/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled code beside the interpreter, which is right: the same module in
 * two instances, the same calls, the same ends.
 */
#ifndef TESTS_UNIT_WASM_PAIR_H
#define TESTS_UNIT_WASM_PAIR_H

#include "build.h"

struct pair {
	struct wasm_module *m;
	struct wasm_instance *interp, *jit;
	struct wasm_result ri, rj;
};

void pair_init(struct pair *p, struct build *b);
void pair_limited(struct pair *p, struct build *b, struct wasm_limits l);
void pair_fini(struct pair *p);
void call(struct wasm_instance *i, const char *name, uint64_t x, uint64_t *out,
	struct wasm_result *r);
/* Both give the same answer, or end alike: with the same words. */
uint64_t both(struct pair *p, const char *name, uint64_t x);
/* Functions that were compiled. */
uint32_t compiled(const struct pair *p);
/* Leaves the functions whose bits are set to the interpreter. */
void pair_interpret(struct pair *p, uint32_t functions);

/* The instance's memory, with a page behind it that nobody may touch. */
struct fenced {
	uint8_t *was, *map;
	size_t len;
};
void fence(struct wasm_instance *i, struct fenced *f);
void unfence(struct wasm_instance *i, const struct fenced *f);

#endif
