/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that a running Keep makes often.  Where the shim has a cheaper
 * way than SYSCALL (abi/gate.h, gate_shim.call) they go by it: the linker puts
 * these functions in the place of the C library's, in exec, OpenSSL and the
 * library itself (--wrap, module.mk).  Everywhere else they are the library's.
 */
#include "keep/calls.h"

#ifndef __SANITIZE_ADDRESS__
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "keep/evidence.h"

typedef int64_t call_fn(uint64_t number, const uint64_t args[6]);

static call_fn *door(void)
{
	const struct gate_shim *s = keep_shim();
	call_fn *f = NULL;
	if (s && s->call)
		memcpy(&f, &s->call, sizeof f);
	return f;
}

/* As the C library tells it. */
static int64_t told(int64_t n)
{
	if (n >= 0 || n < -4095)
		return n;
	errno = (int)-n;
	return -1;
}

#define ARGS(...)	  ((const uint64_t[6]){ __VA_ARGS__ })
#define ADDRESS(p)	  ((uint64_t)(uintptr_t)(p))
#define POINTER(n)	  ((void *)(uintptr_t)(n))
#define CALL(number, ...) told(f((number), ARGS(__VA_ARGS__)))

/* --- in the place of others ------------------------------------------------
 */

ssize_t __real_read(int fd, void *to, size_t n);
ssize_t __wrap_read(int fd, void *to, size_t n);
ssize_t __wrap_read(int fd, void *to, size_t n)
{
	call_fn *f = door();
	return f ? CALL(SYS_read, (uint64_t)fd, ADDRESS(to), n) :
		   __real_read(fd, to, n);
}

ssize_t __real_write(int fd, const void *from, size_t n);
ssize_t __wrap_write(int fd, const void *from, size_t n);
ssize_t __wrap_write(int fd, const void *from, size_t n)
{
	call_fn *f = door();
	return f ? CALL(SYS_write, (uint64_t)fd, ADDRESS(from), n) :
		   __real_write(fd, from, n);
}

int __real_clock_gettime(clockid_t id, struct timespec *to);
int __wrap_clock_gettime(clockid_t id, struct timespec *to);
int __wrap_clock_gettime(clockid_t id, struct timespec *to)
{
	call_fn *f = door();
	return f ? (int)CALL(SYS_clock_gettime, (uint64_t)id, ADDRESS(to)) :
		   __real_clock_gettime(id, to);
}

time_t __real_time(time_t *to);
time_t __wrap_time(time_t *to);
time_t __wrap_time(time_t *to)
{
	struct timespec now = { .tv_sec = 0 };
	if (!door())
		return __real_time(to);
	__wrap_clock_gettime(CLOCK_REALTIME, &now);
	if (to)
		*to = now.tv_sec;
	return now.tv_sec;
}

pid_t __real_getpid(void);
pid_t __wrap_getpid(void);
pid_t __wrap_getpid(void)
{
	call_fn *f = door();
	return f ? (pid_t)CALL(SYS_getpid, 0) : __real_getpid();
}

/* --- malloc's ---------------------------------------------------------------
 */

void *__real___mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap___mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap___mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	call_fn *f = door();
	return f ? POINTER(CALL(SYS_mmap, ADDRESS(at), n, (uint64_t)prot,
			   (uint64_t)flags, (uint64_t)fd, (uint64_t)off)) :
		   __real___mmap(at, n, prot, flags, fd, off);
}

int __real___munmap(void *at, size_t n);
int __wrap___munmap(void *at, size_t n);
int __wrap___munmap(void *at, size_t n)
{
	call_fn *f = door();
	return f ? (int)CALL(SYS_munmap, ADDRESS(at), n) :
		   __real___munmap(at, n);
}

/* Without an address of the caller's choice, which malloc never has. */
void *__real___mremap(void *at, size_t old, size_t n, int flags, ...);
void *__wrap___mremap(void *at, size_t old, size_t n, int flags, ...);
void *__wrap___mremap(void *at, size_t old, size_t n, int flags, ...)
{
	call_fn *f = door();
	return f ? POINTER(CALL(SYS_mremap, ADDRESS(at), old, n,
			   (uint64_t)flags)) :
		   __real___mremap(at, old, n, flags);
}

extern void *__curbrk; /* the C library's, for sbrk */
int __real___brk(void *to);
int __wrap___brk(void *to);
int __wrap___brk(void *to)
{
	call_fn *f = door();
	if (!f)
		return __real___brk(to);
	__curbrk = POINTER(CALL(SYS_brk, ADDRESS(to)));
	if (__curbrk >= to)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* --- code --------------------------------------------------------------------
 */

static bool put_code(void *to, const void *code, size_t len)
{
	return door()(GATE_CALL_CODE, ARGS(ADDRESS(to), ADDRESS(code), len)) ==
		0;
}

bool (*keep_calls_code(void))(void *to, const void *code, size_t len)
{
	return door() ? put_code : NULL;
}
#else
/* Sanitizers have their own functions. */
bool (*keep_calls_code(void))(void *to, const void *code, size_t len)
{
	return NULL;
}
#endif
