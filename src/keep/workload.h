/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tenant brings before START: configuration, time, files, module.
 * Contents stream into their place, digests are computed on the way and
 * compared when the last byte is there; nothing is kept twice.  Everything
 * together stays within the memory that both the tenant and the host granted.
 *
 * The order of frames is the channel's business (frame_step); what is checked
 * here would hold without it.
 */
#ifndef KEEP_WORKLOAD_H
#define KEEP_WORKLOAD_H

#include "base/err.h"
#include "channel/frame.h"
#include "crypto/hash.h"
#include "keep/clock.h"
#include "memfs/memfs.h"

/* Where neither the tenant nor the host sets a limit. */
#define KEEP_MEMORY_DEFAULT 0x40000000u

/* What the next DATA belongs to. */
struct keep_object {
	enum {
		KEEP_OBJECT_NONE,
		KEEP_OBJECT_MODULE,
		KEEP_OBJECT_FILE,
		KEEP_OBJECT_TRUST,
		KEEP_OBJECT_PART, /* of PACKAGE: hashed, not kept */
	} kind;
	uint32_t part;
	uint64_t size, at;
	uint8_t sha256[CRYPTO_SHA256_BYTES];
	struct crypto_hash *hash;
	struct vfs_node *node; /* FILE: in the tree, which holds it */
	struct buf *trust;     /* TRUST: where it goes */
	uint64_t mtime;
};

struct keep_workload {
	struct keep_clock *clock; /* borrowed; TIME sets it */
	uint64_t budget;	  /* bytes for all of it, and the program */
	bool configured, timed, started;
	struct buf raw; /* CONFIG's payload: `config` borrows from it */
	struct frame_config config;
	bool reads_stdin; /* a descriptor of CONFIG does */
	struct buf trust[FRAME_MAX_PROFILES];
	struct buf strings; /* the C strings that the arrays below point to */
	const char **args, **env, **mounts;
	struct memfs *fs;
	struct vfs_node **roots; /* one for each mount */
	uint64_t file_quota, file_bytes;
	uint8_t *module; /* module_size bytes, or NULL */
	size_t module_size, module_have;
	bool module_done;
	/* What it all was, for the receipt: SHA-256 each. */
	uint8_t module_sha256[CRYPTO_SHA256_BYTES];
	uint8_t parts[FRAME_PART_POLICY][CRYPTO_SHA256_BYTES];
	bool has_part[FRAME_PART_POLICY];
	struct crypto_hash *file_heads;		   /* of FILE's payloads */
	uint8_t files_sha256[CRYPTO_SHA256_BYTES]; /* the same, at START */
	struct keep_object object;
};

/* memory: what the host granted; 0: it set no limit. */
void keep_workload_init(struct keep_workload *w, struct keep_clock *clock,
	uint64_t memory);
void keep_workload_fini(struct keep_workload *w); /* wipes */

/* One frame of the deploying client after its HELLO. */
MUST_USE bool keep_workload_frame(struct keep_workload *w, unsigned type,
	struct bytes payload, struct err *e);

struct bytes keep_workload_module(const struct keep_workload *w);
/* Frees the binary module, once it is compiled. */
void keep_workload_drop_module(struct keep_workload *w);
/* Bytes left for linear memory and code, the shares of files and sockets
 * taken off. */
uint64_t keep_workload_room(const struct keep_workload *w);
/* What sockets may take; 0: CONFIG has none. */
uint64_t keep_workload_net(const struct keep_workload *w);

#endif
