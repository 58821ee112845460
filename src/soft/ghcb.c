/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMGEXIT as KVM answers it (AMD 56421, protocol version 2).  The GHCB is in
 * shared memory: copied once, judged, answered field by field.
 */
#include <errno.h>
#include <linux/kvm_para.h>

#include "soft/device_priv.h"
#include "spec/svm.h"

#define ALL_ONES (~0ull)

/* --- shared memory ------------------------------------------------------ */

/* n bytes of one page, or NULL. */
static void *shared(const struct soft_device *s, uint64_t gpa, size_t n)
{
	const struct monitor_slot *slots = s->machine.box->slots;
	for (size_t i = 0; i < MONITOR_SLOTS; i++) {
		uint64_t off = gpa - slots[i].gpa;
		if (gpa >= slots[i].gpa && off < slots[i].bytes &&
			n <= slots[i].bytes - off)
			return soft_machine_at(&s->machine,
				slots[i].shared_at + off, n);
	}
	return NULL;
}

static struct ghcb *ghcb_of(const struct soft_device *s)
{
	if (s->snp.msr & GHCB_INFO_MASK)
		return NULL;
	return shared(s, s->snp.msr, sizeof(struct ghcb));
}

#define VALID(g, field)                               \
	((g)->valid[GHCB_VALID_BIT(field) / 8] >>     \
			(GHCB_VALID_BIT(field) % 8) & \
		1)

