/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/sanctum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/sanctum_driver.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "soft/machine.h"

enum { HANDLE = 1, LARGE = 2 << 20 };

struct sanctum_device {
	struct device device;
	struct soft_machine machine;
	char *root_path;	      /* owned */
	struct buf monitor;	      /* the image */
	struct sanctum_record record; /* until it starts */
	struct buf endorsements;
	int gdb; /* a listening socket, or -1 */
	uid_t uid;
	bool change_id;
	const void *system; /* a test's operating system; NULL: none */
	bool broken;
	char said[sizeof((struct err *)NULL)->text]; /* why */
};

static struct sanctum_device *self(struct device *d)
{
	return (struct sanctum_device *)(void *)d;
}

/* --- images ------------------------------------------------------------- */

static void image_path(char *out, size_t size, const char *image_dir)
{
	fmt(out, size, "%s/sanctum/monitor", image_dir);
}

static bool load_monitor(const char *image_dir, struct buf *out, struct err *e)
{
	char path[4096];
	image_path(path, sizeof path, image_dir);
	auto_fd in = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in < 0)
		return err_fail(e, ERR_HOST, "open %s: %s", path,
			strerror(errno));
	uint8_t *to = buf_reserve(out, SANCTUM_IMAGE_MAX);
	ssize_t n = to ? read(in, to, SANCTUM_IMAGE_MAX) : -1;
	struct sanctum_image_head h;
	if (n < (ssize_t)sizeof h)
		return err_fail(e, ERR_HOST, "%s: no monitor", path);
	memcpy(&h, to, sizeof h);
	if (h.magic != SANCTUM_IMAGE_MAGIC ||
		h.version != SANCTUM_IMAGE_VERSION)
		return err_fail(e, ERR_HOST, "%s: no monitor", path);
	buf_commit(out, (size_t)n);
	return true;
}

bool soft_sanctum_probe(const char *image_dir, struct err *e)
{
	char path[4096];
	auto_buf monitor = { 0 };
	image_path(path, sizeof path, image_dir);
	if (access(path, R_OK) != 0)
		return err_fail(e, ERR_HOST,
			"no monitor at %s: %s: make keep-riscv64", path,
			strerror(errno));
	return load_monitor(image_dir, &monitor, e) &&
		soft_board_find(&soft_board_riscv, NULL, e);
}

/* --- the machine -------------------------------------------------------- */

/* The image as the processor finds it: what the boot ROM says behind it. */
static bool put_firmware(struct sanctum_device *s,
	const struct sanctum_record *r, int *out, struct err *e)
{
	auto_fd fd = memfd_create("monitor", MFD_CLOEXEC);
	const off_t at = SANCTUM_RECORD_AT - SANCTUM_MONITOR_AT;
	if (fd < 0 ||
		pwrite(fd, s->monitor.ptr, s->monitor.len, 0) !=
			(ssize_t)s->monitor.len ||
		pwrite(fd, r, sizeof *r, at) != (ssize_t)sizeof *r)
		return err_fail(e, ERR_HOST, "firmware: %s", strerror(errno));
	*out = fd_move(&fd);
	return true;
}

/* What the boot ROM says, while files can be read. */
static bool run_rom(struct sanctum_device *s, struct err *e)
{
	struct soft_root *root;
	if (!s->root_path)
		return err_fail(e, ERR_HOST, "no software root");
	if (!soft_root_open(s->root_path, &root, e))
		return false;
	bool ok = soft_sanctum_rom(root, buf_bytes(&s->monitor), &s->record,
		&s->endorsements, e);
	soft_root_close(root);
	return ok;
}

