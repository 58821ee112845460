/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "hal/process_priv.h"
#include "hal/sandbox_priv.h"
#include "hal/vm_priv.h"

/* What serving a Keep needs: bytes over descriptors that are there. */
static const int loader_calls[] = { SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(fcntl),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(getsockopt),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(brk), SCMP_SYS(mmap),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* Private memory that the Keep gives back: no file of the loader's is
	 * another's. */
	SCMP_SYS(fallocate), SCMP_SYS(mprotect), SCMP_SYS(futex),
	SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(tgkill),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall),
	/* The processor's thread, which may just start, and its end. */
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(capset) };

/* Its end, when the device has a process. */
static size_t allow_child(struct device *d, struct sandbox_rule rules[2])
{
	pid_t pid = d->ops->child ? d->ops->child(d) : 0;
	if (pid <= 0)
		return 0;
	rules[0] = (struct sandbox_rule){ SCMP_SYS(kill), 0, (uint64_t)pid };
	rules[1] = (struct sandbox_rule){ SCMP_SYS(wait4), 0, (uint64_t)pid };
	return 2;
}

bool vm_confine(struct vm_cpu *c, uid_t uid, bool change,
	const unsigned long *requests, struct err *e)
{
	struct sandbox_rule rules[16 + SANDBOX_NET_RULES] = {
		{ SCMP_SYS(ioctl), 1, KVM_RUN },
		/* Private memory that the Keep gives back. */
		{ SCMP_SYS(fallocate), 1,
			FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE },
	};
	size_t n = 2 + SANDBOX_NET_RULES;
	memcpy(rules + 2, sandbox_net, sizeof sandbox_net);
	for (; requests && *requests && n < ARRAY_LEN(rules) - 2; requests++)
		rules[n++] =
			(struct sandbox_rule){ SCMP_SYS(ioctl), 1, *requests };
	n += allow_child(c->device, rules + n);
	if (change && !process_become(uid, e))
		return false;
	__atomic_store_n(&c->confine, true, __ATOMIC_SEQ_CST);
	if (!process_drop_caps(e))
		return false;
	if (HAL_SANITIZED)
		return true;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_fail(e, ERR_HOST, "prctl: %s", strerror(errno));
	return sandbox_load(loader_calls, ARRAY_LEN(loader_calls), rules, n, e);
}
