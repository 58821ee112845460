/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's SGX driver (arch/x86/include/uapi/asm/sgx.h) and the vDSO's way into
 * an enclave.  Pages are in QEMU's own RAM, under the monitor's EPCM; what is
 * measured is measured here.
 */
#include <asm/sgx.h>
#include <endian.h>
#include <errno.h>
#include <sys/mman.h>

#include "crypto/hash.h"
#include "soft/device_priv.h"
#include "soft/quoting.h"

enum {
	TABLES = 24 << 20,
	LARGE = 2 << 20,
	RAM_LEAST = 32 << 20,
	ENTRY_BYTES = 16, /* of the EPCM */
	BATCH = MONITOR_STAGE_BYTES / PAGE_BYTES,
	RECORD = 64,
	CHUNK = 256,
	LEAF_FEATURES = 7,
	LEAF_SGX = 0x12,
	VECTOR_GP = 13,
};

/* Where an enclave leaves to: nobody looks there. */
#define OUTSIDE 0x1000ull

#define XFRM_KNOWN 7ull

static struct soft_sgx *sgx(struct soft_device *s)
{
	return &s->sgx;
}

/* --- the machine --------------------------------------------------------- */

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static uint64_t lay_out(struct soft_device *s)
{
	struct monitor_box *b = s->machine.box;
	uint64_t epc = round_up(s->sgx.epc_bytes, LARGE);
	b->tables_end =
		MONITOR_TABLES_HPA + TABLES + round_up(epc / 128, PAGE_BYTES);
	b->rmp_hpa = b->tables_end;
	b->private_hpa =
		round_up(b->rmp_hpa + epc / PAGE_BYTES * ENTRY_BYTES, LARGE);
	if (b->private_hpa + epc > SOFT_LOW_RAM_END)
		b->private_hpa = SOFT_HIGH_RAM;
	b->private_end = b->private_hpa + epc;
	return b->private_hpa == SOFT_HIGH_RAM ? SOFT_LOW_RAM_END + epc :
						 RAM_LEAST + b->private_end;
}

/* The processor is there when somebody asks what it can. */
static int boot(struct soft_device *s)
{
	struct err e;
	if (s->machine.pid)
		return 0;
	const struct soft_start start = {
		.image = s->image,
		.ram_bytes = lay_out(s),
		.uid = s->uid,
		.change_id = s->change_id,
	};
	if (!soft_machine_start(&s->machine, &start, &e) ||
		!soft_machine_ready(&s->machine, &e))
		return soft_failed(s);
	return soft_kvm_call(s, MONITOR_CPUID, (uint64_t[4]){ 0 });
}

/* SGX1, SGX2, EDECCSSA, EXINFO and key separation (SDM table 37-6 to 37-8). */
static void sgx_leaf(const struct soft_device *s, uint32_t sub, uint32_t out[4])
{
	uint64_t at = s->machine.box->private_hpa;
	uint64_t bytes = s->machine.box->private_end - at;
	const uint32_t leaf[3][4] = {
		{ 1 | 1 << 1 | 1 << 11, SGX_MISC_EXINFO, 0, 36 << 8 | 31 },
		{ (uint32_t)(SGX_FLAGS_KNOWN | SGX_FLAG_KSS), 0, XFRM_KNOWN,
			0 },
		{ 1 | (uint32_t)at, (uint32_t)(at >> 32), 1 | (uint32_t)bytes,
			(uint32_t)(bytes >> 32) },
	};
	memset(out, 0, 4 * sizeof *out);
	if (sub < ARRAY_LEN(leaf))
		memcpy(out, leaf[sub], sizeof leaf[sub]);
}

