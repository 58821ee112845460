/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes from the processor's generator, with health tests: a
 * generator that is stuck or biased is not used (NIST SP 800-90B §4.4).  The
 * host has no part in it.
 */
#ifndef SHIM_COMMON_RANDOM_H
#define SHIM_COMMON_RANDOM_H

#include "base/err.h"

struct random_source {
	/* False: nothing to give now.  NULL: the processor has none. */
	bool (*seed)(uint64_t *out); /* RDSEED */
	bool (*draw)(uint64_t *out); /* RDRAND */
	uint64_t last_seed, last_draw;
	bool failed; /* for good */
};

/* Draws and judges RANDOM_START_WORDS words. */
MUST_USE bool random_init(struct random_source *r, bool (*seed)(uint64_t *out),
	bool (*draw)(uint64_t *out), struct err *e);
/* False: the generator is broken, now and from now on. */
MUST_USE bool random_word(struct random_source *r, uint64_t *out);

#define RANDOM_START_WORDS 256u

#endif