static bool start(struct sanctum_device *s, uint64_t bytes, struct err *e)
{
	auto_fd image = -1;
	uint64_t at = 0;
	if (s->system && !soft_machine_locate(&s->machine, s->system, 4, &at))
		return err_fail(e, ERR_INPUT, "an operating system elsewhere");
	s->record.ram_end = SANCTUM_ENCLAVES_AT + bytes;
	s->record.untrusted_bytes = soft_machine_file_size(&s->machine);
	s->record.system_at = s->system ? SANCTUM_UNTRUSTED_AT + at : 0;
	bool ok = put_firmware(s, &s->record, &image, e);
	explicit_bzero(&s->record, sizeof s->record);
	const struct soft_start how = {
		.board = &soft_board_riscv,
		.image = image,
		.gdb = s->gdb,
		.ram_bytes = SANCTUM_MONITOR_BYTES + bytes,
		.uid = s->uid,
		.change_id = s->change_id,
	};
	return ok && soft_machine_start(&s->machine, &how, e) &&
		soft_machine_ready(&s->machine, e);
}

bool soft_sanctum_start(struct device *d, uint64_t enclave_bytes, struct err *e)
{
	return start(self(d), enclave_bytes, e);
}

/* --- calls -------------------------------------------------------------- */

/* As the monitor knows it; false: not memory that it could be. */
static bool untrusted(const struct sanctum_device *s, uint64_t *at,
	uint64_t bytes)
{
	uint64_t in_file;
	if (!soft_machine_locate(&s->machine, (const void *)(uintptr_t)*at,
		    bytes, &in_file))
		return false;
	*at = SANCTUM_UNTRUSTED_AT + in_file;
	return true;
}

static bool translate(const struct sanctum_device *s, struct sanctum_call *c)
{
	switch (c->number) {
	case SANCTUM_CREATE:
		c->a[0] = SANCTUM_ENCLAVES_AT;
		return true;
	case SANCTUM_HANDLER:
	case SANCTUM_TABLE:
		c->a[1] += SANCTUM_ENCLAVES_AT;
		return true;
	case SANCTUM_PAGE:
		c->a[1] += SANCTUM_ENCLAVES_AT;
		return untrusted(s, &c->a[3], PAGE_BYTES);
	case SANCTUM_WINDOW:
		return untrusted(s, &c->a[1], c->a[2]);
	default:
		return true;
	}
}

static int failed(struct sanctum_device *s, const struct err *e)
{
	if (e)
		memcpy(s->said, e->text, sizeof s->said);
	s->broken = true;
	return -EIO;
}

static int do_calls(struct sanctum_device *s, struct sanctum_calls *list)
{
	struct sanctum_call *from =
		(struct sanctum_call *)(uintptr_t)list->calls;
	struct sanctum_call *stage =
		(void *)((uint8_t *)s->machine.box + MONITOR_STAGE_AT);
	struct err e = { 0 };
	list->done = 0;
	if (!list->count || list->count > MONITOR_STAGE_BYTES / sizeof *stage)
		return -E2BIG;
	if (!s->machine.pid && from->number != SANCTUM_CREATE)
		return -EINVAL;
	for (uint32_t i = 0; i < list->count; i++) {
		struct sanctum_call c = from[i];
		c.result = SANCTUM_UNKNOWN;
		if (!translate(s, &c))
			return -EFAULT;
		stage[i] = c;
	}
	if (!s->machine.pid && !start(s, from->a[1], &e))
		return failed(s, &e);
	if (!soft_machine_call(&s->machine, MONITOR_SANCTUM,
		    (uint64_t[4]){ list->count }, &e))
		return failed(s, &e);
	for (uint32_t i = 0; i < list->count; i++) {
		from[i].value = stage[i].value;
		from[i].result = stage[i].result;
		if (from[i].result != SANCTUM_OK)
			return -EPERM;
		list->done++;
	}
	return 0;
}

static int run(struct sanctum_device *s, struct sanctum_run *r)
{
	struct monitor_exit x;
	if (!s->machine.pid)
		return -EINVAL;
	s->machine.box->enclave = r->enclave;
	if (!soft_machine_run(&s->machine, &x) ||
		x.reason != MONITOR_EXIT_SANCTUM)
		return failed(s, NULL);
	r->result = x.port;
	r->event = x.value;
	return x.port == SANCTUM_INTERRUPTED ? -EINTR : 0;
}

static int sanctum_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	struct sanctum_device *s = self(d);
	if (handle != HANDLE)
		return -EBADF;
	if (s->broken)
		return -EIO;
	switch (request) {
	case SANCTUM_IOC_CALLS:
		return do_calls(s, arg);
	case SANCTUM_IOC_RUN:
		return run(s, arg);
	default:
		return -ENOTTY;
	}
}

