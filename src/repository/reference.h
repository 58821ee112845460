/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References: what a tenant writes to say which workload she means.
 *
 *	./app.wasm  ./folder  ./package.tar  file:///abs/path	a path
 *	https://host/app.wasm[@sha256:HEX]			a location
 *	oci://host[:port]/name[:tag][@sha256:HEX]		a registry's
 *
 * http:// and oci+http:// are the same in clear, for loopback or who allows
 * it.  Anything that could be read in two ways is refused.
 */
#ifndef REPOSITORY_REFERENCE_H
#define REPOSITORY_REFERENCE_H

#include "base/bytes.h"
#include "base/err.h"

enum repository_reference_kind {
	REPOSITORY_PATH,
	REPOSITORY_WEB,
	REPOSITORY_OCI,
};

struct repository_reference {
	enum repository_reference_kind kind;
	bool plain;	    /* in clear */
	bool pinned;	    /* digest says which contents */
	uint8_t digest[32]; /* SHA-256 */
	char where[2048];   /* a path, or a location without its pin */
	/* OCI */
	char host[256]; /* as written, "host[:port]" */
	char name[256];
	char tag[129]; /* "" when there is none */
};

MUST_USE bool repository_reference_parse(const char *text,
	struct repository_reference *out, struct err *e);
/* "host/name[:tag][@sha256:HEX]", the location or the path.  Cut at size. */
void repository_reference_show(const struct repository_reference *r, char *out,
	size_t size);

/* The parts, as the OCI distribution specification has them. */
bool repository_is_name(const char *text);
bool repository_is_tag(const char *text);
/* "host[:port]" */
bool repository_is_host(const char *text);
/* "sha256:HEX", lower case, nothing behind it. */
MUST_USE bool repository_digest_parse(const char *text, uint8_t out[32],
	struct err *e);
#define REPOSITORY_DIGEST_TEXT 72 /* with its NUL */
void repository_digest_show(const uint8_t digest[32],
	char out[REPOSITORY_DIGEST_TEXT]);

#endif
