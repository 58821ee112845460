/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM_MEMORY_ENCRYPT_OP for a trust domain, and running it, as Linux 6.16 does
 * (Documentation/virt/kvm/x86/intel-tdx.rst, arch/x86/kvm/vmx/tdx.c).
 */
#include <errno.h>
#include <time.h>

#include "base/bytes.h"
#include "soft/device_priv.h"
#include "soft/quoting.h"

enum {
	BATCH = MONITOR_STAGE_BYTES / PAGE_BYTES,
	GPAW_4_LEVELS = 48,
	GPAW_5_LEVELS = 52,
};

/* x87, SSE, AVX, AVX-512, protection keys. */
#define XFAM_KNOWN 0x2e7ull
#define XFAM_NEEDS 3ull

/* --- CPUID -------------------------------------------------------------- */

static uint64_t xfam_of(const struct soft_device *s)
{
	struct monitor_cpuid c = { 0 };
	soft_kvm_cpuid(s->real, s->real_count, 0xd, 0, &c);
	return (c.eax | (uint64_t)c.edx << 32) & XFAM_KNOWN;
}

static int capabilities(struct soft_device *s, const struct spec_kvm_tdx_cmd *c,
	struct spec_kvm_tdx_capabilities *out)
{
	struct monitor_cpuid list[SOFT_TD_CONFIGURABLE];
	size_t n = soft_td_cpuid_configurable(list);
	if (c->flags)
		return -EINVAL;
	int r = soft_kvm_know(s);
	if (r < 0)
		return r;
	uint32_t room = out->cpuid.nent;
	out->cpuid.nent = (uint32_t)n;
	if (room < n)
		return -E2BIG;
	memset(out, 0, offsetof(struct spec_kvm_tdx_capabilities, cpuid));
	out->supported_attrs = TDX_MODULE_ATTRIBUTES;
	out->supported_xfam = xfam_of(s);
	out->user_calls_r11 = 1ull << 1; /* SetupEventNotifyInterrupt */
	for (size_t i = 0; i < n; i++)
		soft_kvm_put_entry(&list[i], &out->cpuid.entries[i]);
	return 0;
}

/* --- the domain --------------------------------------------------------- */

static int init_check(const struct soft_device *s,
	const struct spec_kvm_tdx_init *i)
{
	uint64_t have = xfam_of(s);
	for (size_t n = 0; n < ARRAY_LEN(i->reserved_0a0); n++)
		if (i->reserved_0a0[n])
			return -EINVAL;
	if (i->cpuid.padding || (i->attributes & ~TDX_MODULE_ATTRIBUTES))
		return -EINVAL;
	return (i->xfam & ~have) || (i->xfam & XFAM_NEEDS) != XFAM_NEEDS ?
		-EINVAL :
		0;
}

static int init_vm(struct soft_device *s, struct spec_kvm_tdx_cmd *c,
	const struct spec_kvm_tdx_init *i)
{
	struct soft_tdx *n = &s->tdx;
	struct err e;
	if (n->active || c->flags)
		return -EINVAL;
	if (i->cpuid.nent > MONITOR_CPUIDS)
		return -E2BIG;
	int r = soft_kvm_know(s);
	if (r == 0)
		r = init_check(s, i);
	if (r < 0)
		return r;
	if (!soft_td_cpuid_make(s, i)) {
		c->hw_error = TDX_OPERAND_INVALID;
		return -EINVAL;
	}
	const struct tdx_module_init m = { i->attributes, i->xfam,
		i->mrconfigid, i->mrowner, i->mrownerconfig };
	if (!tdx_module_new(&m, &n->module, &e))
		return -EIO;
	n->attributes = i->attributes;
	n->active = true;
	return 0;
}

