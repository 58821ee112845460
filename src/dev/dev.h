/* SPDX-License-Identifier: Apache-2.0 */
/*
 * donjon-wasm, a tool for developers and never part of a Keep: runs a module
 * outside of one, by the same engine, WASI and file system.  This header is
 * what its files share.
 */
#ifndef DEV_DEV_H
#define DEV_DEV_H

#include "base/err.h"
#include "keep/memfs.h"
#include "wasi/wasi.h"

/* --- stdio.c: the machine's clocks, randomness, standard streams ---------- */

struct dev_stream {
	int fd;
	bool wanted; /* somebody was told "not now" since the last wait */
};

struct dev_host {
	struct wasi_host host;
	struct dev_stream streams[3];
};

/* h stays where it is while anything uses it. */
void dev_host_init(struct dev_host *h);
/* Descriptors 0 to 2 of the program. */
void dev_host_stdio(struct dev_host *h, struct wasi_fd_config fds[3]);
uint64_t dev_now(void *ctx);

/* --- dirs.c: directories of the machine, copied in and back --------------- */

struct dev_dir {
	const char *host;  /* path on the machine */
	const char *guest; /* path in the program */
	bool writable;	   /* goes back when the program ends */
	struct vfs_node *root;
};

MUST_USE bool dev_dir_load(struct dev_dir *d, struct memfs *fs, struct err *e);
/*
 * Writes what was made or changed; removes nothing.  Nothing is written
 * through a symbolic link of the machine.
 */
MUST_USE bool dev_dir_save(const struct dev_dir *d, struct memfs *fs,
	struct err *e);

#endif
