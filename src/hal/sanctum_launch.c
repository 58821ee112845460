/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds an enclave by the monitor's calls, in the order in which they are
 * measured: create, handler, page tables, pages, thread
 * (attest/measure_sanctum.c expects the same).
 */
#include <errno.h>
#include <stdlib.h>

#include "abi/sanctum_driver.h"
#include "base/fmt.h"
#include "hal/process_priv.h"
#include "hal/sanctum_priv.h"
#include "soft/sanctum.h"

enum {
	LARGE = 2 << 20,
	EXEC_MAX = 64 << 20,
	LEVEL_ROOT = 3,
	LEVEL_MIDDLE = 2,
	LEVEL_LAST = 1
};

/* Physical addresses end there: what is behind is untrusted memory. */
#define MOST_BYTES \
	((unsigned long long)SANCTUM_UNTRUSTED_AT - SANCTUM_ENCLAVES_AT)

/* --- images ------------------------------------------------------------- */

static bool head_ok(const struct sanctum_shim_head *h, size_t len)
{
	return h->magic == SANCTUM_SHIM_MAGIC &&
		h->version == SANCTUM_SHIM_VERSION && h->bytes == len &&
		len <= SANCTUM_SHIM_MAX &&
		!((h->bytes | h->text_bytes | h->rodata_bytes) % PAGE_BYTES) &&
		h->text_bytes <= len &&
		h->rodata_bytes <= len - h->text_bytes && h->stack_at <= len &&
		!h->exec_bytes && !h->reserved_24;
}

/* Where both will be from SANCTUM_SHIM_AT on. */
static bool load_images(struct sanctum_machine *m, const struct hal_tech *tech,
	const char *dir, struct err *e)
{
	size_t len;
	const size_t exec_at = SANCTUM_EXEC_AT - SANCTUM_SHIM_AT;
	m->images_bytes = exec_at + EXEC_MAX;
	m->images = m->device->ops->memory(m->device, m->images_bytes);
	if (!m->images)
		return err_fail(e, ERR_LIMIT, "images: no memory");
	if (!vm_image_read(dir, tech, "shim", m->images, exec_at, &len, e) ||
		!vm_image_read(dir, tech, "exec", m->images + exec_at, EXEC_MAX,
			&m->exec_bytes, e))
		return false;
	if (len < sizeof m->head)
		return err_fail(e, ERR_HOST, "shim: %zu bytes", len);
	memcpy(&m->head, m->images, sizeof m->head);
	if (!head_ok(&m->head, len))
		return err_fail(e, ERR_HOST, "shim: its head is no head");
	m->head.exec_bytes = (uint32_t)m->exec_bytes;
	memcpy(m->images, &m->head, sizeof m->head);
	return true;
}

/* --- calls -------------------------------------------------------------- */

struct list {
	struct sanctum_call *call;
	size_t count, room;
};

static void add(struct list *l, uint64_t number, const uint64_t a[5],
	uint64_t enclave)
{
	if (l->count == l->room)
		return;
	struct sanctum_call *c = &l->call[l->count++];
	*c = (struct sanctum_call){ .number = number, .a = { enclave } };
	memcpy(c->a + 1, a, 5 * sizeof *a);
}

