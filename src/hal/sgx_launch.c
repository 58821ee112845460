/* SPDX-License-Identifier: Apache-2.0 */
#include <asm/sgx.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "enclave/pages.h"
#include "hal/process_priv.h"
#include "hal/sgx_priv.h"
#include "soft/device.h"

enum {
	IMAGE_MAX = 64 << 20,
	BATCH_PAGES = 256,
};

/* --- images -----------------------------------------------------------------
 */

static bool load(const char *dir, const struct hal_tech *tech, const char *name,
	struct buf *out, struct err *e)
{
	size_t len;
	uint8_t *to = buf_reserve(out, IMAGE_MAX);
	if (!to)
		return err_fail(e, ERR_LIMIT, "images: no memory");
	if (!vm_image_read(dir, tech, name, to, IMAGE_MAX, &len, e))
		return false;
	buf_commit(out, len);
	return true;
}

bool sgx_images_load(const char *image_dir, const struct hal_tech *tech,
	struct sgx_images *out, struct err *e)
{
	return load(image_dir, tech, "shim", &out->shim, e) &&
		load(image_dir, tech, "exec", &out->exec, e);
}

void sgx_images_fini(struct sgx_images *i)
{
	buf_fini(&i->shim);
	buf_fini(&i->exec);
}

/* --- pages -------------------------------------------------------------------
 */

/* Neighbours of one kind go to the kernel together. */
struct batch {
	struct sgx_machine *m;
	uint64_t offset, flags;
	bool measured;
	size_t pages;
	uint8_t *bytes;
};

static int rights_of(uint64_t flags)
{
	if (SGX_PAGE_TYPE_OF(flags) == SGX_PT_TCS)
		return PROT_READ | PROT_WRITE;
	return (flags & SGX_PAGE_R ? PROT_READ : 0) |
		(flags & SGX_PAGE_W ? PROT_WRITE : 0) |
		(flags & SGX_PAGE_X ? PROT_EXEC : 0);
}

static bool map(struct sgx_machine *m, uint64_t at, size_t len, int prot,
	struct err *e)
{
	int n = len ? m->device->ops->enclave_map(m->device, m->handle,
			      ENCLAVE_BASE + at, len, prot) :
		      0;
	return n == 0 ||
		err_fail(e, ERR_HOST, "map enclave at 0x%llx: %s",
			(unsigned long long)at, strerror(-n));
}

static bool flush(struct batch *b, struct err *e)
{
	struct sgx_secinfo info = { .flags = b->flags };
	const size_t len = b->pages * PAGE_BYTES;
	for (size_t done = 0; done < len;) {
		struct sgx_enclave_add_pages a = {
			.src = (uintptr_t)b->bytes + done,
			.offset = b->offset + done,
			.length = len - done,
			.secinfo = (uintptr_t)&info,
			.flags = b->measured ? SGX_PAGE_MEASURE : 0,
		};
		int n = device_ioctl(b->m->device, b->m->handle,
			SGX_IOC_ENCLAVE_ADD_PAGES, &a);
		done += a.count;
		if (n < 0 && n != -EINTR && n != -EAGAIN)
			return err_fail(e, ERR_HOST,
				"SGX_IOC_ENCLAVE_ADD_PAGES 0x%llx: %s",
				(unsigned long long)(b->offset + done),
				strerror(-n));
	}
	b->pages = 0;
	return true;
}

static bool joins(const struct batch *b, const struct enclave_page *p)
{
	return b->pages && b->pages < BATCH_PAGES && p->flags == b->flags &&
		p->measured == b->measured &&
		p->offset == b->offset + b->pages * PAGE_BYTES;
}

static bool add_page(void *ctx, const struct enclave_page *p, struct err *e)
{
	struct batch *b = ctx;
	if (!joins(b, p)) {
		if (!flush(b, e))
			return false;
		b->offset = p->offset;
		b->flags = p->flags;
		b->measured = p->measured;
	}
	memcpy(b->bytes + b->pages * PAGE_BYTES, p->contents, PAGE_BYTES);
	b->pages++;
	if (SGX_PAGE_TYPE_OF(p->flags) == SGX_PT_TCS)
		b->m->tcs = ENCLAVE_BASE + p->offset;
	return true;
}

static bool add_pages(struct sgx_machine *m, const struct sgx_images *i,
	struct err *e)
{
	struct batch b = { .m = m,
		.bytes = aligned_alloc(PAGE_BYTES, BATCH_PAGES * PAGE_BYTES) };
	if (!b.bytes)
		return err_fail(e, ERR_LIMIT, "pages: no memory");
	bool ok = enclave_pages(buf_bytes(&i->shim), buf_bytes(&i->exec),
			  m->heap_bytes, add_page, &b, e) &&
		flush(&b, e);
	free(b.bytes);
	return ok;
}

