/* SPDX-License-Identifier: Apache-2.0 */
/*
 * donjon-wasm, a tool for developers and never part of a Keep: runs a module
 * outside of one, by the same engine, WASI and file system.  This header is
 * what its files share.
 */
#ifndef DEV_DEV_H
#define DEV_DEV_H

#include <stdio.h>

#include "base/err.h"
#include "memfs/memfs.h"
#include "wasi/wasi.h"
#include "wasm/wasm.h"

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

/* --- look.c: what becomes of a module, and what it does ------------------- */

/* Writes all functions to standard output; places are kept. */
void dev_dump(const struct wasm_module *m, struct bytes module);

/* Writes calls and returns, or every instruction, to standard error.  t stays
 * where it is while the instance exists. */
struct dev_trace {
	bool words;
};
MUST_USE bool dev_trace_start(struct dev_trace *t, struct wasm_instance *i,
	struct err *e);

/* --- code.c: what is compiled ----------------------------------------------
 */

/* For wasm_instance_jit_watch: writes to standard error, or names functions in
 * /tmp/perf-PID.map. */
struct dev_code {
	struct wasm_jit_watch watch;
	FILE *map;
	struct bytes func; /* disassembled last: a line or NULL for each byte */
	char **lines;
};

/* d stays where it is while the instance exists. */
MUST_USE bool dev_code_init(struct dev_code *d, uint32_t dump, bool perf,
	struct err *e);
void dev_code_fini(struct dev_code *d);

#endif
