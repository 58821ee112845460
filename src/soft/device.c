/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "soft/device_priv.h"

static struct soft_device *self(struct device *d)
{
	return (struct soft_device *)(void *)d;
}

/* --- the firmware image ------------------------------------------------- */

static void image_path(char *out, size_t size, const char *image_dir,
	const char *name)
{
	fmt(out, size, "%s/software/%s", image_dir, name);
}

bool soft_image_load(const char *image_dir, const char *name, int *out,
	struct err *e)
{
	char path[4096];
	static uint8_t bytes[MONITOR_IMAGE_BYTES];
	image_path(path, sizeof path, image_dir, name);
	auto_fd in = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in < 0)
		return err_fail(e, ERR_HOST, "open %s: %s", path,
			strerror(errno));
	if (read(in, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
		return err_fail(e, ERR_HOST, "%s: no monitor", path);
	auto_fd fd = memfd_create("monitor", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
		return err_fail(e, ERR_HOST, "monitor: %s", strerror(errno));
	*out = fd_move(&fd);
	return true;
}

bool soft_image_probe(const char *image_dir, const char *name, struct err *e)
{
	char path[4096];
	struct stat st;
	image_path(path, sizeof path, image_dir, name);
	if (access(path, R_OK) != 0 || stat(path, &st) != 0)
		return err_fail(e, ERR_HOST, "no monitor at %s: %s", path,
			strerror(errno));
	return (S_ISREG(st.st_mode) && st.st_size >= MONITOR_IMAGE_BYTES) ||
		err_fail(e, ERR_HOST, "%s: no monitor", path);
}

bool soft_device_probe(const char *image_dir, struct err *e)
{
	return soft_image_probe(image_dir, "monitor", e) &&
		soft_board_find(&soft_board_pc, NULL, e);
}

/* --- operations --------------------------------------------------------- */

static int soft_open(struct device *d, const char *path)
{
	(void)d;
	if (!strcmp(path, "/dev/kvm"))
		return SOFT_HANDLE_KVM;
	if (!strcmp(path, "/dev/sev"))
		return SOFT_HANDLE_SEV;
	if (!strcmp(path, "/dev/sgx_enclave"))
		return SOFT_HANDLE_SGX;
	if (!strcmp(path, "/dev/sgx_provision"))
		return SOFT_HANDLE_PROVISION;
	return -ENOENT;
}

static int soft_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	switch (handle) {
	case SOFT_HANDLE_SEV:
		return soft_snp_firmware(request, arg);
	case SOFT_HANDLE_KVM:
		return soft_kvm_system(self(d), request, arg);
	case SOFT_HANDLE_VM:
		return soft_kvm_machine(self(d), request, arg);
	case SOFT_HANDLE_CPU:
		return soft_kvm_cpu(self(d), request, arg);
	case SOFT_HANDLE_OTHER:
		return soft_kvm_other(self(d), request, arg);
	case SOFT_HANDLE_SGX:
		return soft_sgx_ioctl(self(d), request, arg);
	default:
		return -EBADF;
	}
}

static void *soft_map(struct device *d, int handle, size_t len)
{
	(void)d;
	if ((handle != SOFT_HANDLE_CPU && handle != SOFT_HANDLE_OTHER) ||
		len < sizeof(struct kvm_run))
		return NULL;
	return calloc(1, len);
}

static void soft_unmap(struct device *d, void *at, size_t len)
{
	(void)d;
	(void)len;
	free(at);
}

static void *soft_memory(struct device *d, size_t len)
{
	return soft_machine_memory(&self(d)->machine, len);
}

static void soft_memory_free(struct device *d, void *at, size_t len)
{
	(void)len;
	soft_machine_memory_free(&self(d)->machine, at);
}

/* Of the shared file, for QEMU too. */
static void soft_memory_drop(struct device *d, void *at, size_t len)
{
	(void)d;
	madvise(at, len, MADV_REMOVE);
}

static int soft_enter(struct device *d, int handle, void *run)
{
	if (handle == SOFT_HANDLE_OTHER)
		return soft_kvm_enter_other(self(d), run);
	return handle == SOFT_HANDLE_CPU ? soft_kvm_enter(self(d), run) :
					   -EBADF;
}

static void soft_kick(struct device *d, int handle, void *run)
{
	(void)handle;
	(void)run;
	soft_machine_kick(&self(d)->machine);
}

static int soft_discard(struct device *d, int handle, uint64_t at, uint64_t len)
{
	return soft_private_discard(self(d), handle, at, len);
}

/* --- enclaves ----------------------------------------------------------- */

/* The pages are elsewhere: here nothing is at those addresses. */
static int soft_enclave_map(struct device *d, int handle, uint64_t at,
	size_t len, int prot)
{
	(void)prot;
	(void)d;
	if (handle >= 0)
		return handle == SOFT_HANDLE_SGX ? 0 : -EBADF;
	void *want = (void *)(uintptr_t)at;
	void *p = mmap(want, len, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			MAP_FIXED_NOREPLACE,
		-1, 0);
	return p == want ? 0 : -errno;
}

static int soft_enclave_protect(struct device *d, uint64_t at, size_t len,
	int prot)
{
	(void)d;
	(void)at;
	(void)len;
	(void)prot;
	return 0;
}

static void soft_enclave_touch(struct device *d, uint64_t at, size_t len)
{
	struct soft_device *s = self(d);
	if (s->sgx.initialised && !s->broken)
		(void)soft_kvm_call(s, MONITOR_SGX_AUGMENT,
			(uint64_t[4]){ at, len / PAGE_BYTES });
}

static void soft_enclave_unmap(struct device *d, uint64_t at, size_t len)
{
	(void)d;
	munmap((void *)(uintptr_t)at, len);
}

static int soft_enclave_enter(struct device *d, int handle,
	struct device_enclave *x)
{
	return handle == SOFT_HANDLE_SGX ? soft_sgx_enter(self(d), x) : -EBADF;
}

static void soft_enclave_stop(struct device *d, uint64_t at, size_t len)
{
	(void)at;
	(void)len;
	soft_machine_kick(&self(d)->machine);
}

static int soft_cpuid(struct device *d, uint32_t leaf, uint32_t sub,
	uint32_t out[4])
{
	return soft_sgx_cpuid(self(d), leaf, sub, out);
}

static void soft_close(struct device *d, int handle)
{
	(void)d;
	(void)handle;
}

static pid_t soft_child(struct device *d)
{
	return self(d)->machine.pid;
}

static int soft_ended(struct device *d)
{
	return self(d)->machine.peer;
}

static void soft_free(struct device *d)
{
	struct soft_device *s = self(d);
	soft_snp_fini(&s->snp);
	soft_tdx_fini(&s->tdx);
	soft_sgx_fini(&s->sgx);
	soft_machine_fini(&s->machine);
	cleanup_fd(&s->image);
	cleanup_fd(&s->gdb);
	free(s->root_path);
	free(s);
}

static const struct device_ops soft_ops = {
	.open = soft_open,
	.ioctl = soft_ioctl,
	.map = soft_map,
	.unmap = soft_unmap,
	.memory = soft_memory,
	.memory_free = soft_memory_free,
	.memory_drop = soft_memory_drop,
	.enter = soft_enter,
	.kick = soft_kick,
	.discard = soft_discard,
	.enclave_map = soft_enclave_map,
	.enclave_protect = soft_enclave_protect,
	.enclave_touch = soft_enclave_touch,
	.enclave_unmap = soft_enclave_unmap,
	.enclave_enter = soft_enclave_enter,
	.enclave_stop = soft_enclave_stop,
	.cpuid = soft_cpuid,
	.close = soft_close,
	.child = soft_child,
	.ended = soft_ended,
	.free = soft_free,
};

bool soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	struct soft_device *s = calloc(1, sizeof *s);
	if (!s)
		return err_fail(e, ERR_LIMIT, "software platform: no memory");
	s->device.ops = &soft_ops;
	s->uid = c->uid;
	s->change_id = c->change_id;
	s->image = -1;
	s->sgx.epc_bytes = c->epc_bytes;
	soft_kvm_clock_start(s);
	s->gdb = -1;
	s->root_path = c->root_path ? strdup(c->root_path) : NULL;
	if (!soft_machine_init(&s->machine, e) ||
		!soft_image_load(c->image_dir, "monitor", &s->image, e) ||
		!soft_gdb_listen(c->gdb_path, &s->gdb, e)) {
		soft_free(&s->device);
		return err_wrap(e, "software platform");
	}
	*out = &s->device;
	return true;
}