/* Runs of the same rights, once all pages are there. */
static bool map_page(void *ctx, const struct enclave_page *p, struct err *e)
{
	struct batch *b = ctx;
	uint64_t end = b->offset + b->pages * PAGE_BYTES;
	if (b->pages && p->offset == end && p->flags == b->flags) {
		b->pages++;
		return true;
	}
	if (!map(b->m, b->offset, b->pages * PAGE_BYTES, rights_of(b->flags),
		    e))
		return false;
	b->offset = p->offset;
	b->flags = p->flags;
	b->pages = 1;
	return true;
}

/* The rest of the range is for pages that come later: data. */
static bool map_pages(struct sgx_machine *m, const struct sgx_images *i,
	struct err *e)
{
	struct batch b = { .m = m };
	uint64_t rest = (uint64_t)ENCLAVE_HEAP_AT + m->heap_bytes;
	if (!enclave_pages(buf_bytes(&i->shim), buf_bytes(&i->exec),
		    m->heap_bytes, map_page, &b, e) ||
		!map(m, b.offset, b.pages * PAGE_BYTES, rights_of(b.flags), e))
		return false;
	const int data = PROT_READ | PROT_WRITE;
	return m->heap_bytes ||
		(map(m, ENCLAVE_MAPS_AT,
			 ENCLAVE_BYTES / ENCLAVE_MAP_OF * PAGE_BYTES, data,
			 e) &&
			map(m, rest, ENCLAVE_BYTES - rest, data, e));
}

/* --- launch ------------------------------------------------------------------
 */

/* The owner is where the host can't change it later, on a processor that has
 * a place for it; else in the claims alone. */
static bool create(struct sgx_machine *m, const struct hal_config *cfg,
	struct err *e)
{
	const struct sgx_features *f = &m->features;
	struct sgx_secs *s = aligned_alloc(PAGE_BYTES, sizeof *s);
	if (!s)
		return err_fail(e, ERR_LIMIT, "no memory");
	*s = (struct sgx_secs){ .size = ENCLAVE_BYTES,
		.base = ENCLAVE_BASE,
		.ssa_frame_pages = 1,
		.miscselect = f->exinfo ? SGX_MISC_EXINFO : 0,
		.attributes = SGX_FLAG_MODE64BIT | (f->kss ? SGX_FLAG_KSS : 0),
		.xfrm = f->xfrm };
	if (f->kss)
		memcpy(s->configid, cfg->boot.owner_key_hash,
			sizeof cfg->boot.owner_key_hash);
	struct sgx_enclave_create c = { .src = (uintptr_t)s };
	int n = device_ioctl(m->device, m->handle, SGX_IOC_ENCLAVE_CREATE, &c);
	free(s);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "SGX_IOC_ENCLAVE_CREATE: %s",
			strerror(-n));
}

static bool init(struct sgx_machine *m, const struct hal_config *cfg,
	const struct sgx_images *i, struct err *e)
{
	uint8_t mrenclave[32];
	struct sgx_sigstruct *g = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
	if (!g)
		return err_fail(e, ERR_LIMIT, "no memory");
	bool ok = enclave_measure(buf_bytes(&i->shim), buf_bytes(&i->exec),
			  m->heap_bytes, mrenclave, e) &&
		sgx_sigstruct(cfg, mrenclave, g, e);
	struct sgx_enclave_init a = { .sigstruct = (uintptr_t)g };
	int n = ok ?
		device_ioctl(m->device, m->handle, SGX_IOC_ENCLAVE_INIT, &a) :
		0;
	free(g);
	if (!ok)
		return false;
	if (n == 0)
		return true;
	return err_fail(e, ERR_HOST, "SGX_IOC_ENCLAVE_INIT: %s%s",
		n < 0 ? strerror(-n) : "EINIT's own error",
		n == -EPERM ? ": EINIT refused the signature" : "");
}

static bool open_enclave(struct sgx_machine *m, struct err *e)
{
	const struct device_ops *ops = m->device->ops;
	m->handle = ops->open(m->device, "/dev/sgx_enclave");
	if (m->handle < 0)
		return err_fail(e, ERR_HOST, "/dev/sgx_enclave: %s",
			strerror(-m->handle));
	int n = ops->enclave_map(m->device, -1, ENCLAVE_BASE, ENCLAVE_BYTES,
		PROT_NONE);
	if (n < 0)
		return err_fail(e, ERR_HOST, "addresses of the enclave: %s",
			strerror(-n));
	m->reserved = true;
	return true;
}

/* --- the window --------------------------------------------------------------
 */

static void put_cpuid(struct enclave_cpuid *to, size_t *n,
	struct enclave_cpuid c)
{
	if (*n < ENCLAVE_CPUIDS && (c.eax | c.ebx | c.ecx | c.edx))
		to[(*n)++] = c;
}

/* Leaves with more than one answer. */
static uint32_t subs_of(uint32_t leaf)
{
	return leaf == 4 || leaf == 7 ? 4 : leaf == 0xd ? 20 : 1;
}