static size_t page_up(size_t n)
{
	return (n + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

/* From the enclave's begin on: what lies behind the last page. */
static uint64_t images_end(const struct sanctum_machine *m)
{
	return SANCTUM_EXEC_AT + page_up(m->exec_bytes);
}

static void add_tables(struct list *l, const struct sanctum_machine *m)
{
	uint64_t at = SANCTUM_TABLES_AT;
	const uint64_t base = SANCTUM_EV_BASE;
	for (uint64_t level = LEVEL_ROOT; level >= LEVEL_MIDDLE; level--) {
		add(l, SANCTUM_TABLE,
			(uint64_t[5]){ at, base, level, SANCTUM_V },
			m->enclave);
		at += PAGE_BYTES;
	}
	for (uint64_t va = 0; va < images_end(m); va += LARGE) {
		add(l, SANCTUM_TABLE,
			(uint64_t[5]){ at, base + va, LEVEL_LAST, SANCTUM_V },
			m->enclave);
		at += PAGE_BYTES;
	}
}

static uint64_t shim_rights(const struct sanctum_shim_head *h, uint64_t at)
{
	if (at < h->text_bytes)
		return SANCTUM_V | SANCTUM_R | SANCTUM_X;
	if (at < (uint64_t)h->text_bytes + h->rodata_bytes)
		return SANCTUM_V | SANCTUM_R;
	return SANCTUM_V | SANCTUM_R | SANCTUM_W;
}

static void add_page(struct list *l, const struct sanctum_machine *m,
	uint64_t at, uint64_t rights)
{
	add(l, SANCTUM_PAGE,
		(uint64_t[5]){ at, SANCTUM_EV_BASE + at,
			(uintptr_t)(m->images + (at - SANCTUM_SHIM_AT)),
			rights },
		m->enclave);
}

static void add_pages(struct list *l, const struct sanctum_machine *m)
{
	for (uint64_t at = 0; at < m->head.bytes; at += PAGE_BYTES)
		add_page(l, m, SANCTUM_SHIM_AT + at, shim_rights(&m->head, at));
	for (uint64_t at = SANCTUM_EXEC_AT; at < images_end(m);
		at += PAGE_BYTES)
		add_page(l, m, at, SANCTUM_V | SANCTUM_R);
}

static bool say(struct sanctum_machine *m, struct list *l, struct err *e)
{
	struct sanctum_calls c = { .calls = (uintptr_t)l->call,
		.count = (uint32_t)l->count };
	int n = device_ioctl(m->device, m->handle, SANCTUM_IOC_CALLS, &c);
	if (n >= 0)
		return true;
	const char *said = soft_sanctum_said(m->device);
	if (*said)
		return err_fail(e, ERR_HOST, "%s", said);
	const struct sanctum_call *bad =
		c.done < l->count ? &l->call[c.done] : NULL;
	return err_fail(e, ERR_HOST, "monitor's call %llu: %s (%llu)",
		(unsigned long long)(bad ? bad->number : 0), strerror(-n),
		(unsigned long long)(bad ? bad->result : 0));
}

static bool create(struct sanctum_machine *m, bool debug, struct err *e)
{
	struct sanctum_call c = { .number = SANCTUM_CREATE,
		.a = { 0, m->memory_bytes, SANCTUM_EV_BASE, SANCTUM_EV_MASK, 0,
			debug } };
	struct list l = { &c, 1, 1 };
	if (!say(m, &l, e))
		return false;
	m->enclave = c.value;
	m->created = true;
	return true;
}

static bool build(struct sanctum_machine *m, struct err *e)
{
	const size_t tables = images_end(m) / LARGE + 3;
	struct list l = { .room = images_end(m) / PAGE_BYTES + tables + 4 };
	l.call = calloc(l.room, sizeof *l.call);
	if (!l.call)
		return err_fail(e, ERR_LIMIT, "no memory");
	const uint64_t none[5] = { 0 };
	add(&l, SANCTUM_HANDLER, none, m->enclave);
	add_tables(&l, m);
	add_pages(&l, m);
	add(&l, SANCTUM_THREAD,
		(uint64_t[5]){ m->head.entry,
			SANCTUM_EV_BASE + SANCTUM_SHIM_AT + m->head.stack_at },
		m->enclave);
	add(&l, SANCTUM_WINDOW,
		(uint64_t[5]){ (uintptr_t)m->window, VM_WINDOW_BYTES },
		m->enclave);
	add(&l, SANCTUM_INIT, none, m->enclave);
	bool ok = say(m, &l, e);
	free(l.call);
	return ok;
}

/* --- the thread's ------------------------------------------------------- */

static enum vm_turn enter(void *ctx, struct vm_cpu *c)
{
	struct sanctum_machine *m = ctx;
	struct sanctum_run r = { .enclave = m->enclave };
	int n = device_ioctl(m->device, m->handle, SANCTUM_IOC_RUN, &r);
	if (n == -EINTR)
		return VM_TURN_AGAIN;
	if (n == 0 && r.result == SANCTUM_OK)
		return vm_cpu_event(c, r.event);
	if (n == 0)
		fmt(c->why, sizeof c->why, "the monitor ended it (%u)",
			r.result);
	else
		fmt(c->why, sizeof c->why, "enter enclave: %s", strerror(-n));
	return VM_TURN_GONE;
}

static void stop(void *ctx, struct vm_cpu *c)
{
	struct sanctum_machine *m = ctx;
	(void)c;
	m->device->ops->kick(m->device, m->handle, NULL);
}

/* --- all of it ---------------------------------------------------------- */

static bool open_machine(struct sanctum_machine *m,
	const struct hal_config *cfg, struct err *e)
{
	size_t bytes;
	*m = (struct sanctum_machine){ .handle = -1 };
	m->cpu.handle = m->cpu.bell = m->cpu.go = -1;
	process_pick_user(&m->uid, &m->change_id);
	if (!size_add(cfg->boot.memory_bytes, VM_RAM_SLACK, &bytes))
		return err_fail(e, ERR_INPUT, "more memory than there is");
	m->memory_bytes = bytes & ~(uint64_t)(LARGE - 1);
	if (m->memory_bytes > MOST_BYTES)
		return err_fail(e, ERR_INPUT,
			"an enclave has at most %llu MiB for its tenant",
			(MOST_BYTES - VM_RAM_SLACK) >> 20);
	if (!vm_device_new(&vm_soft_sanctum, cfg, m->uid, m->change_id,
		    &m->device, e))
		return false;
	m->handle = m->device->ops->open(m->device, SANCTUM_DRIVER_PATH);
	if (m->handle < 0)
		return err_fail(e, ERR_HOST, "%s: %s", SANCTUM_DRIVER_PATH,
			strerror(-m->handle));
	m->window = m->device->ops->memory(m->device, VM_WINDOW_BYTES);
	return m->window || err_fail(e, ERR_LIMIT, "no memory for the window");
}

/* The monitor has copied them. */
static void drop_images(struct sanctum_machine *m)
{
	const struct device_ops *ops = m->device->ops;
	ops->memory_drop(m->device, m->images, m->images_bytes);
	ops->memory_free(m->device, m->images, m->images_bytes);
	m->images = NULL;
}

bool sanctum_launch(struct sanctum_machine *m, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	if (!open_machine(m, cfg, e) ||
		!load_images(m, tech, cfg->image_dir, e) ||
		!create(m, cfg->debug, e) || !build(m, e))
		return false;
	drop_images(m);
	vm_window_fill(m->window, cfg, tech->tee, m->memory_bytes, 0);
	m->cpu.report = (void *)(m->window + VM_REPORT_AT);
	m->cpu.enter = enter;
	m->cpu.stop = stop;
	m->cpu.ctx = m;
	return vm_cpu_init_bells(&m->cpu, m->device, e);
}

void sanctum_machine_fini(struct sanctum_machine *m)
{
	vm_cpu_fini(&m->cpu);
	if (m->device) {
		const struct device_ops *ops = m->device->ops;
		ops->memory_free(m->device, m->images, m->images_bytes);
		ops->memory_free(m->device, m->window, VM_WINDOW_BYTES);
		ops->close(m->device, m->handle);
		ops->free(m->device);
	}
	*m = (struct sanctum_machine){ .handle = -1 };
}