bool soft_device_endorsements(struct device *d, struct buf *out, struct err *e)
{
	const struct soft_snp *n = &self(d)->snp;
	if (d->ops != &soft_ops || !n->psp)
		return err_fail(e, ERR_HOST, "endorsements: no SNP guest");
	return buf_put(out, psp_endorsements(n->psp)) ||
		err_fail(e, ERR_LIMIT, "endorsements: no memory");
}

/* --- a hostile host --------------------------------------------------------
 */

bool soft_device_inject(struct device *d, uint64_t event, uint32_t after,
	struct err *e)
{
	struct soft_device *s = self(d);
	bool nmi = (event & SVM_EVENT_TYPE) == SVM_EVENT_NMI;
	/* A trust domain's host has no way to any other: interrupts are posted,
	 * and wait for RFLAGS.IF. */
	if (!s->snp.launched && !(s->tdx.runnable && nmi))
		return err_fail(e, ERR_INPUT, "inject: no guest for it");
	return soft_machine_call(&s->machine, MONITOR_INJECT,
		(uint64_t[4]){ event, after }, e);
}

void soft_device_level(struct device *d, uint8_t level)
{
	self(d)->snp.level = level;
}

void soft_device_scribble(struct device *d, soft_scribble *f, void *ctx)
{
	self(d)->scribble = f;
	self(d)->scribble_ctx = ctx;
}

void soft_device_scribble_call(struct device *d, soft_scribble_call *f,
	void *ctx)
{
	self(d)->scribble_call = f;
	self(d)->scribble_ctx = ctx;
}
