/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and layouts of WASI preview 1 (witx `typenames`, 2020) as they lie
 * in the program's memory, little-endian.  wasi_unstable, its predecessor,
 * differs in filestat, in subscription and in the order of whence.
 */
#ifndef WASI_LAYOUT_H
#define WASI_LAYOUT_H

#include "base/base.h"

/* Rights: bits of fdstat's fs_rights_base and fs_rights_inheriting. */
#define RIGHT_FD_DATASYNC	      (1ull << 0)
#define RIGHT_FD_READ		      (1ull << 1)
#define RIGHT_FD_SEEK		      (1ull << 2)
#define RIGHT_FD_FDSTAT_SET_FLAGS     (1ull << 3)
#define RIGHT_FD_SYNC		      (1ull << 4)
#define RIGHT_FD_TELL		      (1ull << 5)
#define RIGHT_FD_WRITE		      (1ull << 6)
#define RIGHT_FD_ADVISE		      (1ull << 7)
#define RIGHT_FD_ALLOCATE	      (1ull << 8)
#define RIGHT_PATH_CREATE_DIRECTORY   (1ull << 9)
#define RIGHT_PATH_CREATE_FILE	      (1ull << 10)
#define RIGHT_PATH_LINK_SOURCE	      (1ull << 11)
#define RIGHT_PATH_LINK_TARGET	      (1ull << 12)
#define RIGHT_PATH_OPEN		      (1ull << 13)
#define RIGHT_FD_READDIR	      (1ull << 14)
#define RIGHT_PATH_READLINK	      (1ull << 15)
#define RIGHT_PATH_RENAME_SOURCE      (1ull << 16)
#define RIGHT_PATH_RENAME_TARGET      (1ull << 17)
#define RIGHT_PATH_FILESTAT_GET	      (1ull << 18)
#define RIGHT_PATH_FILESTAT_SET_SIZE  (1ull << 19)
#define RIGHT_PATH_FILESTAT_SET_TIMES (1ull << 20)
#define RIGHT_FD_FILESTAT_GET	      (1ull << 21)
#define RIGHT_FD_FILESTAT_SET_SIZE    (1ull << 22)
#define RIGHT_FD_FILESTAT_SET_TIMES   (1ull << 23)
#define RIGHT_PATH_SYMLINK	      (1ull << 24)
#define RIGHT_PATH_REMOVE_DIRECTORY   (1ull << 25)
#define RIGHT_PATH_UNLINK_FILE	      (1ull << 26)
#define RIGHT_POLL_FD_READWRITE	      (1ull << 27)
#define RIGHT_SOCK_SHUTDOWN	      (1ull << 28)
#define RIGHT_SOCK_ACCEPT	      (1ull << 29)
#define RIGHTS_ALL		      ((1ull << 30) - 1)

/* What makes sense on each kind of descriptor. */
#define RIGHTS_FILE                                                         \
	(RIGHT_FD_DATASYNC | RIGHT_FD_READ | RIGHT_FD_SEEK |                \
		RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_SYNC | RIGHT_FD_TELL | \
		RIGHT_FD_WRITE | RIGHT_FD_ADVISE | RIGHT_FD_ALLOCATE |      \
		RIGHT_FD_FILESTAT_GET | RIGHT_FD_FILESTAT_SET_SIZE |        \
		RIGHT_FD_FILESTAT_SET_TIMES | RIGHT_POLL_FD_READWRITE)
#define RIGHTS_DIRECTORY                                                       \
	(RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_SYNC | RIGHT_FD_ADVISE |         \
		RIGHT_FD_DATASYNC | RIGHT_PATH_CREATE_DIRECTORY |              \
		RIGHT_PATH_CREATE_FILE | RIGHT_PATH_LINK_SOURCE |              \
		RIGHT_PATH_LINK_TARGET | RIGHT_PATH_OPEN | RIGHT_FD_READDIR |  \
		RIGHT_PATH_READLINK | RIGHT_PATH_RENAME_SOURCE |               \
		RIGHT_PATH_RENAME_TARGET | RIGHT_PATH_FILESTAT_GET |           \
		RIGHT_PATH_FILESTAT_SET_SIZE | RIGHT_PATH_FILESTAT_SET_TIMES | \
		RIGHT_FD_FILESTAT_GET | RIGHT_FD_FILESTAT_SET_TIMES |          \
		RIGHT_PATH_SYMLINK | RIGHT_PATH_REMOVE_DIRECTORY |             \
		RIGHT_PATH_UNLINK_FILE)
