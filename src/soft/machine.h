/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One QEMU with the monitor in it: its process, the file that it shares with
 * us, the bells, and calls of the monitor (abi/monitor.h).
 */
#ifndef SOFT_MACHINE_H
#define SOFT_MACHINE_H

#include <pthread.h>
#include <sys/types.h>

#include "abi/monitor.h"
#include "base/err.h"

enum { SOFT_REGIONS = 8 };

/* A piece of the shared file that somebody of ours has mapped. */
struct soft_region {
	uint8_t *ptr;
	size_t len;
	uint64_t at; /* in the file */
};

struct soft_machine {
	int file;
	uint64_t file_bytes; /* given out, so far */
	struct monitor_box *box;
	struct soft_region regions[SOFT_REGIONS];
	/* QEMU's. */
	pid_t pid; /* 0: not started */
	int peer;  /* ends when QEMU does */
	int wake;  /* the monitor's bell */
	int bells[MONITOR_BELLS];
	int said;	       /* what QEMU wrote to its standard error */
	pthread_mutex_t calls; /* one at a time */
};

/* One kind of QEMU machine: its program, and what makes it that machine. */
struct soft_board {
	const char *program; /* qemu-system-... */
	const char *package; /* Debian's, that has it */
	/* Words of the command line, NULL behind the last one.  Descriptor 3 is
	 * the firmware's image, 4 the socket of the device whose memory is the
	 * shared file. */
	const char *const *words;
};

/* A PC, whose processor the monitor in monitor/x86_64 turns into others. */
extern const struct soft_board soft_board_pc;
/* A RISC-V machine, for the security monitor in monitor/riscv64. */
extern const struct soft_board soft_board_riscv;

struct soft_start {
	const struct soft_board *board; /* NULL: soft_board_pc */
	int image;			/* the firmware, in a memfd */
	int gdb; /* a listening socket for QEMU's debugger; 0, -1: none */
	uint64_t ram_bytes;
	uid_t uid;
	bool change_id;
};

MUST_USE bool soft_machine_init(struct soft_machine *m, struct err *e);
void soft_machine_fini(struct soft_machine *m);

/* Zeroed memory in the shared file, at a multiple of 2 MiB in it; only
 * before _start.  NULL: none. */
void *soft_machine_memory(struct soft_machine *m, size_t len);
void soft_machine_memory_free(struct soft_machine *m, void *at);
/* Where [ptr, ptr + len) is in the file; false: not in it. */
MUST_USE bool soft_machine_locate(const struct soft_machine *m, const void *ptr,
	size_t len, uint64_t *at);

/* And back: NULL when no region of ours has all of it. */
void *soft_machine_at(const struct soft_machine *m, uint64_t at, size_t len);

/* How long the file is that QEMU will have. */
uint64_t soft_machine_file_size(const struct soft_machine *m);

/* Starts QEMU and does not wait for it. */
MUST_USE bool soft_machine_start(struct soft_machine *m,
	const struct soft_start *s, struct err *e);
/* Until the monitor listens. */
MUST_USE bool soft_machine_ready(struct soft_machine *m, struct err *e);
/* One call; true when the monitor did it. */
MUST_USE bool soft_machine_call(struct soft_machine *m, enum monitor_op op,
	const uint64_t args[4], struct err *e);
/* Runs the guest; false: QEMU is gone.  One thread. */
MUST_USE bool soft_machine_run(struct soft_machine *m,
	struct monitor_exit *out);
/* The guest stops, and does not run again. */
void soft_machine_kick(struct soft_machine *m);

/* --- machine_spawn.c ---------------------------------------------------- */

/* Is its program where Debian puts it?  path: at least 64 bytes, or NULL. */
MUST_USE bool soft_board_find(const struct soft_board *b, char *path,
	struct err *e);
/* A socket for gdb, the caller's user's; *out stays as it is when path is NULL.
 */
MUST_USE bool soft_gdb_listen(const char *path, int *out, struct err *e);
/* A child that becomes QEMU, with `socket` as its device's server. */
MUST_USE bool soft_machine_spawn(const struct soft_start *s, int socket,
	int said, pid_t *pid, struct err *e);

#endif
