/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of OCI registries (OCI distribution specification 1.1): manifests,
 * blobs, tags, referrers.  A registry is untrusted: what it sends is asked
 * for by digest or becomes one, and is bounded.
 */
#ifndef REPOSITORY_REGISTRY_H
#define REPOSITORY_REGISTRY_H

#include "codec/json.h"
#include "repository/auth.h"
#include "repository/manifest.h"
#include "repository/reference.h"
#include "repository/repository_priv.h"

struct repository_registry {
	struct repository *r;
	char host[256]; /* as the reference has it */
	char base[300]; /* "https://host:port" */
	bool known;	/* base is settled: TLS or not */
	bool looked;	/* for a login */
	bool has_login;
	struct repository_login login;
	char *authorization; /* owned; of the last request that was let in */
};

/* The registry of a reference, one for each host; lives as long as r. */
MUST_USE bool repository_registry_find(struct repository *r,
	const struct repository_reference *ref,
	struct repository_registry **out, struct err *e);
void repository_registry_fini(struct repository_registry *g);
/* Another login than Docker's; borrowed contents are copied. */
MUST_USE bool repository_registry_login(struct repository_registry *g,
	const struct repository_login *l, struct err *e);
/* Are we let in?  GET /v2/. */
MUST_USE bool repository_registry_ping(struct repository_registry *g,
	struct err *e);

/*
 * One request below /v2/, with what lets us in, and again when that helps.
 * path: "NAME/manifests/REF" and so on; NULL: q->url is a whole one.
 */
MUST_USE bool repository_registry_do(struct repository_registry *g,
	const char *path, struct net_web_request *q, struct net_web_answer *a,
	struct err *e);
/* The error for a status that is none of those wanted; always false. */
bool repository_registry_refused(const struct net_web_answer *a,
	const char *what, struct err *e);

/* --- manifests ---------------------------------------------------------- */

/* tag or digest; *found false on 404.  The bytes are appended to `out`, their
 * digest is checked against `digest` when pinned, else set. */
MUST_USE bool repository_manifest_get(struct repository_registry *g,
	const char *name, const char *tag, bool pinned, uint8_t digest[32],
	struct buf *out, char content_type[128], bool *found, struct err *e);
/* tag NULL: by its digest.  *subject: the registry knows referrers. */
MUST_USE bool repository_manifest_put(struct repository_registry *g,
	const char *name, const char *tag, const char *media_type,
	struct bytes manifest, bool *subject, struct err *e);
/* What the reference names, whatever it is: type, digest and size. */
MUST_USE bool repository_subject_find(struct repository_registry *g,
	const struct repository_reference *ref,
	struct repository_descriptor *out, struct err *e);
/* The index of what refers to a digest, by the API or the tag in its place;
 * *found.  filter: artifactType, or NULL. */
MUST_USE bool repository_referrers_get(struct repository_registry *g,
	const char *name, const uint8_t digest[32], struct buf *out,
	bool *found, struct err *e);
/* Puts a manifest of ours, of that artifact type, about `subject` under a tag
 * and sees that it is found as a referrer. */
MUST_USE bool repository_attach(struct repository_registry *g, const char *name,
	const char *tag, const uint8_t subject[32], const char *artifact_type,
	struct bytes manifest, struct err *e);
/* "sha256-HEX" and a suffix, the tag in place of something. */
void repository_digest_tag(const uint8_t digest[32], const char *suffix,
	char out[129]);
/* Names of tags, sorted as the registry does; an array of strings. */
MUST_USE bool repository_tags_get(struct repository_registry *g,
	const char *name, json_t **out, struct err *e);

/* --- blobs -------------------------------------------------------------- */

/* Into the cache, unless it is there; *fd: the verified blob. */
MUST_USE bool repository_blob_get(struct repository_registry *g,
	const char *name, const struct repository_descriptor *d, int *fd,
	struct err *e);
/* A small one into memory. */
MUST_USE bool repository_blob_read(struct repository_registry *g,
	const char *name, const struct repository_descriptor *d,
	struct buf *out, struct err *e);
/* Unless the registry has it.  fd -1: from `bytes`. */
MUST_USE bool repository_blob_put(struct repository_registry *g,
	const char *name, const uint8_t digest[32], int fd, struct bytes bytes,
	uint64_t size, struct err *e);

#endif
