/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indices (OCI image specification 1.1, "Image Manifest",
 * "Image Index"; Docker's schema 2 has the same shape).  They come from
 * registries: bounded, digests are SHA-256, a layer's media type is one that
 * is listed here, and its title stays below a folder.
 */
#ifndef REPOSITORY_MANIFEST_H
#define REPOSITORY_MANIFEST_H

#include "base/buf.h"
#include "codec/json.h"

enum {
	REPOSITORY_MAX_MANIFEST = 4 << 20,
	REPOSITORY_MAX_LAYERS = 64,
	REPOSITORY_MAX_INDEX = 256,
	REPOSITORY_MAX_CONFIG = 1 << 20,
};
#define REPOSITORY_MAX_MODULE (UINT64_C(1) << 30)
#define REPOSITORY_MAX_DATA   (UINT64_C(4) << 30)

#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_INDEX    "application/vnd.oci.image.index.v1+json"
#define MEDIA_DOCKER   "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST \
	"application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_IMAGE_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_EMPTY	   "application/vnd.oci.empty.v1+json"
/* CNCF TAG Runtime, "Wasm OCI artifact layout". */
#define MEDIA_WASM_CONFIG "application/vnd.wasm.config.v0+json"
#define MEDIA_WASM	  "application/wasm"
/* Ours: Donjon.toml as it stands; a tar of files. */
#define MEDIA_TOML	"application/vnd.donjon.config.v1+toml"
#define MEDIA_DATA	"application/vnd.donjon.data.v1.tar"
#define MEDIA_DATA_GZIP "application/vnd.donjon.data.v1.tar+gzip"
/* cosign's key-based signatures. */
#define MEDIA_SIGNATURE "application/vnd.dev.cosign.simplesigning.v1+json"
#define MEDIA_SPDX	"application/spdx+json"
#define MEDIA_CYCLONEDX "application/vnd.cyclonedx+json"

/* What a layer is to us. */
enum repository_role {
	REPOSITORY_ROLE_UNKNOWN,
	REPOSITORY_ROLE_MODULE,
	REPOSITORY_ROLE_TOML,
	REPOSITORY_ROLE_DATA,
	REPOSITORY_ROLE_DATA_GZIP,
	REPOSITORY_ROLE_SIGNATURE,
	REPOSITORY_ROLE_SBOM,
};

struct repository_descriptor {
	char media_type[128];
	uint8_t digest[32];
	uint64_t size;
	enum repository_role role;
	char title[256];     /* org.opencontainers.image.title, or "" */
	json_t *annotations; /* borrowed from the document, or NULL */
	/* Of an index' entry: "os/architecture", or "". */
	char platform[64];
	char artifact_type[128];
};

struct repository_manifest {
	bool index;
	char media_type[128], artifact_type[128];
	struct repository_descriptor config;  /* of a manifest */
	struct repository_descriptor *layers; /* or an index' entries */
	size_t count;
	bool has_subject;
	struct repository_descriptor subject;
	json_t *annotations; /* borrowed, or NULL */
	json_t *document;    /* owned */
};

/* content_type: what the server called it; NULL when it did not. */
MUST_USE bool repository_manifest_parse(struct bytes in,
	const char *content_type, struct repository_manifest *out,
	struct err *e);
void repository_manifest_fini(struct repository_manifest *m);

/*
 * Is it something that runs?  Exactly one module, at most one Donjon.toml and
 * one layer of data, SBOMs; anything else is refused by its media type.  The
 * places are indices of layers, or -1.
 */
struct repository_layers {
	int module, toml, data;
};
MUST_USE bool repository_manifest_layers(const struct repository_manifest *m,
	struct repository_layers *out, struct err *e);
/* The entry of an index that runs here: wasm's, or the only one. */
MUST_USE bool repository_manifest_choose(const struct repository_manifest *m,
	size_t *out, struct err *e);

/* {"mediaType", "digest", "size"} and its annotations (borrowed, may be
 * NULL); a new reference, NULL without memory. */
json_t *repository_descriptor_json(const struct repository_descriptor *d);

#endif
