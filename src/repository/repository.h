/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where workloads come from and go to: files, folders, archives, the web, OCI
 * registries (docs/repository.md).  A reference (repository/reference.h) is
 * resolved to a *package*: one module, perhaps its Donjon.toml, perhaps files,
 * under a manifest whose digest is the package's identity.
 *
 * Everything from outside is bounded and its digest is checked before anybody
 * gets to see it.  What was refused leaves nothing behind.
 */
#ifndef REPOSITORY_REPOSITORY_H
#define REPOSITORY_REPOSITORY_H

#include "base/buf.h"
#include "base/err.h"

struct repository; /* a client of repositories: connections, cache, logins */

/* A transfer under way: `done` of `total` bytes (0: not known). */
struct repository_progress {
	const char *what; /* "pull", "push" */
	const char *name; /* of what is moved */
	uint64_t done, total;
	bool end; /* the last word on it; `done` is 0 when it failed */
};

struct repository_config {
	const char *ca_file; /* PEM for https; NULL: $SSL_CERT_FILE or the
			      * system's */
	bool plain_http;     /* allowed beyond loopback */
	unsigned timeout_s;  /* without progress; 0: 60 */
	int cancel_fd;	     /* give up when it becomes readable; -1 */
	void (*progress)(void *ctx, const struct repository_progress *p);
	void *ctx;
};

MUST_USE bool repository_open(const struct repository_config *cfg,
	struct repository **out, struct err *e);
void repository_close(struct repository *r);

/* A plain file, "-" being standard input; appended. */
MUST_USE bool repository_read_file(const char *path, size_t max_bytes,
	struct buf *out, struct err *e);
/* How a reference reads in messages and as a program's name: its last
 * component without tag or digest.  Borrows from it. */
struct bytes repository_name(const char *reference);

/* --- packages ----------------------------------------------------------- */

/* A file or folder of the package's data. */
struct repository_file {
	char *path; /* owned; relative, checked (repository/path.h) */
	bool directory;
	uint64_t at, size; /* in data_fd */
};

/* One layer, or the config (the first). */
struct repository_blob {
	char media_type[128], title[256];
	uint8_t digest[32];
	uint64_t size;
	struct buf bytes; /* its contents, or */
	int fd;		  /* a file that has them; -1 */
};

enum { REPOSITORY_MAX_BLOBS = 65 };

struct repository_package {
	char name[256];	    /* "host/name:tag@sha256:...", a path, ... */
	uint8_t digest[32]; /* of the manifest */
	struct buf manifest;
	struct repository_blob *blobs;
	size_t blob_count;
	int module, toml, data; /* which blob; -1: none */
	/* data's files, in the order of paths; data_fd holds their bytes */
	struct repository_file *files;
	size_t file_count;
	int data_fd;
	/* The registry says so of the tag; looked at when shallow. */
	bool yanked;
	char yank_reason[16];
};

struct repository_trust; /* which signatures are wanted: repository/sign.h */

struct repository_options {
	/* NULL: no signatures are asked for. */
	const struct repository_trust *trust;
	/* No contents of a registry's package, its manifest only. */
	bool shallow;
	/* Also what does not run: the config, SBOMs.  For push and copy. */
	bool everything;
	/* What is made into a package when the reference is no package yet: a
	 * Donjon.toml in place of the found one; "key=value"; SBOM files. */
	const char *config;
	const char *const *annotations;
	size_t annotation_count;
	const char *const *sboms;
	size_t sbom_count;
};

/*
 * Resolves a reference, whatever it is, and has the whole package at hand.
 * The caller finishes *out.
 */
MUST_USE bool repository_get(struct repository *r, const char *reference,
	const struct repository_options *o, struct repository_package *out,
	struct err *e);
void repository_package_fini(struct repository_package *p);

/* The bytes of the module and of Donjon.toml, verified again; appended. */
MUST_USE bool repository_package_module(const struct repository_package *p,
	struct buf *out, struct err *e);
MUST_USE bool repository_package_toml(const struct repository_package *p,
	struct buf *out, struct err *e);

/* To a registry, under the reference's tag (or, without one, its digest). */
MUST_USE bool repository_push(struct repository *r,
	const struct repository_package *p, const char *reference,
	struct err *e);
/* As an OCI image layout in one archive (ends in .tar), or as a new folder
 * with Donjon.toml, module and files. */
MUST_USE bool repository_export(struct repository *r,
	const struct repository_package *p, const char *path, struct err *e);

#endif
