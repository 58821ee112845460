/* SPDX-License-Identifier: Apache-2.0 */
/* The technologies of this host: what can be asked for, what `auto` takes. */
#ifndef HOST_PLATFORM_H
#define HOST_PLATFORM_H

#include <jansson.h>

#include "base/err.h"
#include "hal/hal.h"
#include "host/ask.h"

/*
 * ERR_INPUT: no such technology, or not of the platform asked for;
 * ERR_HOST: it is not available here.
 */
MUST_USE bool platform_pick(const struct hal_config *cfg, struct ask *ask,
	const struct hal_tech **out, struct err *e);

/* The software root's fingerprint; makes its key on first use.  The error names
 * the file and what is wrong with it. */
MUST_USE bool platform_root(const struct hal_config *cfg, uint8_t out[32],
	struct err *e);

/* The answer to GET /v1/platform; the caller owns it, NULL on failure. */
json_t *platform_json(const struct hal_config *cfg, struct err *e);

#endif
