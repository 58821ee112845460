/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes into a Keep before its program starts, frame by frame and in
 * constant memory per frame: CONFIG, TIME, the directories' files, MODULE,
 * START.  Made before anything is asked of a host, sent after the Keep was
 * verified.
 */
#ifndef CLIENT_DELIVER_H
#define CLIENT_DELIVER_H

#include "channel/channel.h"
#include "channel/frame.h"
#include "client/workload.h"
#include "repository/archive.h"
#include "repository/repository.h"

struct client_entry {
	char *path; /* owned; below the mount */
	uint32_t mount;
	bool directory;
	uint64_t size, mtime_ns;
	const struct client_item *item; /* a single file; or NULL */
	bool packaged;			/* in the package's data, at `from` */
	bool archived;			/* in its mount's archive, at `from` */
	uint64_t from;
};

struct client_deliver {
	const struct client_workload *w;	  /* borrowed */
	const struct repository_package *package; /* borrowed */
	struct buf module;
	uint64_t module_bytes;
	uint8_t module_sha256[32];
	struct client_entry *entries;
	size_t entry_count, files, skipped;  /* skipped: links, devices, ... */
	struct repository_archive *archives; /* of mounts that are some */
	size_t secrets;
	uint64_t file_bytes;
	uint64_t room; /* what more files may have of the Keep's memory */
	/* What it came from, for the Keep to see: by enum frame_part - 1. */
	struct buf parts[FRAME_PART_POLICY];
	size_t part;
	uint32_t flags; /* FRAME_CONFIG_* */
	/* where we are */
	enum {
		CLIENT_DELIVER_CONFIG,
		CLIENT_DELIVER_TIME,
		CLIENT_DELIVER_TRUST,
		CLIENT_DELIVER_ANCHORS, /* DATA of profiles[at] */
		CLIENT_DELIVER_PART,	/* the next of `parts` */
		CLIENT_DELIVER_PART_DATA,
		CLIENT_DELIVER_ENTRY,
		CLIENT_DELIVER_FILE, /* DATA of entries[at] */
		CLIENT_DELIVER_MODULE,
		CLIENT_DELIVER_CODE, /* DATA of the module */
		CLIENT_DELIVER_START,
		CLIENT_DELIVER_DONE,
	} state;
	size_t at;
	uint64_t left; /* of the object under way */
	uint64_t from; /* in fd */
	int fd;
	uint8_t *chunk;
};

/* Reads the package's module and lists the directories.  Borrows both. */
MUST_USE bool client_deliver_init(struct client_deliver *d,
	const struct client_workload *w,
	const struct repository_package *package, struct err *e);
void client_deliver_fini(struct client_deliver *d); /* wipes */
/* Has the Keep see the package's manifest, the Donjon.toml that counts (toml;
 * empty: the package's), and the policy (text; may be empty), so that a
 * receipt names them. */
MUST_USE bool client_deliver_parts(struct client_deliver *d, struct bytes toml,
	struct bytes policy, struct err *e);

/* Sends the next frame; the channel has room for it. */
MUST_USE bool client_deliver_next(struct client_deliver *d, struct channel *c,
	struct err *e);

#endif
