/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/sgx.h"

#include "monitor/x86_64/cpu_svm.h"

enum {
	VECTOR_UD = 6,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	/* Page fault error codes. */
	PF_PRESENT = 1,
	PF_WRITE = 2,
	PF_USER = 4,
	PF_FETCH = 16,
	/* RFLAGS: TF and AC do not cross an entry's border as they are. */
	FLAG_TF = 1 << 8,
	FLAG_RF = 1 << 16,
};

/* Control registers and EFER: 64-bit, paging, FSGSBASE and XSAVE for ring 3,
 * no SYSCALL, which an enclave has not. */
#define CR0  0x80010033ull
#define CR4  0x50620ull
#define EFER 0x1d00ull

/* The guest's own tables: everything is where it is, all rights.  They are
 * where no linear address leads to. */
#define TABLES_GPA (1ull << 47)
#define ALL	   0x67ull /* present, writable, user, accessed, dirty */
#define LARGE	   0x80ull
#define SLOT_BYTES (1ull << 39)

enum { TOP_SLOTS = 256, GIB_SHIFT = 30 };

#define PAGE_OF(at) ((at) & ~(uint64_t)(PAGE_BYTES - 1))

static uint8_t clean[PAGE_BYTES] __attribute__((aligned(64)));

/* --- set up ----------------------------------------------------------------
 */

static bool take_table(struct monitor *m, uint64_t *hpa)
{
	struct npt *t = &m->npt;
	if (t->next == t->end)
		return false;
	*hpa = t->next;
	t->next += PAGE_BYTES;
	return true;
}

/* 512 GiB of the guest's linear addresses. */
static bool map_slot(struct monitor *m, uint64_t *top, uint64_t at,
	uint64_t *gpa)
{
	uint64_t slot = at / SLOT_BYTES, hpa;
	if (slot >= TOP_SLOTS || top[slot])
		return slot < TOP_SLOTS;
	if (!take_table(m, &hpa) ||
		!npt_map(&m->npt, *gpa, hpa, NPT_ALL | NPT_NO_EXECUTE))
		return false;
	uint64_t *table = monitor_memory(hpa);
	for (uint64_t i = 0; i < 512; i++)
		table[i] = (slot * SLOT_BYTES + (i << GIB_SHIFT)) | ALL | LARGE;
	top[slot] = *gpa | ALL;
	*gpa += PAGE_BYTES;
	return true;
}

static bool make_tables(struct monitor *m)
{
	uint64_t hpa, gpa = TABLES_GPA + PAGE_BYTES;
	if (!take_table(m, &hpa) ||
		!npt_map(&m->npt, TABLES_GPA, hpa, NPT_ALL | NPT_NO_EXECUTE))
		return false;
	uint64_t *top = monitor_memory(hpa);
	for (size_t i = 0; i < MONITOR_SLOTS; i++) {
		const struct monitor_slot *s = &m->slots[i];
		if (s->bytes &&
			(!map_slot(m, top, s->gpa, &gpa) ||
				!map_slot(m, top, s->gpa + s->bytes - 1, &gpa)))
			return false;
	}
	return true;
}

static struct monitor_segment flat(uint16_t selector, uint16_t attributes)
{
	return (struct monitor_segment){ .selector = selector,
		.attributes = attributes,
		.limit = ~0u };
}

/* The first slot is the enclave's range. */
enum monitor_result sgx_init(struct monitor *m)
{
	struct monitor_sgx *x = &m->sgx;
	struct svm_control *c = &m->cpu.vmcb->control;
	struct monitor_state s = { .rflags = 2,
		.cs = flat(0x33, 0xafb),
		.ss = flat(0x2b, 0xcf3),
		.ds = flat(0x2b, 0xcf3),
		.es = flat(0x2b, 0xcf3),
		.fs = flat(0x2b, 0xcf3),
		.gs = flat(0x2b, 0xcf3),
		.cr0 = CR0,
		.cr3 = TABLES_GPA,
		.cr4 = CR4,
		.efer = EFER,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406 };
	*x = (struct monitor_sgx){ .epcm = { .entries = monitor_memory(
						     m->box->rmp_hpa),
					   .begin = m->box->private_hpa,
					   .end = m->box->private_end,
					   .base = m->slots[0].gpa,
					   .bytes = m->slots[0].bytes } };
	if (!make_tables(m) || !epcm_init(&x->epcm, &m->npt))
		return MONITOR_FULL;
	c->intercept_exceptions = ~0u;
	vcpu_set_state(&m->cpu, &s);
	cpu_write_cr4(cpu_read_cr4() | 1 << 18);
	clean[24] = 0x80; /* MXCSR */
	clean[25] = 0x1f;
	return MONITOR_OK;
}

