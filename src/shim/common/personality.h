/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that exec may make: the little of Linux that a static
 * glibc program needs to start, and exec to live.  Memory, time and randomness
 * are served here; the only way out is the bell (abi/gate.h).  What is not in
 * the list is ENOSYS, and counted.
 */
#ifndef SHIM_COMMON_PERSONALITY_H
#define SHIM_COMMON_PERSONALITY_H

#include "shim/common/clock.h"
#include "shim/common/random.h"
#include "shim/common/space.h"

/* Without the numbers, which differ with the architecture. */
enum call {
	CALL_UNKNOWN = 0,
	CALL_READ,
	CALL_WRITE,
	CALL_MMAP,
	CALL_MPROTECT,
	CALL_MUNMAP,
	CALL_MREMAP,
	CALL_MADVISE,
	CALL_BRK,
	CALL_CLOCK_GETTIME,
	CALL_CLOCK_GETRES,
	CALL_GETTIMEOFDAY,
	CALL_TIME,
	CALL_GETRANDOM,
	CALL_GETPID, /* and gettid */
	CALL_GETUID, /* and its kin */
	CALL_SET_TID_ADDRESS,
	CALL_FUTEX,
	CALL_PRLIMIT64,
	CALL_READLINK,
	CALL_SIGNAL,  /* no signal ever comes: all that prepares for one */
	CALL_NOTHING, /* succeeds: hardening that is always on here */
	CALL_SYSINFO, /* refused, but expected */
	CALL_KILL,    /* by which a program ends itself */
	CALL_EXIT,
	CALL_COUNT,
};

struct personality_ops {
	/* exec's memory; false: it is not there, or has not the right. */
	bool (*copy_out)(uint64_t to, const void *from, size_t n);
	bool (*copy_in)(void *to, uint64_t from, size_t n);
	uint64_t (*counter)(void);
	/* Rings, and returns when the reply is there. */
	void (*bell)(void);
	NORETURN void (*exit)(int status, uint32_t unknown_calls);
	/* Ends with a reason. */
	NORETURN void (*crash)(const char *why);
};

struct personality {
	const struct personality_ops *ops;
	struct space *space;
	struct clock *clock;
	struct random_source *random;
	bool rung;	  /* a reply waits to be read from the bell */
	uint32_t unknown; /* calls that were refused */
};

/* A result as Linux gives it: a value, or -errno. */
int64_t personality_call(struct personality *p, enum call call,
	const uint64_t args[6]);

#endif
