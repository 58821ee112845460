/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim does better than the system calls that everybody has. */
#ifndef KEEP_CALLS_H
#define KEEP_CALLS_H

#include "base/base.h"

/* For wasm_limits.put_code; NULL: there is no such way here. */
bool (*keep_calls_code(void))(void *to, const void *code, size_t len);

#endif