/* --- the enclave's pages ---------------------------------------------------
 */

bool sgx_augment(struct monitor *m, uint64_t at)
{
	uint64_t page;
	if (epcm_augment(&m->sgx.epcm, PAGE_OF(at), &page) != EPCM_ADDED)
		return false;
	memset(monitor_memory(page), 0, PAGE_BYTES);
	m->box->counts[MONITOR_COUNT_PAGES]++;
	return true;
}

void sgx_forget(struct monitor *m, uint64_t at)
{
	if (!npt_unmap(&m->npt, PAGE_OF(at), PAGE_BYTES))
		monitor_log(m, "no memory for tables");
	m->cpu.vmcb->control.tlb_control = SVM_FLUSH_ALL;
}

static enum exit_turn page_fault(struct monitor *m, uint64_t at,
	uint64_t rights, bool there)
{
	uint32_t error = PF_USER;
	error |= rights & SGX_PAGE_W ? PF_WRITE : 0u;
	error |= rights & SGX_PAGE_X ? PF_FETCH : 0u;
	error |= there ? PF_PRESENT | SGX_PF_SGX : 0u;
	return sgx_aex(m, VECTOR_PF, error, at);
}

/* The kernel of the machine adds a page where there is none, as Linux does
 * after EINIT. */
struct epcm_entry *sgx_page(struct monitor *m, uint64_t at)
{
	struct epcm_entry *p = epcm_find(&m->sgx.epcm, at);
	if (p || !m->sgx.initialised || !sgx_augment(m, at))
		return p;
	m->box->counts[MONITOR_COUNT_TOUCHED]++;
	return epcm_find(&m->sgx.epcm, at);
}

void *sgx_reach(struct monitor *m, uint64_t at, size_t n, uint64_t rights,
	enum exit_turn *turn)
{
	struct epcm_entry *p = sgx_page(m, at);
	if (p && epcm_check(p, rights) && n <= PAGE_BYTES - at % PAGE_BYTES)
		return (uint8_t *)monitor_memory(epcm_page(&m->sgx.epcm, p)) +
			at % PAGE_BYTES;
	*turn = page_fault(m, at, rights, p != NULL);
	return NULL;
}

static uint64_t npt_rights(const struct epcm_entry *p)
{
	return NPT_PRESENT | NPT_USER |
		(p->rights & SGX_PAGE_W ? NPT_WRITE : 0) |
		(p->rights & SGX_PAGE_X ? 0 : NPT_NO_EXECUTE);
}

/* The page, and with it all of its 2 MiB that may be used as they are. */
static bool map_around(struct monitor *m, uint64_t at)
{
	uint64_t first = at & ~(NPT_LARGE - 1);
	for (uint64_t a = first; a - first < NPT_LARGE; a += PAGE_BYTES) {
		struct epcm_entry *p = epcm_find(&m->sgx.epcm, a);
		if (p && epcm_check(p, SGX_PAGE_R) &&
			!npt_map(&m->npt, a, epcm_page(&m->sgx.epcm, p),
				npt_rights(p)))
			return false;
	}
	return true;
}

static enum exit_turn on_enclave_fault(struct monitor *m, uint64_t at,
	uint64_t rights)
{
	struct epcm_entry *p = sgx_page(m, at);
	if (!p || !epcm_check(p, rights))
		return page_fault(m, at, rights, p != NULL);
	return map_around(m, at) ? EXIT_RESUME :
				   exit_leave(m, MONITOR_EXIT_BUG);
}

