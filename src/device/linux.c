/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device/linux_priv.h"

/* Interrupts KVM_RUN, and nothing else: its handler does nothing. */
#define KICK (SIGRTMIN + 4)

/* One processor: a Keep of ours has no more. */
struct linux_device {
	struct device device;
	pthread_mutex_t lock;
	bool running; /* `thread` is inside enter */
	pthread_t thread;
};

static struct linux_device *self(struct device *d)
{
	return (struct linux_device *)(void *)d;
}

static int linux_open(struct device *d, const char *path)
{
	(void)d;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int linux_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	(void)d;
	int n;
	do
		n = ioctl(handle, request, arg);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void *linux_map(struct device *d, int handle, size_t len)
{
	(void)d;
	void *p =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void linux_unmap(struct device *d, void *at, size_t len)
{
	(void)d;
	if (at)
		munmap(at, len);
}

/* Begins at a boundary of a large page, so that the guest may have some. */
static void *linux_memory(struct device *d, size_t len)
{
	enum { LARGE = 2 << 20 };
	(void)d;
	size_t whole;
	if (!size_add(len, LARGE, &whole))
		return NULL;
	uint8_t *p = mmap(NULL, whole, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t head = -(uintptr_t)p % LARGE;
	if (head)
		munmap(p, head);
	if (head < LARGE)
		munmap(p + head + len, LARGE - head);
	return p + head;
}

static void linux_memory_free(struct device *d, void *at, size_t len)
{
	(void)d;
	if (at)
		munmap(at, len);
}

static void linux_memory_drop(struct device *d, void *at, size_t len)
{
	(void)d;
	madvise(at, len, MADV_DONTNEED);
}

static void set_running(struct linux_device *l, bool running)
{
	pthread_mutex_lock(&l->lock);
	l->running = running;
	l->thread = pthread_self();
	pthread_mutex_unlock(&l->lock);
}

static int linux_enter(struct device *d, int vcpu, void *run)
{
	(void)run;
	set_running(self(d), true);
	int n = ioctl(vcpu, KVM_RUN, 0);
	n = n < 0 ? -errno : n;
	set_running(self(d), false);
	return n;
}

/* The flag stops the next KVM_RUN, the signal one that is under way. */
static void linux_kick(struct device *d, int vcpu, void *run)
{
	struct linux_device *l = self(d);
	(void)vcpu;
	__atomic_store_n(&((struct kvm_run *)run)->immediate_exit, 1,
		__ATOMIC_SEQ_CST);
	pthread_mutex_lock(&l->lock);
	if (l->running)
		pthread_kill(l->thread, KICK);
	pthread_mutex_unlock(&l->lock);
}

static int linux_discard(struct device *d, int handle, uint64_t at,
	uint64_t len)
{
	(void)d;
	int n = fallocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)at, (off_t)len);
	return n < 0 ? -errno : 0;
}

static void linux_close(struct device *d, int handle)
{
	(void)d;
	if (handle >= 0)
		close(handle);
}

static void linux_free(struct device *d)
{
	pthread_mutex_destroy(&self(d)->lock);
	free(self(d));
}

static const struct device_ops linux_ops = {
	.open = linux_open,
	.ioctl = linux_ioctl,
	.map = linux_map,
	.unmap = linux_unmap,
	.memory = linux_memory,
	.memory_free = linux_memory_free,
	.memory_drop = linux_memory_drop,
	.enter = linux_enter,
	.kick = linux_kick,
	.discard = linux_discard,
	.enclave_map = linux_enclave_map,
	.enclave_protect = linux_enclave_protect,
	.enclave_touch = linux_enclave_touch,
	.enclave_unmap = linux_enclave_unmap,
	.enclave_enter = linux_enclave_enter,
	.enclave_stop = linux_enclave_stop,
	.cpuid = linux_cpuid,
	.close = linux_close,
	.free = linux_free,
};

static void on_kick(int number)
{
	(void)number;
}

bool device_linux_new(struct device **out, struct err *e)
{
	struct sigaction act = { .sa_handler = on_kick };
	struct linux_device *l = calloc(1, sizeof *l);
	if (!l)
		return err_fail(e, ERR_LIMIT, "device: no memory");
	l->device.ops = &linux_ops;
	pthread_mutex_init(&l->lock, NULL);
	if (sigaction(KICK, &act, NULL) != 0) {
		linux_free(&l->device);
		return err_fail(e, ERR_HOST, "device: sigaction: %s",
			strerror(errno));
	}
	*out = &l->device;
	return true;
}
