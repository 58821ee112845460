/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0 for files that people write: policies, Donjon.toml.  A door over
 * toml++ (this file's implementation alone is C++).  Tenant's and operator's
 * machines only, never in a Keep.
 *
 * Errors read `FILE:LINE:COLUMN: what was found, what was expected`.
 * Unknown keys are errors: read a table's keys with the accessors below,
 * then call toml_no_more, which names the first key that nobody asked for.
 */
#ifndef CODEC_TOML_H
#define CODEC_TOML_H

#include "base/bytes.h"
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct toml_doc;
struct toml_node; /* owned by its document */

enum toml_kind {
	TOML_TABLE,
	TOML_ARRAY,
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOL,
	TOML_DATE, /* any of TOML's date and time kinds */
};

/* At most 1 MiB, 65536 values and 64 levels deep.  `file` is used in messages;
 * copied. */
MUST_USE bool toml_parse(struct bytes in, const char *file,
	struct toml_doc **out, struct err *e);
void toml_free(struct toml_doc *d);
struct toml_node *toml_root(const struct toml_doc *d);

enum toml_kind toml_kind(const struct toml_node *n);
/* "FILE:LINE:COLUMN" of a node, valid as long as its document. */
const char *toml_where(const struct toml_node *n);

/* A table's member, marked as known; NULL when absent. */
struct toml_node *toml_get(struct toml_node *table, const char *key);
/* A table's keys in file order (for tables of free names). */
size_t toml_count(const struct toml_node *n); /* of a table or an array */
const char *toml_key(const struct toml_node *table, size_t i);
struct toml_node *toml_at(struct toml_node *n, size_t i); /* marks it known */
/* Fails naming the first key of the table that was not asked for; does not
 * look into members. */
MUST_USE bool toml_no_more(struct toml_node *table, struct err *e);

/* Typed values.  Wrong type: `FILE:L:C: key must be a string`. */
MUST_USE bool toml_string(const struct toml_node *n, struct bytes *out,
	struct err *e);
/* As a C string: a NUL inside is an error. */
MUST_USE bool toml_cstring(const struct toml_node *n, const char **out,
	struct err *e);
MUST_USE bool toml_integer(const struct toml_node *n, int64_t min, int64_t max,
	int64_t *out, struct err *e);
MUST_USE bool toml_bool(const struct toml_node *n, bool *out, struct err *e);
/* Fails unless it is of that kind. */
MUST_USE bool toml_expect(const struct toml_node *n, enum toml_kind kind,
	struct err *e);

#ifdef __cplusplus
}
#endif

#endif