static bool fill_range(struct sgx_machine *m, uint32_t first, size_t *n,
	struct err *e)
{
	struct enclave_cpuid *to = (void *)(m->window + ENCLAVE_CPUID_AT);
	uint32_t r[4], last;
	if (m->device->ops->cpuid(m->device, first, 0, r) < 0)
		return err_fail(e, ERR_HOST, "no CPUID");
	last = r[0] < first + 0x20 ? r[0] : first + 0x20;
	for (uint32_t leaf = first; leaf <= last; leaf++)
		for (uint32_t sub = 0; sub < subs_of(leaf); sub++) {
			if (m->device->ops->cpuid(m->device, leaf, sub, r) < 0)
				return err_fail(e, ERR_HOST, "no CPUID");
			put_cpuid(to, n,
				(struct enclave_cpuid){ leaf, sub, r[0], r[1],
					r[2], r[3] });
		}
	return true;
}

/* How fast the counter is, when CPUID does not tell: against the clock. */
static int counter_khz(void)
{
	struct timespec a, b;
	uint64_t from = __builtin_ia32_rdtsc(), to;
	int64_t ns;
	clock_gettime(CLOCK_MONOTONIC, &a);
	do {
		clock_gettime(CLOCK_MONOTONIC, &b);
		to = __builtin_ia32_rdtsc();
		ns = (int64_t)(b.tv_sec - a.tv_sec) * 1000000000 +
			(b.tv_nsec - a.tv_nsec);
	} while (ns < 2000000);
	return (int)((to - from) * 1000000 / (uint64_t)ns);
}

static bool fill_window(struct sgx_machine *m, const struct hal_config *cfg,
	struct err *e)
{
	size_t n = 0;
	struct hal_config told = *cfg;
	told.boot.memory_bytes = m->usable;
	vm_window_fill(m->window, &told, GATE_TEE_SGX, m->memory_bytes,
		counter_khz());
	if (!fill_range(m, 0, &n, e) || !fill_range(m, 0x80000000u, &n, e))
		return false;
	uint8_t *target = m->window + ENCLAVE_TARGET_AT;
	if (cfg->platform == HAL_SOFTWARE)
		return soft_device_target(m->device, target, e);
	char socket[108];
	sgx_quoting_socket(cfg, socket, sizeof socket);
	return aesm_open(socket, &m->aesm, target, e);
}

/* --- all of it ---------------------------------------------------------------
 */

static bool open_machine(struct sgx_machine *m, const struct hal_config *cfg,
	struct err *e)
{
	*m = (struct sgx_machine){ .handle = -1, .function = SGX_EENTER };
	m->cpu.handle = m->cpu.bell = m->cpu.go = m->aesm.quote = -1;
	process_pick_user(&m->uid, &m->change_id);
	if (!size_add(cfg->boot.memory_bytes, VM_RAM_SLACK, &m->memory_bytes))
		return err_fail(e, ERR_INPUT, "more memory than there is");
	if (!vm_device_new(&vm_soft_pc, cfg, m->uid, m->change_id, &m->device,
		    e))
		return false;
	m->window = m->device->ops->memory(m->device, VM_WINDOW_BYTES);
	if (!m->window)
		return err_fail(e, ERR_LIMIT, "no memory for the window");
	if (!sgx_features(m->device, &m->features, e))
		return false;
	if (!open_enclave(m, e))
		return false;
	m->usable = cfg->boot.memory_bytes;
	if (!m->features.sgx2 || !m->features.exinfo ||
		!sgx_kernel_has_edmm(m->device, m->handle))
		m->heap_bytes = enclave_heap_for(&m->usable);
	return true;
}

static bool launch(struct sgx_machine *m, const struct hal_tech *tech,
	const struct hal_config *cfg, struct sgx_images *i, struct err *e)
{
	if (!open_machine(m, cfg, e) ||
		!sgx_images_load(cfg->image_dir, tech, i, e) ||
		!create(m, cfg, e) || !add_pages(m, i, e) ||
		!init(m, cfg, i, e) || !map_pages(m, i, e) ||
		!fill_window(m, cfg, e))
		return false;
	m->cpu.report = (void *)(m->window + VM_REPORT_AT);
	m->cpu.enter = sgx_enter;
	m->cpu.stop = sgx_stop;
	m->cpu.ctx = m;
	return vm_cpu_init_bells(&m->cpu, m->device, e);
}

bool sgx_launch(struct sgx_machine *m, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	struct sgx_images i = { .shim = { .len = 0 } };
	bool ok = launch(m, tech, cfg, &i, e);
	sgx_images_fini(&i);
	return ok;
}

void sgx_machine_fini(struct sgx_machine *m)
{
	vm_cpu_fini(&m->cpu);
	if (m->device) {
		const struct device_ops *ops = m->device->ops;
		aesm_close(&m->aesm);
		if (m->reserved)
			ops->enclave_unmap(m->device, ENCLAVE_BASE,
				ENCLAVE_BYTES);
		ops->close(m->device, m->handle);
		ops->memory_free(m->device, m->window, VM_WINDOW_BYTES);
		ops->free(m->device);
	}
	*m = (struct sgx_machine){ .handle = -1 };
}