static int finalize(struct soft_device *s, const struct spec_kvm_tdx_cmd *c)
{
	const struct monitor_segment code = { .selector = 8,
		.attributes = 0xc9b,
		.limit = ~0u };
	const struct monitor_segment data = { .selector = 16,
		.attributes = 0xc93,
		.limit = ~0u };
	struct soft_tdx *n = &s->tdx;
	struct monitor_state t = { .rip = TDX_RESET_RIP,
		.rflags = 2,
		.cr0 = TDX_RESET_CR0,
		.cr4 = TDX_RESET_CR4,
		.efer = TDX_RESET_EFER,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406,
		.cs = code,
		.tr = { .attributes = 0x8b, .limit = 0xffff } };
	if (!n->cpu || n->runnable || c->flags)
		return -EINVAL;
	t.es = t.ss = t.ds = t.fs = t.gs = data;
	t.general[MONITOR_RBX] = GPAW_4_LEVELS;
	t.general[MONITOR_RCX] = t.general[8] = n->rcx;
	int r = soft_kvm_begin(s);
	if (r < 0)
		return r;
	if (tdx_module_finalize(n->module) != TDX_SUCCESS)
		return -EIO;
	s->machine.box->state = t;
	r = soft_kvm_call(s, MONITOR_TDX_START,
		(uint64_t[4]){ n->attributes, s->other.there ? 2 : 1 });
	n->runnable = r == 0;
	return r;
}

int soft_tdx_vm_op(struct soft_device *s, struct spec_kvm_tdx_cmd *c)
{
	void *data = (void *)(uintptr_t)c->data;
	if (c->hw_error)
		return -EINVAL;
	if (c->id != SPEC_KVM_TDX_FINALIZE_VM && !data)
		return -EFAULT;
	switch (c->id) {
	case SPEC_KVM_TDX_CAPABILITIES:
		return capabilities(s, c, data);
	case SPEC_KVM_TDX_INIT_VM:
		return s->has_cpu ? -EBUSY : init_vm(s, c, data);
	case SPEC_KVM_TDX_FINALIZE_VM:
		return finalize(s, c);
	default:
		return -EINVAL;
	}
}

int soft_tdx_split_irqchip(struct soft_device *s,
	const struct kvm_enable_cap *c)
{
	enum { MOST_ROUTES = 4096 };
	if (c->flags || s->has_cpu || c->args[0] > MOST_ROUTES)
		return -EINVAL;
	s->tdx.irqchip = true;
	return 0;
}

int soft_tdx_may_add_cpu(const struct soft_device *s)
{
	if (!s->tdx.active)
		return -EIO;
	return s->tdx.irqchip ? 0 : -EINVAL;
}

/* --- its processor and pages -------------------------------------------- */

static int init_cpu(struct soft_device *s, const struct spec_kvm_tdx_cmd *c)
{
	if (s->tdx.cpu || c->flags)
		return -EINVAL;
	s->tdx.rcx = c->data;
	s->tdx.cpu = true;
	return 0;
}

static uint64_t measure_page(struct tdx_module *m, uint64_t gpa,
	const uint8_t *page, bool contents)
{
	uint64_t status = tdx_module_add(m, gpa);
	for (size_t at = 0;
		contents && status == TDX_SUCCESS && at < PAGE_BYTES;
		at += TDX_CHUNK_BYTES)
		status = tdx_module_extend(m, gpa + at, page + at);
	return status;
}

static int add_batch(struct soft_device *s, struct spec_kvm_tdx_region *g,
	bool contents, uint64_t *error)
{
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	size_t n = size_min(g->nr_pages, BATCH);
	memcpy(stage, (const void *)(uintptr_t)g->source_addr, n * PAGE_BYTES);
	int r = soft_kvm_call(s, MONITOR_TDX_ADD, (uint64_t[4]){ g->gpa, n });
	for (size_t i = 0; r == 0 && i < n; i++) {
		*error = measure_page(s->tdx.module, g->gpa + i * PAGE_BYTES,
			stage + i * PAGE_BYTES, contents);
		r = *error == TDX_SUCCESS ? 0 : -EIO;
	}
	explicit_bzero(stage, n * PAGE_BYTES);
	if (r < 0)
		return r;
	g->gpa += n * PAGE_BYTES;
	g->source_addr += n * PAGE_BYTES;
	g->nr_pages -= n;
	return 0;
}

static int add_region(struct soft_device *s, struct spec_kvm_tdx_cmd *c,
	struct spec_kvm_tdx_region *g)
{
	if (!s->tdx.cpu || (c->flags & ~SPEC_KVM_TDX_MEASURE))
		return -EINVAL;
	if (!g)
		return -EFAULT;
	if ((g->source_addr | g->gpa) % PAGE_BYTES || !g->nr_pages ||
		g->gpa >= TDX_SHARED ||
		g->nr_pages > (TDX_SHARED - g->gpa) / PAGE_BYTES)
		return -EINVAL;
	int r = soft_kvm_begin(s);
	while (r == 0 && g->nr_pages)
		r = add_batch(s, g, c->flags & SPEC_KVM_TDX_MEASURE,
			&c->hw_error);
	return r;
}

