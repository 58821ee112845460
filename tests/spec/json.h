/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small JSON reader for the suite's own files, so that its runner needs no
 * library and can be built for every machine.  Trusts its input to be JSON.
 */
#ifndef TESTS_SPEC_JSON_H
#define TESTS_SPEC_JSON_H

#include "base/base.h"

struct json {
	enum { JSON_OTHER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } type;
	char *text; /* of a string, decoded; number, true, null as they are */
	size_t len;
	struct json **items; /* of an array or object */
	char **keys;
	size_t count;
};

/* NULL when it is not JSON. */
struct json *json_read(const char *text, size_t len);
void json_free(struct json *v);
/* A member; NULL when there is none or v is no object. */
const struct json *json_get(const struct json *v, const char *key);
/* The member's text, "" when there is none. */
const char *json_text(const struct json *v, const char *key);

#endif