/* The host's memory: data, and never code. */
static enum exit_turn on_outside(struct monitor *m, uint64_t at,
	uint64_t rights)
{
	const struct monitor_slot *s = monitor_slot_at(m, at);
	if (!s || rights & SGX_PAGE_X)
		return page_fault(m, at, rights, false);
	uint64_t hpa = MONITOR_SHARED_HPA + s->shared_at + PAGE_OF(at) - s->gpa;
	return npt_map(&m->npt, PAGE_OF(at), hpa, NPT_ALL | NPT_NO_EXECUTE) ?
		EXIT_RESUME :
		exit_leave(m, MONITOR_EXIT_BUG);
}

static enum exit_turn on_fault(struct monitor *m)
{
	const struct svm_control *c = &m->cpu.vmcb->control;
	uint64_t at = c->exit_info_2;
	uint64_t rights = c->exit_info_1 & SVM_NPF_FETCH ? SGX_PAGE_X :
		c->exit_info_1 & SVM_NPF_WRITE ? SGX_PAGE_R | SGX_PAGE_W :
						 SGX_PAGE_R;
	if (at - m->sgx.epcm.base < m->sgx.epcm.bytes)
		return on_enclave_fault(m, at, rights);
	return on_outside(m, at, rights);
}

/* --- in and out ------------------------------------------------------------
 */

static struct sgx_ssa *frame(struct monitor *m, uint32_t number)
{
	uint64_t at = m->sgx.epcm.base + m->sgx.tcs->ossa +
		(uint64_t)number * PAGE_BYTES;
	struct epcm_entry *p = epcm_find(&m->sgx.epcm, at);
	return p && epcm_check(p, SGX_PAGE_R | SGX_PAGE_W) ?
		monitor_memory(epcm_page(&m->sgx.epcm, p)) :
		NULL;
}

void sgx_leave(struct monitor *m)
{
	m->sgx.tcs->state = 0;
	m->sgx.tcs = NULL;
	m->sgx.inside = false;
}

static void save_gprs(struct monitor *m, struct sgx_gprs *g)
{
	const struct svm_save *s = &m->cpu.vmcb->save;
	const uint64_t *r = m->cpu.general;
	g->rax = s->rax;
	g->rcx = r[MONITOR_RCX];
	g->rdx = r[MONITOR_RDX];
	g->rbx = r[MONITOR_RBX];
	g->rsp = s->rsp;
	g->rbp = r[MONITOR_RBP];
	g->rsi = r[MONITOR_RSI];
	g->rdi = r[MONITOR_RDI];
	memcpy(&g->r8, r + 8, 8 * sizeof *r);
	g->rflags = s->rflags;
	g->rip = s->rip;
	cpu_vmsave(m->cpu.vmcb);
	g->fsbase = s->fs.base;
	g->gsbase = s->gs.base;
}

static void load_gprs(struct monitor *m, const struct sgx_gprs *g)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	uint64_t *r = m->cpu.general;
	const uint64_t user_flags = 0x240dd5ull; /* CF to OF, AC, ID; TF */
	s->rax = g->rax;
	r[MONITOR_RCX] = g->rcx;
	r[MONITOR_RDX] = g->rdx;
	r[MONITOR_RBX] = g->rbx;
	s->rsp = g->rsp;
	r[MONITOR_RBP] = g->rbp;
	r[MONITOR_RSI] = g->rsi;
	r[MONITOR_RDI] = g->rdi;
	memcpy(r + 8, &g->r8, 8 * sizeof *r);
	s->rflags = (g->rflags & user_flags & ~(uint64_t)FLAG_TF) | 2;
	s->rip = g->rip;
	cpu_vmsave(m->cpu.vmcb);
	s->fs.base = g->fsbase;
	s->gs.base = g->gsbase;
	cpu_vmload(m->cpu.vmcb);
}

/* Hardware exceptions are told of always, #GP and #PF when the enclave chose
 * to be told (§36.4.2.1); interrupts never. */
static void save_cause(struct monitor *m, struct sgx_ssa *s, unsigned vector,
	uint32_t error, uint64_t address)
{
	const uint32_t always = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 5 |
		1u << 6 | 1u << 16 | 1u << 17 | 1u << 19;
	const uint32_t chosen = 1u << VECTOR_GP | 1u << VECTOR_PF;
	bool exinfo = m->sgx.miscselect & SGX_MISC_EXINFO;
	s->gprs.exitinfo = 0;
	if (vector > 31 || !((always | (exinfo ? chosen : 0)) >> vector & 1))
		return;
	s->gprs.exitinfo = SGX_EXIT_VALID | vector |
		(vector == 3 ? SGX_EXIT_SOFTWARE : SGX_EXIT_HARDWARE) << 8;
	if (chosen >> vector & 1)
		s->exinfo = (struct sgx_exinfo){ .maddr = vector == VECTOR_PF ?
				address :
				0,
			.errcd = error };
}