int soft_sgx_cpuid(struct soft_device *s, uint32_t leaf, uint32_t sub,
	uint32_t out[4])
{
	const struct monitor_box *b = s->machine.box;
	struct monitor_cpuid c = { 0 };
	int n = s->broken ? -EIO : boot(s);
	if (n < 0)
		return n;
	if (leaf == LEAF_SGX) {
		sgx_leaf(s, sub, out);
		return 0;
	}
	if (b->cpuid_count <= MONITOR_CPUIDS)
		soft_kvm_cpuid(b->cpuid, b->cpuid_count, leaf, sub, &c);
	out[0] = c.eax;
	out[1] = c.ebx;
	out[2] = c.ecx;
	out[3] = c.edx;
	if (leaf == 0 && out[0] < LEAF_SGX)
		out[0] = LEAF_SGX;
	if (leaf == LEAF_FEATURES && sub == 0) {
		out[1] |= 1u << 2;  /* SGX */
		out[2] |= 1u << 30; /* launch control */
	}
	return 0;
}

/* --- ECREATE ------------------------------------------------------------- */

static bool secs_ok(const struct sgx_secs *c)
{
	const uint64_t known = SGX_FLAG_DEBUG | SGX_FLAG_MODE64BIT |
		SGX_FLAG_PROVISIONKEY | SGX_FLAG_EINITTOKEN | SGX_FLAG_KSS;
	return c->size >= 2 * PAGE_BYTES && !(c->size & (c->size - 1)) &&
		c->size <= 1ull << 36 && c->base % c->size == 0 &&
		c->base < 1ull << 47 && c->base && c->ssa_frame_pages == 1 &&
		!(c->miscselect & ~SGX_MISC_EXINFO) &&
		(c->attributes & SGX_FLAG_MODE64BIT) &&
		!(c->attributes & ~known) && (c->xfrm & 3) == 3 &&
		!(c->xfrm & ~XFRM_KNOWN) &&
		bytes_all_zero(BYTES_ARRAY(c->reserved_060)) &&
		bytes_all_zero(BYTES_ARRAY(c->reserved_0a0)) &&
		bytes_all_zero(BYTES_ARRAY(c->reserved_106));
}

/* The range, then all memory that the process shares with its enclave. */
static void fill_slots(struct soft_device *s, const struct sgx_secs *c)
{
	struct monitor_slot *slots = s->machine.box->slots;
	size_t n = 1;
	slots[0] = (struct monitor_slot){ .gpa = c->base, .bytes = c->size };
	for (size_t i = 0; i < SOFT_REGIONS && n < MONITOR_SLOTS; i++) {
		const struct soft_region *r = &s->machine.regions[i];
		if (r->ptr)
			slots[n++] =
				(struct monitor_slot){ .gpa = (uintptr_t)r->ptr,
					.bytes = r->len,
					.shared_at = r->at };
	}
}

static void put(uint8_t *at, uint64_t v)
{
	v = htole64(v);
	memcpy(at, &v, sizeof v);
}

static int create(struct soft_device *s, const struct sgx_enclave_create *c)
{
	struct soft_sgx *n = sgx(s);
	uint8_t record[RECORD] = "ECREATE";
	struct err e;
	const struct sgx_secs *from = (const void *)(uintptr_t)c->src;
	if (!from)
		return -EFAULT;
	if (n->created || !secs_ok(from))
		return -EINVAL;
	int r = boot(s);
	if (r < 0)
		return r;
	fill_slots(s, from);
	memcpy((uint8_t *)s->machine.box + MONITOR_STAGE_AT, from,
		sizeof *from);
	r = soft_kvm_call(s, MONITOR_GUEST, (uint64_t[4]){ MONITOR_SGX });
	if (r == 0)
		r = soft_kvm_call(s, MONITOR_SGX_CREATE, (uint64_t[4]){ 0 });
	if (r < 0)
		return r;
	n->secs = *from;
	record[8] = (uint8_t)from->ssa_frame_pages;
	put(record + 12, from->size);
	if (!crypto_hash_new(CRYPTO_SHA256, &n->hash, &e) ||
		!crypto_hash_add(n->hash, BYTES_ARRAY(record), &e))
		return soft_failed(s);
	n->created = true;
	return 0;
}

/* --- EADD, EEXTEND ------------------------------------------------------- */