#define RIGHTS_STREAM                                        \
	(RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_FILESTAT_GET | \
		RIGHT_POLL_FD_READWRITE | RIGHT_FD_SYNC | RIGHT_FD_DATASYNC)
#define RIGHTS_SOCKET (RIGHTS_STREAM | RIGHT_SOCK_SHUTDOWN | RIGHT_SOCK_ACCEPT)

/* filetype */
enum {
	FILETYPE_UNKNOWN = 0,
	FILETYPE_CHARACTER = 2,
	FILETYPE_DIRECTORY = 3,
	FILETYPE_FILE = 4,
	FILETYPE_SOCKET_STREAM = 6,
	FILETYPE_SYMLINK = 7,
};

/* fdflags, oflags, lookupflags, fstflags */
enum {
	FDFLAG_APPEND = 1,
	FDFLAG_DSYNC = 2,
	FDFLAG_NONBLOCK = 4,
	FDFLAG_RSYNC = 8,
	FDFLAG_SYNC = 16,
	FDFLAGS_ALL = 31,

	OFLAG_CREAT = 1,
	OFLAG_DIRECTORY = 2,
	OFLAG_EXCL = 4,
	OFLAG_TRUNC = 8,
	OFLAGS_ALL = 15,

	LOOKUP_FOLLOW = 1,

	FST_ATIM = 1,
	FST_ATIM_NOW = 2,
	FST_MTIM = 4,
	FST_MTIM_NOW = 8,
	FST_ALL = 15,
};

/* whence; wasi_unstable's order is cur, end, set. */
enum { WHENCE_SET = 0, WHENCE_CUR = 1, WHENCE_END = 2 };

/* riflags, roflags, sdflags */
enum {
	RECV_PEEK = 1,
	RECV_WAITALL = 2,
	RECV_DATA_TRUNCATED = 1,
	SHUT_READ = 1,
	SHUT_WRITE = 2,
};

/* eventtype; eventrwflags; subclockflags */
enum {
	EVENT_CLOCK = 0,
	EVENT_FD_READ = 1,
	EVENT_FD_WRITE = 2,
	EVENT_HANGUP = 1,
	CLOCK_ABSTIME = 1,
};

/* Sizes and offsets.
 *
 *	fdstat (24): filetype u8 0, flags u16 2, base u64 8, inheriting u64 16
 *	filestat (64): dev 0, ino 8, filetype u8 16, nlink u64 24, size 32,
 *		atim 40, mtim 48, ctim 56
 *	  unstable (56): nlink u32 20, size 24, atim 32, mtim 40, ctim 48
 *	prestat (8): tag u8 0, name length u32 4
 *	dirent (24): next 0, ino 8, name length u32 16, type u8 20
 *	iovec (8): pointer u32 0, length u32 4
 *	subscription (48): userdata 0, tag u8 8; clock: id u32 16,
 *		timeout 24, precision 32, flags u16 40; fd u32 16
 *	  unstable (56): clock: identifier 16, id u32 24, timeout 32,
 *		precision 40, flags u16 48
 *	event (32): userdata 0, errno u16 8, type u8 10, nbytes 16, flags u16 24
 */
enum {
	FDSTAT_BYTES = 24,
	FILESTAT_BYTES = 64,
	FILESTAT_OLD_BYTES = 56,
	PRESTAT_BYTES = 8,
	PRESTAT_UNKNOWN = 255, /* a tag that is not preview 1's */
	DIRENT_BYTES = 24,
	IOVEC_BYTES = 8,
	SUBSCRIPTION_BYTES = 48,
	SUBSCRIPTION_OLD_BYTES = 56,
	EVENT_BYTES = 32,
};

/* Unaligned little-endian access: programs may pass any address. */
static inline void put_le(uint8_t *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t get_le(const uint8_t *from, size_t n)
{
	uint64_t v = 0;
	for (size_t i = n; i-- > 0;)
		v = v << 8 | from[i];
	return v;
}

#endif