enum exit_turn sgx_aex(struct monitor *m, unsigned vector, uint32_t error,
	uint64_t address)
{
	struct monitor_sgx *x = &m->sgx;
	struct sgx_ssa *s = frame(m, x->tcs->cssa);
	if (!s) {
		monitor_log(m, "the state save area is gone");
		return exit_leave(m, MONITOR_EXIT_SHUTDOWN);
	}
	cpu_xsave(s, x->xfrm);
	cpu_xrstor(clean, x->xfrm);
	save_gprs(m, &s->gprs);
	save_cause(m, s, vector, error, address);
	x->tcs->cssa++;
	sgx_leave(m);
	exit_leave(m, MONITOR_EXIT_AEX);
	struct monitor_exit *e = &m->box->exit;
	e->rip = 0;
	e->size = vector;
	e->value = error;
	/* The kernel sees which page, and no more (§36.4.2). */
	e->gpa = PAGE_OF(address);
	memset(&m->box->state, 0, sizeof m->box->state);
	memset(m->box->vectors, 0, sizeof m->box->vectors);
	return EXIT_LEAVE;
}

/* EENTER or ERESUME itself faults: nothing has changed. */
static enum exit_turn failed(struct monitor *m, unsigned vector, uint64_t at)
{
	m->box->exit = (struct monitor_exit){ .reason = MONITOR_EXIT_FAILED,
		.size = vector,
		.value = vector == VECTOR_PF ? PF_USER : 0,
		.gpa = PAGE_OF(at) };
	return EXIT_LEAVE;
}

/* The TCS that RBX names, free for use; NULL: `vector` says why not. */
static struct sgx_tcs *find_tcs(struct monitor *m, uint64_t at,
	unsigned *vector)
{
	struct epcm_entry *p = epcm_find(&m->sgx.epcm, at);
	*vector = VECTOR_GP;
	if (at % PAGE_BYTES || !m->sgx.initialised)
		return NULL;
	*vector = VECTOR_PF;
	if (!p || p->type != SGX_PT_TCS || p->pending || p->modified)
		return NULL;
	struct sgx_tcs *t = monitor_memory(epcm_page(&m->sgx.epcm, p));
	*vector = VECTOR_GP;
	bool legal = t->state == 0 && t->ossa % PAGE_BYTES == 0 &&
		t->oentry < m->sgx.epcm.bytes;
	return legal ? t : NULL;
}

/* What the host left there is the enclave's to get rid of.  XSAVE's header
 * is not part of it. */
static void take_vectors(struct monitor *m)
{
	enum { MXCSR = 24, HEADER = 512, MXCSR_KNOWN = 0xffff };
	static uint8_t x[MONITOR_VECTOR_BYTES] __attribute__((aligned(64)));
	uint32_t mxcsr;
	memcpy(x, m->box->vectors, sizeof x);
	memcpy(&mxcsr, x + MXCSR, sizeof mxcsr);
	mxcsr &= MXCSR_KNOWN;
	memcpy(x + MXCSR, &mxcsr, sizeof mxcsr);
	memset(x + HEADER, 0, 64);
	memcpy(x + HEADER, &m->sgx.xfrm, sizeof m->sgx.xfrm);
	cpu_xrstor(x, m->sgx.xfrm);
}

void sgx_give_vectors(struct monitor *m)
{
	static uint8_t x[MONITOR_VECTOR_BYTES] __attribute__((aligned(64)));
	cpu_xsave(x, m->sgx.xfrm);
	memcpy(m->box->vectors, x, sizeof x);
}

