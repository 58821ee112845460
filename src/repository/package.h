/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which a package comes about (repository/repository.h). */
#ifndef REPOSITORY_PACKAGE_H
#define REPOSITORY_PACKAGE_H

#include "repository/manifest.h"
#include "repository/repository_priv.h"
#include "repository/tree.h"

struct crypto_hash;

/* What a Donjon.toml says about the package it is in; the rest is the
 * client's. */
struct repository_recipe {
	char module[256];   /* "" when it does not say */
	struct buf folders; /* of [[mounts]], each NUL-terminated */
	size_t folder_count;
};
MUST_USE bool repository_recipe_parse(struct bytes toml, const char *file,
	struct repository_recipe *out, struct err *e);

/* From a folder or archive with a Donjon.toml. */
MUST_USE bool repository_build_tree(struct repository *r,
	const struct repository_tree *t, const struct repository_options *o,
	struct repository_package *p, struct err *e);
/* From a module alone, whose bytes are taken over. */
MUST_USE bool repository_build_module(struct repository *r, struct buf *module,
	const char *name, const struct repository_options *o,
	struct repository_package *p, struct err *e);

/* From an OCI image layout. */
MUST_USE bool repository_layout_read(struct repository *r,
	const struct repository_tree *t, const struct repository_options *o,
	struct repository_package *p, struct err *e);
/* From a registry. */
struct repository_reference;
MUST_USE bool repository_pull(struct repository *r,
	const struct repository_reference *ref,
	const struct repository_options *o, struct repository_package *p,
	struct err *e);
/* Blobs of a package (which: their places) into the cache, some at a time. */
struct repository_registry;
MUST_USE bool repository_pull_many(struct repository_registry *g,
	const char *name, struct repository_package *p, const size_t *which,
	size_t count, struct err *e);
/* The web's contents as a file: *fd is the caller's to close. */
MUST_USE bool repository_web_get(struct repository *r,
	const struct repository_reference *ref, int *fd, uint64_t *size,
	struct err *e);

/* Room for one more blob; NULL when there is none. */
struct repository_blob *repository_package_add(struct repository_package *p,
	const char *media_type, const char *title);
/* Fills p's blobs from a manifest, none of them at hand yet. */
MUST_USE bool repository_package_manifest(struct repository_package *p,
	struct bytes manifest, const char *content_type, struct err *e);
/* Lists the files of p's data layer, which is at hand. */
MUST_USE bool repository_package_files(struct repository *r,
	struct repository_package *p, struct err *e);
/* The contents of a blob, verified; appended. */
MUST_USE bool repository_blob_bytes(const struct repository_blob *b,
	uint64_t max, struct buf *out, struct err *e);

/* All of it, whatever kind of file it is; appended. */
MUST_USE bool repository_read_fd(int fd, size_t max, struct buf *out,
	struct err *e);
/* A file without a name, that is gone when it is closed. */
MUST_USE bool repository_temporary(struct repository *r, int *fd,
	struct err *e);
/* Unpacks gzip (RFC 1952): at most `max` bytes, and, beyond 64 MiB, at most
 * a hundred times what it was. */
MUST_USE bool repository_gunzip(const struct repository_source *in, int out,
	uint64_t max, uint64_t *size, struct err *e);

#endif
