/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel's interface to virtual machines and enclaves, as thin as can be:
 * what hal/ says to /dev/kvm, /dev/sev and /dev/sgx_enclave goes through here.
 * Two implementations: the system calls (linux.c), and the software platform,
 * which plays the kernel and its hardware (soft/).
 *
 * Handles are small numbers >= 0 that open and ioctl give out.  What can fail
 * returns as the system call does, but with -errno.  Requests, arguments and
 * struct kvm_run are Linux's (linux/kvm.h, spec/kvm.h).
 *
 * One thread opens, asks and closes; `enter` is called by the one thread that
 * runs that processor; `kick` by any.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <sys/types.h>

#include "base/err.h"

struct device;

/* Of an enclave's one thread: what the kernel's __vdso_sgx_enter_enclave takes
 * and gives (linux: arch/x86/include/uapi/asm/sgx.h). */
struct device_enclave {
	uint64_t tcs;
	/* In: SGX_EENTER or SGX_ERESUME.  Out: SGX_EEXIT; or, where an
	 * exception ended it, the leaf that was under way (spec/sgx_enclave.h).
	 */
	uint32_t function;
	uint16_t vector, error; /* of the exception */
	uint64_t address;
	uint64_t rdi, rsi, rdx, r8; /* in, and out after EEXIT */
};

struct device_ops {
	/* "/dev/kvm", "/dev/sev", "/dev/sgx_enclave", "/dev/sgx_provision". */
	int (*open)(struct device *d, const char *path);
	int (*ioctl)(struct device *d, int handle, unsigned long request,
		void *arg);
	/* The kvm_run of a processor; NULL on failure. */
	void *(*map)(struct device *d, int handle, size_t len);
	void (*unmap)(struct device *d, void *at, size_t len);
	/* Zeroed memory that a memory region may be made of; NULL: none. */
	void *(*memory)(struct device *d, size_t len);
	void (*memory_free)(struct device *d, void *at, size_t len);
	/* What is in a part of it may go: it is zero when it is looked at next.
	 * Any thread. */
	void (*memory_drop)(struct device *d, void *at, size_t len);
	/* Runs the processor until it exits: 0; -EINTR when it was kicked. */
	int (*enter)(struct device *d, int vcpu, void *run);
	/* Makes enter return, now and from now on. */
	void (*kick)(struct device *d, int vcpu, void *run);
	/* A guest_memfd's pages are gone: fallocate(PUNCH_HOLE).  Also the
	 * processor's thread, outside enter. */
	int (*discard)(struct device *d, int handle, uint64_t at, uint64_t len);
	/* SGX.  [at, at + len) of this process' addresses: for nobody else
	 * (handle < 0), or that enclave's, prot as mmap's; 0. */
	int (*enclave_map)(struct device *d, int handle, uint64_t at,
		size_t len, int prot);
	/* What the process may do there from now on. */
	int (*enclave_protect)(struct device *d, uint64_t at, size_t len,
		int prot);
	/* Has the kernel add the pages there that an enclave may have and does
	 * not, as its own first access would; some, or none, if it can't. */
	void (*enclave_touch)(struct device *d, uint64_t at, size_t len);
	void (*enclave_unmap)(struct device *d, uint64_t at, size_t len);
	/* Runs the thread until it leaves: 0. */
	int (*enclave_enter)(struct device *d, int handle,
		struct device_enclave *x);
	/* Makes it leave, now and from now on. */
	void (*enclave_stop)(struct device *d, uint64_t at, size_t len);
	/* What this processor answers to CPUID; 0. */
	int (*cpuid)(struct device *d, uint32_t leaf, uint32_t sub,
		uint32_t out[4]);
	void (*close)(struct device *d, int handle);
	/* A process of its own that free will end; NULL or 0: none.  And a
	 * descriptor on which poll tells (POLLHUP) that it has ended. */
	pid_t (*child)(struct device *d);
	int (*ended)(struct device *d);
	/* After everything was closed. */
	void (*free)(struct device *d);
};

struct device {
	const struct device_ops *ops;
};

/* The kernel's own. */
MUST_USE bool device_linux_new(struct device **out, struct err *e);

static inline int device_ioctl(struct device *d, int handle,
	unsigned long request, void *arg)
{
	return d->ops->ioctl(d, handle, request, arg);
}

#endif
