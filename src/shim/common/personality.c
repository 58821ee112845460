/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/personality.h"

#include "abi/gate.h"
#include "shim/common/linux.h"

enum { PID = 1, RLIMIT_STACK = 3, STACK_LIMIT = 8 << 20 };

struct pair { /* struct timespec, timeval, rlimit */
	uint64_t a, b;
};

static int64_t put_pair(struct personality *p, uint64_t to, uint64_t a,
	uint64_t b)
{
	struct pair v = { a, b };
	if (to && !p->ops->copy_out(to, &v, sizeof v))
		return -LINUX_EFAULT;
	return 0;
}

/* --- the bell --------------------------------------------------------------
 */

/* The host answers before it lets the Keep run on: when ringing is over, the
 * byte that exec then waits for is there. */
static int64_t call_write(struct personality *p, const uint64_t *a)
{
	if (a[0] != GATE_BELL_FD)
		return -LINUX_EBADF;
	if (a[2] != 1)
		return -LINUX_EINVAL;
	p->ops->bell();
	p->rung = true;
	return 1;
}

static int64_t call_read(struct personality *p, const uint64_t *a)
{
	static const uint8_t byte;
	if (a[0] != GATE_BELL_FD)
		return -LINUX_EBADF;
	/* Nobody will ever ring: the end of the host's half. */
	if (!p->rung || !a[2])
		return 0;
	if (!p->ops->copy_out(a[1], &byte, 1))
		return -LINUX_EFAULT;
	p->rung = false;
	return 1;
}

/* --- time ------------------------------------------------------------------
 */

static bool is_real(uint64_t id)
{
	return id == LINUX_CLOCK_REALTIME || id == LINUX_CLOCK_REALTIME_COARSE;
}

static uint64_t now(struct personality *p, uint64_t id)
{
	uint64_t counter = p->ops->counter();
	return is_real(id) ? clock_real(p->clock, counter) :
			     clock_mono(p->clock, counter);
}

static int64_t call_clock_gettime(struct personality *p, const uint64_t *a)
{
	if (a[0] > LINUX_CLOCK_BOOTTIME)
		return -LINUX_EINVAL;
	uint64_t ns = now(p, a[0]);
	return put_pair(p, a[1], ns / 1000000000u, ns % 1000000000u);
}

static int64_t call_gettimeofday(struct personality *p, const uint64_t *a)
{
	uint64_t ns = now(p, LINUX_CLOCK_REALTIME);
	return put_pair(p, a[0], ns / 1000000000u, ns % 1000000000u / 1000);
}

static int64_t call_time(struct personality *p, const uint64_t *a)
{
	uint64_t s = now(p, LINUX_CLOCK_REALTIME) / 1000000000u;
	if (a[0] && !p->ops->copy_out(a[0], &s, sizeof s))
		return -LINUX_EFAULT;
	return (int64_t)s;
}

/* --- the rest --------------------------------------------------------------
 */

static int64_t call_getrandom(struct personality *p, const uint64_t *a)
{
	uint64_t len = a[1] < 1u << 20 ? a[1] : 1u << 20;
	for (uint64_t done = 0; done < len;) {
		uint64_t word;
		size_t n = size_min(len - done, sizeof word);
		if (!random_word(p->random, &word))
			p->ops->crash("random generator failed");
		if (!p->ops->copy_out(a[0] + done, &word, n))
			return -LINUX_EFAULT;
		done += n;
	}
	return (int64_t)len;
}

/* One thread: whoever waits for a change waits for itself. */
static int64_t call_futex(struct personality *p, const uint64_t *a)
{
	uint32_t value;
	switch (a[1] & LINUX_FUTEX_CMD) {
	case LINUX_FUTEX_WAKE:
	case LINUX_FUTEX_WAKE_BITSET:
		return 0;
	case LINUX_FUTEX_WAIT:
	case LINUX_FUTEX_WAIT_BITSET:
		if (!p->ops->copy_in(&value, a[0], sizeof value))
			return -LINUX_EFAULT;
		if (value != (uint32_t)a[2])
			return -LINUX_EAGAIN;
		if (a[3])
			return -LINUX_ETIMEDOUT;
		p->ops->crash("exec waits for itself");
	default:
		return -LINUX_ENOSYS;
	}
}

static int64_t call_prlimit64(struct personality *p, const uint64_t *a)
{
	uint64_t most = a[1] == RLIMIT_STACK ? STACK_LIMIT : UINT64_MAX;
	return put_pair(p, a[3], most, UINT64_MAX);
}

static int64_t memory_call(struct personality *p, enum call call,
	const uint64_t *a)
{
	switch (call) {
	case CALL_MMAP:
		return space_mmap(p->space, a[0], a[1], a[2], a[3],
			(int32_t)a[4], a[5]);
	case CALL_MPROTECT:
		return space_mprotect(p->space, a[0], a[1], a[2]);
	case CALL_MUNMAP:
		return space_munmap(p->space, a[0], a[1]);
	case CALL_MREMAP:
		return space_mremap(p->space, a[0], a[1], a[2], a[3]);
	case CALL_MADVISE:
		return space_madvise(p->space, a[0], a[1], a[2]);
	default:
		return space_brk(p->space, a[0]);
	}
}

static int64_t io_call(struct personality *p, enum call call, const uint64_t *a)
{
	switch (call) {
	case CALL_READ:
		return call_read(p, a);
	case CALL_WRITE:
		return call_write(p, a);
	case CALL_CLOCK_GETTIME:
		return call_clock_gettime(p, a);
	case CALL_CLOCK_GETRES:
		return put_pair(p, a[1], 0, 1);
	case CALL_GETTIMEOFDAY:
		return call_gettimeofday(p, a);
	case CALL_TIME:
		return call_time(p, a);
	default:
		return call_getrandom(p, a);
	}
}

int64_t personality_call(struct personality *p, enum call call,
	const uint64_t args[6])
{
	switch (call) {
	case CALL_MMAP ... CALL_BRK:
		return memory_call(p, call, args);
	case CALL_READ ... CALL_WRITE:
	case CALL_CLOCK_GETTIME ... CALL_GETRANDOM:
		return io_call(p, call, args);
	case CALL_FUTEX:
		return call_futex(p, args);
	case CALL_PRLIMIT64:
		return call_prlimit64(p, args);
	case CALL_GETPID:
	case CALL_SET_TID_ADDRESS:
		return PID;
	case CALL_READLINK:
		return -LINUX_ENOENT;
	case CALL_GETUID:
	case CALL_SIGNAL:
	case CALL_NOTHING:
		return 0;
	case CALL_KILL:
	case CALL_EXIT:
		p->ops->exit(call == CALL_KILL ? 128 + (int)args[2] :
						 (int)(uint8_t)args[0],
			p->unknown);
	case CALL_SYSINFO:
		return -LINUX_ENOSYS;
	default:
		p->unknown++;
		return -LINUX_ENOSYS;
	}
}