static void enter(struct monitor *m, struct sgx_ssa *s, uint64_t cssa)
{
	const struct monitor_state *in = &m->box->state;
	struct svm_save *v = &m->cpu.vmcb->save;
	const struct sgx_tcs *t = m->sgx.tcs;
	memcpy(m->cpu.general, in->general, sizeof m->cpu.general);
	s->gprs.ursp = in->general[MONITOR_RSP];
	s->gprs.urbp = in->general[MONITOR_RBP];
	v->rax = cssa;
	v->rsp = in->general[MONITOR_RSP];
	m->cpu.general[MONITOR_RCX] = in->rip;
	v->rip = m->sgx.epcm.base + t->oentry;
	v->rflags = (in->rflags & 0x240cd5ull) | 2;
	cpu_vmsave(m->cpu.vmcb);
	v->fs.base = m->sgx.epcm.base + t->ofsbase;
	v->gs.base = m->sgx.epcm.base + t->ogsbase;
	cpu_vmload(m->cpu.vmcb);
}

static enum exit_turn eenter(struct monitor *m)
{
	struct monitor_sgx *x = &m->sgx;
	const struct monitor_state *in = &m->box->state;
	unsigned vector;
	bool resume = in->general[MONITOR_RAX] == SGX_ERESUME;
	uint64_t at = in->general[MONITOR_RBX];
	struct sgx_tcs *t = find_tcs(m, at, &vector);
	if (!t)
		return failed(m, vector, at);
	if (in->general[MONITOR_RCX] >> 47 ||
		(resume ? t->cssa == 0 : t->cssa >= t->nssa))
		return failed(m, VECTOR_GP, 0);
	x->tcs = t;
	struct sgx_ssa *s = frame(m, t->cssa - (resume ? 1 : 0));
	if (!s) {
		x->tcs = NULL;
		return failed(m, VECTOR_PF, x->epcm.base + t->ossa);
	}
	t->state = 1;
	t->aep = x->aep = in->general[MONITOR_RCX];
	x->inside = true;
	cpu_xsetbv(0, x->xfrm);
	if (resume) {
		t->cssa--;
		cpu_xrstor(s, x->xfrm);
		load_gprs(m, &s->gprs);
	} else {
		take_vectors(m);
		enter(m, s, t->cssa);
	}
	return EXIT_RESUME;
}

/* --- exits -----------------------------------------------------------------
 */

enum exit_turn sgx_enter(struct monitor *m)
{
	enum exit_turn t = EXIT_RESUME;
	if (m->sgx.finishing)
		return sgx_finish(m);
	if (!m->sgx.inside) /* else it was kicked */
		t = eenter(m);
	return t == EXIT_RESUME ? sgx_disturb(m) : t;
}

static enum exit_turn on_exit(struct monitor *m)
{
	const struct svm_control *c = &m->cpu.vmcb->control;
	uint64_t code = c->exit_code;
	switch (code) {
	case SVM_EXIT_NPF:
		return on_fault(m);
	case SVM_EXIT_EXCEPTION + VECTOR_UD:
		return sgx_on_undefined(m);
	case SVM_EXIT_EXCEPTION + VECTOR_GP:
		if (sgx_is_port(m))
			return sgx_aex(m, VECTOR_UD, 0, 0);
		break;
	case SVM_EXIT_EXCEPTION + VECTOR_PF:
		return sgx_aex(m, VECTOR_PF, (uint32_t)c->exit_info_1 | PF_USER,
			c->exit_info_2);
	case SVM_EXIT_CPUID:
	case SVM_EXIT_IOIO:
		return sgx_aex(m, VECTOR_UD, 0, 0);
	case SVM_EXIT_MSR:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_HLT:
		return sgx_aex(m, VECTOR_GP, 0, 0);
	case SVM_EXIT_SHUTDOWN:
		return exit_leave(m, MONITOR_EXIT_SHUTDOWN);
	case SVM_EXIT_INVALID:
		return exit_leave(m, MONITOR_EXIT_REFUSED);
	default:
		break;
	}
	if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32)
		return sgx_aex(m, (unsigned)(code - SVM_EXIT_EXCEPTION),
			code == SVM_EXIT_EXCEPTION + VECTOR_GP ?
				(uint32_t)c->exit_info_1 :
				0,
			0);
	if (code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_MWAIT)
		return sgx_aex(m, VECTOR_UD, 0, 0);
	return exit_leave(m, MONITOR_EXIT_BUG);
}

enum exit_turn sgx_exit(struct monitor *m)
{
	enum exit_turn t = on_exit(m);
	return t == EXIT_RESUME ? sgx_disturb(m) : t;
}