/* --- the rest of a device ----------------------------------------------- */

static int sanctum_open(struct device *d, const char *path)
{
	(void)d;
	return strcmp(path, SANCTUM_DRIVER_PATH) == 0 ? HANDLE : -ENOENT;
}

static void *sanctum_map(struct device *d, int handle, size_t len)
{
	(void)d;
	(void)handle;
	(void)len;
	return NULL;
}

static void sanctum_unmap(struct device *d, void *at, size_t len)
{
	(void)d;
	(void)at;
	(void)len;
}

static void *sanctum_memory(struct device *d, size_t len)
{
	return soft_machine_memory(&self(d)->machine, len);
}

static void sanctum_memory_free(struct device *d, void *at, size_t len)
{
	(void)len;
	soft_machine_memory_free(&self(d)->machine, at);
}

static void sanctum_memory_drop(struct device *d, void *at, size_t len)
{
	(void)d;
	madvise(at, len, MADV_REMOVE);
}

static int sanctum_enter(struct device *d, int handle, void *run_of)
{
	(void)d;
	(void)handle;
	(void)run_of;
	return -ENOTTY;
}

static void sanctum_kick(struct device *d, int handle, void *run_of)
{
	(void)handle;
	(void)run_of;
	soft_machine_kick(&self(d)->machine);
}

static void sanctum_close(struct device *d, int handle)
{
	(void)d;
	(void)handle;
}

static pid_t sanctum_child(struct device *d)
{
	return self(d)->machine.pid;
}

static int sanctum_ended(struct device *d)
{
	return self(d)->machine.peer;
}

static void sanctum_free(struct device *d)
{
	struct sanctum_device *s = self(d);
	soft_machine_fini(&s->machine);
	explicit_bzero(&s->record, sizeof s->record);
	buf_fini(&s->monitor);
	buf_fini(&s->endorsements);
	cleanup_fd(&s->gdb);
	free(s->root_path);
	free(s);
}

static const struct device_ops sanctum_ops = {
	.open = sanctum_open,
	.ioctl = sanctum_ioctl,
	.map = sanctum_map,
	.unmap = sanctum_unmap,
	.memory = sanctum_memory,
	.memory_free = sanctum_memory_free,
	.memory_drop = sanctum_memory_drop,
	.enter = sanctum_enter,
	.kick = sanctum_kick,
	.close = sanctum_close,
	.child = sanctum_child,
	.ended = sanctum_ended,
	.free = sanctum_free,
};

bool soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	struct sanctum_device *s = calloc(1, sizeof *s);
	if (!s)
		return err_fail(e, ERR_LIMIT, "software platform: no memory");
	s->device.ops = &sanctum_ops;
	s->uid = c->uid;
	s->change_id = c->change_id;
	s->gdb = -1;
	s->root_path = c->root_path ? strdup(c->root_path) : NULL;
	if (!soft_machine_init(&s->machine, e) ||
		!load_monitor(c->image_dir, &s->monitor, e) || !run_rom(s, e) ||
		!soft_gdb_listen(c->gdb_path, &s->gdb, e)) {
		sanctum_free(&s->device);
		return err_wrap(e, "software platform");
	}
	*out = &s->device;
	return true;
}

bool soft_sanctum_endorsements(struct device *d, struct buf *out, struct err *e)
{
	return buf_put(out, buf_bytes(&self(d)->endorsements)) ||
		err_fail(e, ERR_LIMIT, "endorsements: no memory");
}

const char *soft_sanctum_said(struct device *d)
{
	return d->ops == &sanctum_ops ? self(d)->said : "";
}

void soft_sanctum_system(struct device *d, const void *entry)
{
	self(d)->system = entry;
}

void soft_sanctum_interrupt(struct device *d)
{
	eventfd_write(self(d)->machine.wake, 1);
}

const char *soft_sanctum_log(struct device *d, size_t *len)
{
	const struct monitor_box *b = self(d)->machine.box;
	*len = size_min(b->log_bytes, sizeof b->log);
	return b->log;
}