static bool measure(struct soft_sgx *n, uint64_t offset, uint64_t flags,
	const uint8_t *page, bool contents)
{
	uint8_t record[RECORD] = "EADD";
	struct err e;
	put(record + 8, offset);
	put(record + 16, flags);
	bool ok = crypto_hash_add(n->hash, BYTES_ARRAY(record), &e);
	for (size_t at = 0; ok && contents && at < PAGE_BYTES; at += CHUNK) {
		uint8_t extend[RECORD] = "EEXTEND";
		put(extend + 8, offset + at);
		ok = crypto_hash_add(n->hash, BYTES_ARRAY(extend), &e) &&
			crypto_hash_add(n->hash, bytes_of(page + at, CHUNK),
				&e);
	}
	return ok;
}

/* *status: of the last call for pages. */
static int call_pages(struct soft_device *s, enum monitor_op op,
	const uint64_t args[4], uint64_t *count, uint64_t *status)
{
	int r = soft_kvm_call(s, op, args);
	if (r < 0)
		return r;
	*count = s->machine.box->call.b;
	*status = s->machine.box->call.d;
	return *count <= args[1] ? 0 : soft_failed(s);
}

static int add_batch(struct soft_device *s, struct sgx_enclave_add_pages *a,
	uint64_t flags, uint64_t pages)
{
	struct soft_sgx *n = sgx(s);
	const uint8_t *from = (const uint8_t *)(uintptr_t)a->src + a->count;
	uint64_t offset = a->offset + a->count, done, status;
	memcpy((uint8_t *)s->machine.box + MONITOR_STAGE_AT, from,
		pages * PAGE_BYTES);
	int r = call_pages(s, MONITOR_SGX_ADD,
		(uint64_t[4]){ n->secs.base + offset, pages, flags }, &done,
		&status);
	for (uint64_t i = 0; r == 0 && i < done; i++) {
		if (!measure(n, offset, flags, from + i * PAGE_BYTES,
			    a->flags & SGX_PAGE_MEASURE))
			return soft_failed(s);
		offset += PAGE_BYTES;
		a->count += PAGE_BYTES;
	}
	return r == 0 && status ? -EINVAL : r;
}

static int add(struct soft_device *s, struct sgx_enclave_add_pages *a)
{
	struct soft_sgx *n = sgx(s);
	struct sgx_secinfo info;
	uint64_t end;
	if (!a->secinfo || !a->src)
		return -EFAULT;
	memcpy(&info, (const void *)(uintptr_t)a->secinfo, sizeof info);
	if (!n->created || n->initialised ||
		(a->flags & ~(uint64_t)SGX_PAGE_MEASURE) ||
		(a->src | a->offset | a->length) % PAGE_BYTES || !a->length ||
		__builtin_add_overflow(a->offset, a->length, &end) ||
		end > n->secs.size ||
		!bytes_all_zero(BYTES_ARRAY(info.reserved_08)))
		return -EINVAL;
	int r = 0;
	for (a->count = 0; r == 0 && a->count < a->length;)
		r = add_batch(s, a, info.flags,
			size_min((a->length - a->count) / PAGE_BYTES, BATCH));
	return r;
}

/* --- EINIT --------------------------------------------------------------- */

static int init(struct soft_device *s, const struct sgx_enclave_init *i)
{
	struct soft_sgx *n = sgx(s);
	uint8_t mrenclave[32];
	struct err e;
	const struct sgx_sigstruct *g = (const void *)(uintptr_t)i->sigstruct;
	if (!g)
		return -EFAULT;
	if (!n->created || n->initialised)
		return -EINVAL;
	if (n->secs.attributes & SGX_FLAG_PROVISIONKEY && !n->provision)
		return -EACCES;
	if (!crypto_hash_end(n->hash, mrenclave, &e))
		return soft_failed(s);
	/* Whatever EINIT says, nothing can be added any more: the driver's
	 * enclave is spoilt. */
	n->initialised = true;
	if (soft_sgx_launch(g, mrenclave, n) != SGX_SUCCESS)
		return -EPERM;
	return soft_kvm_call(s, MONITOR_SGX_INIT, (uint64_t[4]){ 0 });
}

