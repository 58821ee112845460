/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference values out of a description of a launch (TOML, docs/measure.md):
 * one table, [snp], [sgx], [tdx], [keystone] or [sanctum], that names files,
 * pages and registers.
 */
#ifndef ATTEST_LAUNCH_H
#define ATTEST_LAUNCH_H

#include "base/buf.h"
#include "base/err.h"

/* How files of a description are read, and where each page goes to. */
struct attest_launch_config {
	/* Appends a file that the description names, at most 64 MiB. */
	bool (*read)(void *ctx, const char *path, struct buf *out,
		struct err *e);
	void *ctx;
	struct buf *trace; /* one line for each page; NULL: not wanted */
};

struct attest_launch {
	char technology[16];
	uint8_t measurement[64];
	size_t len;
	/* Beside it, when the description has what they need. */
	uint8_t rtmr[4][48];
	bool has_rtmr;
	uint8_t signer[48]; /* MRSIGNER (32), or the ID key's digest */
	size_t signer_len;
	uint8_t monitor[64]; /* the hash of Keystone's monitor */
	bool has_monitor;
};

/* `file` is used in messages. */
MUST_USE bool attest_launch_measure(struct bytes toml, const char *file,
	const struct attest_launch_config *cfg, struct attest_launch *out,
	struct err *e);
/* Text for people, or one object for machines; appended. */
bool attest_launch_print(const struct attest_launch *l, bool json,
	struct buf *out);

#endif