static void mark(struct ghcb *g, size_t bit)
{
	g->valid[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static enum soft_turn answer(struct ghcb *g, uint64_t info_1, uint64_t info_2)
{
	g->exit_info_1 = info_1;
	g->exit_info_2 = info_2;
	mark(g, GHCB_VALID_BIT(exit_info_1));
	mark(g, GHCB_VALID_BIT(exit_info_2));
	return SOFT_GUEST;
}

static enum soft_turn wrong(struct ghcb *g, uint64_t why)
{
	return answer(g, GHCB_ANSWER_WRONG, why);
}

/* KVM gives all four back, whoever asked. */
static void answer_registers(struct ghcb *g, uint64_t rax, uint64_t rbx,
	uint64_t rcx, uint64_t rdx)
{
	g->rax = rax;
	g->rbx = rbx;
	g->rcx = rcx;
	g->rdx = rdx;
	mark(g, GHCB_VALID_BIT(rax));
	mark(g, GHCB_VALID_BIT(rbx));
	mark(g, GHCB_VALID_BIT(rcx));
	mark(g, GHCB_VALID_BIT(rdx));
}

/* --- page state changes ------------------------------------------------- */

static void tell_state(struct kvm_run *run, uint64_t page, uint64_t count,
	bool is_private, bool large)
{
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.ret = 0;
	run->hypercall.args[0] = page * PAGE_BYTES;
	run->hypercall.args[1] = count;
	run->hypercall.args[2] = (is_private ? SPEC_KVM_MAP_ENCRYPTED : 0) |
		(large ? SPEC_KVM_MAP_2M : 0);
}

static struct ghcb_state_head *state_head(struct ghcb *g)
{
	return (struct ghcb_state_head *)(void *)g->shared_buffer;
}

static uint64_t read_entry(const struct ghcb *g, uint16_t i)
{
	uint64_t e;
	memcpy(&e, g->shared_buffer + sizeof(struct ghcb_state_head) + 8u * i,
		sizeof e);
	return e;
}

static void finish_entry(struct ghcb *g, uint16_t i)
{
	uint64_t e = read_entry(g, i);
	e = (e & ~GHCB_INFO_MASK) | (GHCB_STATE_LARGE(e) ? 512 : 1);
	memcpy(g->shared_buffer + sizeof(struct ghcb_state_head) + 8u * i, &e,
		sizeof e);
}

static bool entry_ok(uint64_t e)
{
	uint32_t pages = GHCB_STATE_LARGE(e) ? 512 : 1;
	return GHCB_STATE_DONE(e) <= pages && GHCB_STATE_PAGE(e) % pages == 0;
}

/* Entries that go on where the first ends, from `first` on. */
static uint16_t run_of(const struct ghcb *g, uint16_t first, uint16_t last,
	uint64_t *pages)
{
	uint64_t e = read_entry(g, first);
	uint64_t step = GHCB_STATE_LARGE(e) ? 512 : 1;
	uint16_t n = 1;
	*pages = step - GHCB_STATE_DONE(e);
	if (GHCB_STATE_DONE(e))
		return 1;
	while (first + n <= last) {
		uint64_t x = read_entry(g, (uint16_t)(first + n));
		if (GHCB_STATE_OP(x) != GHCB_STATE_OP(e) ||
			GHCB_STATE_LARGE(x) != GHCB_STATE_LARGE(e) ||
			GHCB_STATE_DONE(x) ||
			GHCB_STATE_PAGE(x) != GHCB_STATE_PAGE(e) + *pages)
			break;
		*pages += step;
		n++;
	}
	return n;
}

/* The next range goes to userspace, until there is none. */
static enum soft_turn next_state(struct soft_device *s, struct ghcb *g,
	struct kvm_run *run)
{
	struct ghcb_state_head h;
	if (!s->private.hypercalls)
		return answer(g, GHCB_ANSWER_DONE, GHCB_STATE_FAILED);
	memcpy(&h, g->shared_buffer, sizeof h);
	if (h.last >= GHCB_STATE_ENTRIES)
		return answer(g, GHCB_ANSWER_DONE, GHCB_STATE_WRONG_HEAD);
	for (; h.current <= h.last; h.current++) {
		uint64_t e = read_entry(g, h.current), pages;
		if (!entry_ok(e))
			return answer(g, GHCB_ANSWER_DONE,
				GHCB_STATE_WRONG_ENTRY);
		uint16_t n = run_of(g, h.current, h.last, &pages);
		uint32_t op = GHCB_STATE_OP(e);
		if (!pages ||
			(op != GHCB_STATE_PRIVATE && op != GHCB_STATE_SHARED))
			continue;
		state_head(g)->current = h.current;
		s->snp.state_entry = h.current;
		s->snp.state_entries = n;
		s->snp.pending = SOFT_PENDING_STATE_PAGE;
		tell_state(run, GHCB_STATE_PAGE(e) + GHCB_STATE_DONE(e), pages,
			op == GHCB_STATE_PRIVATE, GHCB_STATE_LARGE(e));
		return SOFT_HOST;
	}
	state_head(g)->current = h.current;
	return answer(g, GHCB_ANSWER_DONE, 0);
}

static enum soft_turn end_state(struct soft_device *s, struct ghcb *g,
	struct kvm_run *run)
{
	if (run->hypercall.ret)
		return answer(g, GHCB_ANSWER_DONE, GHCB_STATE_FAILED);
	for (uint16_t i = 0; i < s->snp.state_entries; i++)
		finish_entry(g, (uint16_t)(s->snp.state_entry + i));
	state_head(g)->current =
		(uint16_t)(s->snp.state_entry + s->snp.state_entries);
	return next_state(s, g, run);
}

/* --- the MSR protocol --------------------------------------------------- */

static enum soft_turn end_guest(struct soft_device *s, struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = KVM_SYSTEM_EVENT_SEV_TERM;
	run->system_event.ndata = 1;
	run->system_event.data[0] = s->snp.msr;
	return SOFT_HOST;
}

static uint32_t cpuid_register(const struct soft_device *s, uint32_t leaf,
	unsigned which)
{
	struct monitor_cpuid c = { 0 };
	soft_kvm_cpuid(s->cpuid, s->cpuid_count, leaf, 0, &c);
	const uint32_t r[4] = { c.eax, c.ebx, c.ecx, c.edx };
	return r[which & 3];
}

static enum soft_turn msr_state(struct soft_device *s, struct kvm_run *run)
{
	uint64_t msr = s->snp.msr;
	uint32_t op = msr >> 52 & 15;
	if ((op != GHCB_STATE_PRIVATE && op != GHCB_STATE_SHARED) ||
		!s->private.hypercalls) {
		s->snp.msr = 1ull << 32 | GHCB_INFO_STATE;
		return SOFT_GUEST;
	}
	s->snp.pending = SOFT_PENDING_STATE_MSR;
	tell_state(run, msr >> 12 & 0xffffffffffull, 1,
		op == GHCB_STATE_PRIVATE, false);
	return SOFT_HOST;
}

static enum soft_turn by_msr(struct soft_device *s, struct kvm_run *run)
{
	uint64_t msr = s->snp.msr, page = msr >> 12;
	switch (msr & GHCB_INFO_MASK) {
	case GHCB_INFO_SEV_ASK:
		s->snp.msr = (uint64_t)GHCB_PROTOCOL << 48 | 1ull << 32 |
			47ull << 24 | GHCB_INFO_SEV;
		return SOFT_GUEST;
	case GHCB_INFO_CPUID_ASK:
		s->snp.msr = (uint64_t)cpuid_register(s, (uint32_t)(msr >> 32),
				     msr >> 30 & 3)
				<< 32 |
			(msr & 0xc0000000) | GHCB_INFO_CPUID;
		return SOFT_GUEST;
	case GHCB_INFO_PREFERRED_ASK:
		s->snp.msr = ALL_ONES << 12 | GHCB_INFO_PREFERRED;
		return SOFT_GUEST;
	case GHCB_INFO_REGISTER_ASK:
		s->snp.registered = page * PAGE_BYTES;
		s->snp.msr = page << 12 | GHCB_INFO_REGISTER;
		return SOFT_GUEST;
	case GHCB_INFO_STATE_ASK:
		return msr_state(s, run);
	case GHCB_INFO_FEATURES_ASK:
		s->snp.msr = GHCB_FEATURE_SNP << 12 | GHCB_INFO_FEATURES;
		return SOFT_GUEST;
	case GHCB_INFO_END:
		return end_guest(s, run);
	default:
		return SOFT_GUEST;
	}
}

/* --- what #VC handlers hand on ------------------------------------------ */

static enum soft_turn on_cpuid(struct soft_device *s, const struct ghcb *in,
	struct ghcb *g)
{
	struct monitor_cpuid c = { 0 };
	if (!VALID(in, rax) || !VALID(in, rcx))
		return wrong(g, GHCB_WRONG_MISSING);
	soft_kvm_cpuid(s->cpuid, s->cpuid_count, (uint32_t)in->rax,
		(uint32_t)in->rcx, &c);
	answer_registers(g, c.eax, c.ebx, c.ecx, c.edx);
	return answer(g, GHCB_ANSWER_DONE, 0);
}

/* A general protection fault: none of them is the hypervisor's to give. */
static enum soft_turn on_msr(const struct ghcb *in, struct ghcb *g)
{
	bool write = in->exit_info_1 & 1;
	if (!VALID(in, rcx) || (write && (!VALID(in, rax) || !VALID(in, rdx))))
		return wrong(g, GHCB_WRONG_MISSING);
	return answer(g, GHCB_ANSWER_EXCEPTION,
		13 | SVM_EVENT_EXCEPTION | SVM_EVENT_HAS_ERROR |
			SVM_EVENT_VALID);
}

static enum soft_turn on_port(struct soft_device *s, const struct ghcb *in,
	struct ghcb *g, struct kvm_run *run)
{
	uint64_t info = in->exit_info_1;
	uint32_t size = SVM_IO_SIZE(info), value = (uint32_t)in->rax;
	bool out = !(info & SVM_IO_IN);
	if (out && !VALID(in, rax))
		return wrong(g, GHCB_WRONG_MISSING);
	if ((info & SVM_IO_STRING) || (size != 1 && size != 2 && size != 4))
		return wrong(g, GHCB_WRONG_INPUT);
	if (size < 4)
		value &= (1u << 8 * size) - 1;
	const struct monitor_exit x = { .reason = out ? MONITOR_EXIT_OUT :
							MONITOR_EXIT_IN,
		.size = size,
		.port = SVM_IO_PORT(info),
		.value = value };
	s->snp.pending = out ? SOFT_PENDING_OUT : SOFT_PENDING_IN;
	return soft_kvm_tell(&x, run) == 0 ? SOFT_HOST : SOFT_DEAD;
}

/* --- guest requests ----------------------------------------------------- */

static enum soft_turn request(struct soft_device *s, const struct ghcb *in,
	struct ghcb *g)
{
	const uint8_t *ask = shared(s, in->exit_info_1, PAGE_BYTES);
	uint8_t *to = shared(s, in->exit_info_2, PAGE_BYTES);
	uint8_t response[PAGE_BYTES];
	if (!ask || !to || (in->exit_info_1 | in->exit_info_2) % PAGE_BYTES ||
		ask == to)
		return wrong(g, GHCB_WRONG_INPUT);
	enum snp_status status = psp_request(s->snp.psp, ask, response);
	if (status == SNP_OK)
		memcpy(to, response, sizeof response);
	return answer(g, GHCB_ANSWER_DONE, status);
}

/* Certificates beside a report: rbx pages at rax. */
static enum soft_turn extended(struct soft_device *s, const struct ghcb *in,
	struct ghcb *g, struct kvm_run *run)
{
	enum { TABLE_END = 24 };
	if (!VALID(in, rax) || !VALID(in, rbx))
		return wrong(g, GHCB_WRONG_MISSING);
	uint8_t *data = in->rbx ? shared(s, in->rax, TABLE_END) : NULL;
	if (in->rax % PAGE_BYTES || (in->rbx && !data))
		return wrong(g, GHCB_WRONG_INPUT);
	if (s->snp.certs) {
		const struct spec_kvm_certs c = { .gpa = in->rax,
			.npages = in->rbx };
		run->exit_reason = SPEC_KVM_EXIT_SNP_REQ_CERTS;
		memcpy((uint8_t *)run + SPEC_KVM_RUN_UNION, &c, sizeof c);
		s->snp.pending = SOFT_PENDING_CERTS;
		return SOFT_HOST;
	}
	if (data)
		memset(data, 0, TABLE_END);
	return request(s, in, g);
}

static enum soft_turn end_certs(struct soft_device *s, struct ghcb *g,
	const struct kvm_run *run)
{
	struct spec_kvm_certs c;
	memcpy(&c, (const uint8_t *)run + SPEC_KVM_RUN_UNION, sizeof c);
	switch (c.ret) {
	case 0:
		return request(s, g, g);
	case ENOSPC:
		g->rbx = c.npages;
		mark(g, GHCB_VALID_BIT(rbx));
		return answer(g, GHCB_ANSWER_DONE, GHCB_REQUEST_LENGTH);
	case EAGAIN:
		return answer(g, GHCB_ANSWER_DONE, GHCB_REQUEST_BUSY);
	case EIO:
		return answer(g, GHCB_ANSWER_DONE, ALL_ONES << 32);
	default:
		return SOFT_DEAD;
	}
}

/* --- the GHCB ----------------------------------------------------------- */

static enum soft_turn dispatch(struct soft_device *s, const struct ghcb *in,
	struct ghcb *g, struct kvm_run *run)
{
	switch (in->exit_code) {
	case SVM_EXIT_CPUID:
		return on_cpuid(s, in, g);
	case SVM_EXIT_MSR:
		return on_msr(in, g);
	case SVM_EXIT_IOIO:
		return on_port(s, in, g, run);
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_INVD:
		return answer(g, GHCB_ANSWER_DONE, 0);
	case GHCB_EXIT_STATE:
		if (!VALID(in, scratch))
			return wrong(g, GHCB_WRONG_MISSING);
		if (in->scratch !=
			s->snp.msr + offsetof(struct ghcb, shared_buffer))
			return wrong(g, GHCB_WRONG_SCRATCH);
		return next_state(s, g, run);
	case GHCB_EXIT_REQUEST:
		return request(s, in, g);
	case GHCB_EXIT_EXTENDED:
		return extended(s, in, g, run);
	case GHCB_EXIT_FEATURES:
		return answer(g, GHCB_ANSWER_DONE, GHCB_FEATURE_SNP);
	case GHCB_EXIT_END:
		return end_guest(s, run);
	case GHCB_EXIT_UNKNOWN:
		return SOFT_DEAD;
	default:
		return wrong(g, GHCB_WRONG_EVENT);
	}
}

enum soft_turn soft_ghcb_exit(struct soft_device *s, struct kvm_run *run)
{
	if (s->snp.msr & GHCB_INFO_MASK)
		return by_msr(s, run);
	struct ghcb *g = ghcb_of(s), in;
	/* Without one, the guest just goes on. */
	if (!g)
		return SOFT_GUEST;
	if (s->snp.registered != s->snp.msr)
		return SOFT_DEAD;
	memcpy(&in, g, sizeof in);
	memset(g->valid, 0, sizeof g->valid);
	if (in.usage != GHCB_USAGE)
		return wrong(g, GHCB_WRONG_USAGE);
	if (!VALID(&in, exit_code) || !VALID(&in, exit_info_1) ||
		!VALID(&in, exit_info_2))
		return wrong(g, GHCB_WRONG_MISSING);
	return dispatch(s, &in, g, run);
}

enum soft_turn soft_ghcb_answer(struct soft_device *s, struct kvm_run *run)
{
	enum soft_pending pending = s->snp.pending;
	struct ghcb *g = ghcb_of(s);
	s->snp.pending = SOFT_PENDING_NONE;
	switch (pending) {
	case SOFT_PENDING_NONE:
		return SOFT_GUEST;
	case SOFT_PENDING_STATE_MSR:
		s->snp.msr =
			(run->hypercall.ret ? 1ull << 32 : 0) | GHCB_INFO_STATE;
		return SOFT_GUEST;
	default:
		break;
	}
	if (!g)
		return SOFT_DEAD;
	switch (pending) {
	case SOFT_PENDING_IN:
		memcpy(&g->rax, (uint8_t *)run + SOFT_IO_DATA_AT, 4);
		mark(g, GHCB_VALID_BIT(rax));
		return answer(g, GHCB_ANSWER_DONE, 0);
	case SOFT_PENDING_STATE_PAGE:
		return end_state(s, g, run);
	case SOFT_PENDING_CERTS:
		return end_certs(s, g, run);
	default:
		return answer(g, GHCB_ANSWER_DONE, 0);
	}
}

void soft_ghcb_scribble(struct soft_device *s)
{
	bool by_page = !(s->snp.msr & GHCB_INFO_MASK);
	if (s->scribble)
		s->scribble(s->scribble_ctx, by_page ? ghcb_of(s) : NULL,
			&s->snp.msr);
}
