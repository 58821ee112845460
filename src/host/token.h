/* SPDX-License-Identifier: Apache-2.0 */
/* The bearer token that the host operator gives to those who may ask. */
#ifndef HOST_TOKEN_H
#define HOST_TOKEN_H

#include "base/err.h"

enum { TOKEN_LEAST = 16, TOKEN_MOST = 512 };

struct token {
	char text[TOKEN_MOST];
	size_t len;
};

/* One line of 16 to 512 visible characters, in a file that nobody but its
 * owner may read. */
MUST_USE bool token_read(const char *path, struct token *out, struct err *e);

/* Takes the same time wherever the first difference is. */
bool token_equal(const struct token *t, const char *given);

#endif