/* --- EMODPR, EMODT, EREMOVE ---------------------------------------------- */

struct range {
	uint64_t offset, length;
};

static int change(struct soft_device *s, enum monitor_op op, struct range r,
	uint64_t what, uint64_t *count, uint64_t *result)
{
	const struct soft_sgx *n = sgx(s);
	uint64_t end, pages = 0;
	*count = *result = 0;
	if (!n->initialised || (r.offset | r.length) % PAGE_BYTES ||
		!r.length || __builtin_add_overflow(r.offset, r.length, &end) ||
		end > n->secs.size)
		return -EINVAL;
	int x = call_pages(s, op,
		(uint64_t[4]){ n->secs.base + r.offset, r.length / PAGE_BYTES,
			what },
		&pages, result);
	*count = pages * PAGE_BYTES;
	return x == 0 && *result ? -EFAULT : x;
}

static int restrict_rights(struct soft_device *s,
	struct sgx_enclave_restrict_permissions *a)
{
	if (a->permissions & ~SGX_PAGE_RIGHTS ||
		((a->permissions & SGX_PAGE_W) &&
			!(a->permissions & SGX_PAGE_R)))
		return -EINVAL;
	uint64_t count, result;
	int r = change(s, MONITOR_SGX_RESTRICT,
		(struct range){ a->offset, a->length }, a->permissions, &count,
		&result);
	a->count = count;
	a->result = result;
	return r;
}

static int retype(struct soft_device *s, struct sgx_enclave_modify_types *a)
{
	uint64_t count, result;
	if (a->page_type != SGX_PT_TCS && a->page_type != SGX_PT_TRIM)
		return -EINVAL;
	int r = change(s, MONITOR_SGX_RETYPE,
		(struct range){ a->offset, a->length }, a->page_type, &count,
		&result);
	a->count = count;
	a->result = result;
	return r;
}

static int remove_pages(struct soft_device *s,
	struct sgx_enclave_remove_pages *a)
{
	uint64_t count, result;
	int r = change(s, MONITOR_SGX_REMOVE,
		(struct range){ a->offset, a->length }, 0, &count, &result);
	a->count = count;
	/* The driver: not trimmed, or not yet accepted. */
	return r == -EFAULT ? -EPERM : r;
}

int soft_sgx_ioctl(struct soft_device *s, unsigned long request, void *arg)
{
	if (s->broken)
		return -EIO;
	if (!arg)
		return -EFAULT;
	switch (request) {
	case SGX_IOC_ENCLAVE_CREATE:
		return create(s, arg);
	case SGX_IOC_ENCLAVE_ADD_PAGES:
		return add(s, arg);
	case SGX_IOC_ENCLAVE_INIT:
		return init(s, arg);
	case SGX_IOC_ENCLAVE_PROVISION:
		s->sgx.provision = ((struct sgx_enclave_provision *)arg)->fd ==
			SOFT_HANDLE_PROVISION;
		return s->sgx.provision ? 0 : -EINVAL;
	case SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS:
		return restrict_rights(s, arg);
	case SGX_IOC_ENCLAVE_MODIFY_TYPES:
		return retype(s, arg);
	case SGX_IOC_ENCLAVE_REMOVE_PAGES:
		return remove_pages(s, arg);
	default:
		return -ENOTTY;
	}
}

/* --- __vdso_sgx_enter_enclave -------------------------------------------- */

/* EREPORT and EGETKEY: the keys are here. */
static bool serve_enclu(struct soft_device *s, struct monitor_exit *x)
{
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	struct sgx_targetinfo target;
	struct sgx_keyrequest request;
	struct sgx_report_mac report;
	uint8_t data[64], key[16];
	enum sgx_error result = SGX_SUCCESS;
	struct err e;
	bool ok;
	if (x->port == SGX_EREPORT) {
		memcpy(&target, stage, sizeof target);
		memcpy(data, stage + sizeof target, sizeof data);
		ok = soft_sgx_report(&s->sgx, &target, data, &report, &e);
		memcpy(stage, &report, ok ? sizeof report : 0);
	} else {
		memcpy(&request, stage, sizeof request);
		ok = soft_sgx_key(&s->sgx, &request, key, &result, &e);
		memcpy(stage, key, ok && result == SGX_SUCCESS ? 16 : 0);
		explicit_bzero(key, sizeof key);
	}
	s->machine.box->exit.value = (uint32_t)result;
	return ok;
}

