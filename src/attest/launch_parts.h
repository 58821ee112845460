/* SPDX-License-Identifier: Apache-2.0 */
/* What the tables of a description of a launch are read with (launch.h). */
#ifndef ATTEST_LAUNCH_PARTS_H
#define ATTEST_LAUNCH_PARTS_H

#include "attest/launch.h"
#include "codec/toml.h"

struct launcher {
	const struct attest_launch_config *cfg;
	struct attest_launch *out;
};

/* The file that n names; appended. */
MUST_USE bool attest_launch_read_file(const struct launcher *l,
	struct toml_node *n, struct buf *out, struct err *e);
/* That of a key, which may be left out. */
MUST_USE bool attest_launch_read_file_opt(const struct launcher *l,
	struct toml_node *t, const char *key, struct buf *out, struct err *e);
/* A number; *out stays as it is when there is none. */
MUST_USE bool attest_launch_read_number(struct toml_node *t, const char *key,
	uint64_t *out, struct err *e);
MUST_USE bool attest_launch_need_number(struct toml_node *t, const char *key,
	uint64_t *out, struct err *e);
/* The part of a file that `offset` and `length` of the table say. */
MUST_USE bool attest_launch_cut(struct toml_node *t, struct bytes *b,
	struct err *e);

/* The tables of monitors' enclaves. */
MUST_USE bool attest_launch_keystone(const struct launcher *l,
	struct toml_node *t, struct err *e);
MUST_USE bool attest_launch_sanctum(const struct launcher *l,
	struct toml_node *t, struct err *e);

#endif
