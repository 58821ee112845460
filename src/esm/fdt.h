/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flattened device trees (Devicetree Specification 0.4, §5): what an ESM blob
 * is, and how a guest of POWER is told of its memory.  Reading copies nothing
 * and trusts nothing: a tree is untrusted input.
 */
#ifndef ESM_FDT_H
#define ESM_FDT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct fdt {
	struct bytes structure, strings; /* borrowed */
};

/* Judges the header; what is behind the tree in `in` is none of it. */
MUST_USE bool fdt_open(struct bytes in, struct fdt *out, struct err *e);
/* The property of that name in the node at that path ("/a/b"); false: there is
 * none, or the tree is broken before it. */
bool fdt_find(const struct fdt *t, const char *path, const char *name,
	struct bytes *out);
/* A number of 32 or 64 bits. */
bool fdt_number(const struct fdt *t, const char *path, const char *name,
	uint64_t *out);

/* One that is being written: begin, properties, nodes, end, finish. */
struct fdt_out {
	struct buf structure, strings;
};

void fdt_begin(struct fdt_out *o, const char *node);
void fdt_property(struct fdt_out *o, const char *name, struct bytes value);
void fdt_property_u64(struct fdt_out *o, const char *name, uint64_t value);
void fdt_property_u32(struct fdt_out *o, const char *name, uint32_t value);
void fdt_end(struct fdt_out *o);
/* The whole tree; `o` is freed. */
MUST_USE bool fdt_finish(struct fdt_out *o, struct buf *out, struct err *e);

#endif