static void begin(struct soft_device *s, const struct device_enclave *x)
{
	struct monitor_state *t = &s->machine.box->state;
	*t = s->sgx.outside ? *s->sgx.outside :
			      (struct monitor_state){ .rflags = 2 };
	t->rip = OUTSIDE;
	if (s->sgx.vectors)
		memcpy(s->machine.box->vectors, s->sgx.vectors,
			MONITOR_VECTOR_BYTES);
	t->general[MONITOR_RAX] = x->function;
	t->general[MONITOR_RBX] = x->tcs;
	t->general[MONITOR_RCX] = OUTSIDE;
	t->general[MONITOR_RDI] = x->rdi;
	t->general[MONITOR_RSI] = x->rsi;
	t->general[MONITOR_RDX] = x->rdx;
	t->general[8] = x->r8;
}

static int tell(const struct soft_device *s, const struct monitor_exit *x,
	struct device_enclave *out)
{
	const struct monitor_state *t = &s->machine.box->state;
	switch (x->reason) {
	case MONITOR_EXIT_EEXIT:
		out->function = SGX_EEXIT;
		out->rdi = t->general[MONITOR_RDI];
		out->rsi = t->general[MONITOR_RSI];
		out->rdx = t->general[MONITOR_RDX];
		out->r8 = t->general[8];
		return 0;
	case MONITOR_EXIT_AEX:
	case MONITOR_EXIT_FAILED:
		/* An exception while inside is one at the AEP: ERESUME. */
		if (x->reason == MONITOR_EXIT_AEX)
			out->function = SGX_ERESUME;
		out->vector = (uint16_t)x->size;
		out->error = (uint16_t)x->value;
		out->address = x->gpa;
		return 0;
	case MONITOR_EXIT_KICKED:
		return -EINTR;
	default:
		return -EIO;
	}
}

static int run(struct soft_device *s, struct device_enclave *x)
{
	struct monitor_exit e;
	s->sgx.entries++;
	begin(s, x);
	for (;;) {
		if (!soft_machine_run(&s->machine, &e))
			return soft_failed(s);
		s->sgx.exits++;
		/* An interrupt: the AEP resumes. */
		if (e.reason == MONITOR_EXIT_AEX &&
			e.size == MONITOR_NO_VECTOR && !s->sgx.tell_all) {
			x->function = SGX_ERESUME;
			begin(s, x);
		} else if (e.reason != MONITOR_EXIT_ENCLU) {
			return tell(s, &e, x);
		} else if (!serve_enclu(s, &e)) {
			return soft_failed(s);
		}
	}
}

/* One processor: a second thread finds its TCS busy, or has to wait. */
int soft_sgx_enter(struct soft_device *s, struct device_enclave *x)
{
	uint64_t who = 0;
	if (s->broken || !s->sgx.initialised)
		return -EIO;
	if (!__atomic_compare_exchange_n(&s->sgx.tcs, &who, x->tcs | 1, false,
		    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		x->vector = VECTOR_GP;
		x->error = 0;
		x->address = 0;
		return who == (x->tcs | 1) ? 0 : -EAGAIN;
	}
	int n = run(s, x);
	__atomic_store_n(&s->sgx.tcs, 0, __ATOMIC_SEQ_CST);
	return n;
}

void soft_sgx_fini(struct soft_sgx *n)
{
	crypto_hash_free(n->hash);
	soft_quoting_close(n->quoting);
	soft_root_close(n->root);
	explicit_bzero(n->secret, sizeof n->secret);
}
