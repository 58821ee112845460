/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Linux's interface that the shim shows to exec: numbers that are
 * the same on every architecture (include/uapi/asm-generic).  The numbers of
 * the calls themselves differ and are with each architecture.
 */
#ifndef SHIM_COMMON_LINUX_H
#define SHIM_COMMON_LINUX_H

enum linux_errno {
	LINUX_EPERM = 1,
	LINUX_ENOENT = 2,
	LINUX_EINTR = 4,
	LINUX_EIO = 5,
	LINUX_EBADF = 9,
	LINUX_EAGAIN = 11,
	LINUX_ENOMEM = 12,
	LINUX_EACCES = 13,
	LINUX_EFAULT = 14,
	LINUX_EINVAL = 22,
	LINUX_ENOSYS = 38,
	LINUX_ETIMEDOUT = 110,
};

#define LINUX_PROT_READ	 1u
#define LINUX_PROT_WRITE 2u
#define LINUX_PROT_EXEC	 4u

#define LINUX_MAP_SHARED	  0x01u
#define LINUX_MAP_PRIVATE	  0x02u
#define LINUX_MAP_TYPE		  0x0fu
#define LINUX_MAP_FIXED		  0x10u
#define LINUX_MAP_ANONYMOUS	  0x20u
#define LINUX_MAP_POPULATE	  0x8000u
#define LINUX_MAP_STACK		  0x20000u
#define LINUX_MAP_FIXED_NOREPLACE 0x100000u

#define LINUX_MREMAP_MAYMOVE 1u

#define LINUX_MADV_DONTNEED 4u

#define LINUX_CLOCK_REALTIME	       0u
#define LINUX_CLOCK_MONOTONIC	       1u
#define LINUX_CLOCK_PROCESS_CPUTIME_ID 2u
#define LINUX_CLOCK_THREAD_CPUTIME_ID  3u
#define LINUX_CLOCK_MONOTONIC_RAW      4u
#define LINUX_CLOCK_REALTIME_COARSE    5u
#define LINUX_CLOCK_MONOTONIC_COARSE   6u
#define LINUX_CLOCK_BOOTTIME	       7u

#define LINUX_FUTEX_WAIT	0u
#define LINUX_FUTEX_WAKE	1u
#define LINUX_FUTEX_WAIT_BITSET 9u
#define LINUX_FUTEX_WAKE_BITSET 10u
#define LINUX_FUTEX_CMD		0x7fu

#endif