int soft_tdx_cpu_op(struct soft_device *s, struct spec_kvm_tdx_cmd *c)
{
	void *data = (void *)(uintptr_t)c->data;
	if (!s->tdx.active || s->tdx.runnable || c->hw_error)
		return -EINVAL;
	switch (c->id) {
	case SPEC_KVM_TDX_INIT_VCPU:
		return init_cpu(s, c);
	case SPEC_KVM_TDX_INIT_MEM_REGION:
		return add_region(s, c, data);
	case SPEC_KVM_TDX_GET_CPUID:
		return data ? soft_td_cpuid_list(s, data) : -EFAULT;
	default:
		return -EINVAL;
	}
}

int soft_tdx_other_op(struct soft_device *s, struct spec_kvm_tdx_cmd *c)
{
	bool ok = s->tdx.cpu && !s->tdx.runnable && !c->hw_error && !c->flags;
	return ok && c->id == SPEC_KVM_TDX_INIT_VCPU ? 0 : -EINVAL;
}

/* --- KVM_RUN ------------------------------------------------------------ */

/* The monitor's half of the module asks for what needs the keys. */
static bool serve_report(struct soft_device *s, const struct monitor_exit *x)
{
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	struct tdx_report_struct r;
	uint8_t in[64];
	struct err e;
	memcpy(in, stage, sizeof in);
	if (x->port)
		return x->value < 4 &&
			tdx_module_extend_rtmr(s->tdx.module, x->value, in, &e);
	if (!tdx_module_report(s->tdx.module, in, &r, &e))
		return false;
	memcpy(stage, &r, sizeof r);
	return true;
}

/* What has to be done before the domain runs on. */
static enum soft_turn on_exit(struct soft_device *s, struct kvm_run *run,
	const struct monitor_exit *x, int *result)
{
	switch (x->reason) {
	case MONITOR_EXIT_TDVMCALL:
		*result = 0;
		return soft_tdvmcall_exit(s, run);
	case MONITOR_EXIT_TDREPORT:
		return serve_report(s, x) ? SOFT_GUEST : SOFT_DEAD;
	case MONITOR_EXIT_FAULT:
		*result = soft_kvm_tell_fault(x, run);
		return SOFT_HOST;
	case MONITOR_EXIT_PENDING:
		return SOFT_DEAD;
	default:
		*result = soft_kvm_tell(x, run);
		return SOFT_HOST;
	}
}

int soft_tdx_enter(struct soft_device *s, struct kvm_run *run)
{
	struct monitor_exit x;
	int result = 0;
	if (s->tdx.dead)
		return -EIO;
	if (!s->tdx.runnable)
		return -EINVAL;
	enum soft_turn turn = soft_tdvmcall_answer(s, run);
	while (turn == SOFT_GUEST) {
		soft_tdvmcall_scribble(s);
		if (!soft_machine_run(&s->machine, &x))
			return soft_failed(s);
		turn = on_exit(s, run, &x, &result);
	}
	s->tdx.dead = turn == SOFT_DEAD;
	return s->tdx.dead ? -EIO : result;
}

/* --- quotes ------------------------------------------------------------- */

bool soft_tdx_quote_ready(struct soft_device *s, struct err *e)
{
	struct soft_tdx *n = &s->tdx;
	struct timespec now;
	if (n->quoting)
		return true;
	clock_gettime(CLOCK_REALTIME, &now);
	return soft_root_open(s->root_path, &n->root, e) &&
		soft_quoting_open(n->root, now.tv_sec, &n->quoting, e);
}

bool soft_tdx_quote(struct soft_device *s, struct bytes report,
	struct buf *quote, struct buf *endorsements, struct err *e)
{
	struct tdx_report body;
	if (!s->tdx.module)
		return err_fail(e, ERR_HOST, "quote: no trust domain");
	return tdx_module_open(s->tdx.module, report, &body, e) &&
		soft_tdx_quote_ready(s, e) &&
		soft_quoting_tdx(s->tdx.quoting, &body, false, quote, e) &&
		soft_quoting_endorsements(s->tdx.quoting, true, endorsements,
			e);
}

void soft_tdx_fini(struct soft_tdx *n)
{
	tdx_module_free(n->module);
	soft_quoting_close(n->quoting);
	soft_root_close(n->root);
}
