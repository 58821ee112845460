/* SPDX-License-Identifier: Apache-2.0 */
/* ENCLU (SDM, volume 3D, §38.4). */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/sgx.h"

enum {
	VECTOR_UD = 6,
	VECTOR_GP = 13,
	FLAG_ZF = 1 << 6,
	ARITHMETIC = 0x8d5, /* CF PF AF ZF SF OF */
	INSTRUCTION_BYTES = 3,
};

static enum exit_turn protection(struct monitor *m)
{
	return sgx_aex(m, VECTOR_GP, 0, 0);
}

/* The result in RAX, and ZF when it is an error. */
static enum exit_turn done(struct monitor *m, enum sgx_error rax)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	s->rax = (uint64_t)rax;
	s->rflags &= ~(uint64_t)ARITHMETIC;
	s->rflags |= rax == SGX_SUCCESS ? 0u : (unsigned)FLAG_ZF;
	exit_skip(m, INSTRUCTION_BYTES);
	return EXIT_RESUME;
}

static uint64_t rbx(const struct monitor *m)
{
	return m->cpu.general[MONITOR_RBX];
}

static uint64_t rcx(const struct monitor *m)
{
	return m->cpu.general[MONITOR_RCX];
}

static uint64_t rdx(const struct monitor *m)
{
	return m->cpu.general[MONITOR_RDX];
}

/* --- EEXIT -----------------------------------------------------------------
 */

static enum exit_turn eexit(struct monitor *m)
{
	struct monitor_state *out = &m->box->state;
	if (rbx(m) >> 47)
		return protection(m);
	m->cpu.general[MONITOR_RCX] = m->sgx.aep;
	memset(out, 0, sizeof *out);
	memcpy(out->general, m->cpu.general, sizeof out->general);
	out->general[MONITOR_RAX] = SGX_EEXIT;
	out->general[MONITOR_RSP] = m->cpu.vmcb->save.rsp;
	out->rip = rbx(m);
	out->rflags = m->cpu.vmcb->save.rflags;
	sgx_give_vectors(m);
	sgx_leave(m);
	exit_leave(m, MONITOR_EXIT_EEXIT);
	m->box->exit.rip = 0;
	return EXIT_LEAVE;
}

/* --- EREPORT and EGETKEY: the host's half has the keys ----------------------
 */

static uint8_t *stage(const struct monitor *m)
{
	return (uint8_t *)m->box + MONITOR_STAGE_AT;
}

static enum exit_turn ask_host(struct monitor *m, uint32_t leaf, uint64_t to)
{
	m->sgx.finishing = true;
	m->sgx.answer_at = to;
	exit_leave(m, MONITOR_EXIT_ENCLU);
	m->box->exit.rip = 0;
	m->box->exit.port = leaf;
	return EXIT_LEAVE;
}

static enum exit_turn ereport(struct monitor *m)
{
	enum exit_turn t;
	if (rbx(m) % 512 || rcx(m) % 128 || rdx(m) % 512)
		return protection(m);
	const void *target = sgx_reach(m, rbx(m), sizeof(struct sgx_targetinfo),
		SGX_PAGE_R, &t);
	const void *data =
		target ? sgx_reach(m, rcx(m), 64, SGX_PAGE_R, &t) : NULL;
	if (!data ||
		!sgx_reach(m, rdx(m), sizeof(struct sgx_report_mac),
			SGX_PAGE_R | SGX_PAGE_W, &t))
		return t;
	memcpy(stage(m), target, sizeof(struct sgx_targetinfo));
	memcpy(stage(m) + sizeof(struct sgx_targetinfo), data, 64);
	return ask_host(m, SGX_EREPORT, rdx(m));
}

static enum exit_turn egetkey(struct monitor *m)
{
	enum exit_turn t;
	if (rbx(m) % 512 || rcx(m) % 16)
		return protection(m);
	const void *request = sgx_reach(m, rbx(m),
		sizeof(struct sgx_keyrequest), SGX_PAGE_R, &t);
	if (!request || !sgx_reach(m, rcx(m), 16, SGX_PAGE_R | SGX_PAGE_W, &t))
		return t;
	memcpy(stage(m), request, sizeof(struct sgx_keyrequest));
	return ask_host(m, SGX_EGETKEY, rcx(m));
}

/* The operands were judged; nobody has run since. */
enum exit_turn sgx_finish(struct monitor *m)
{
	const struct monitor_exit *x = &m->box->exit;
	bool report = x->port == SGX_EREPORT;
	size_t n = report ? sizeof(struct sgx_report_mac) : 16;
	enum exit_turn t;
	m->sgx.finishing = false;
	uint8_t *to =
		sgx_reach(m, m->sgx.answer_at, n, SGX_PAGE_R | SGX_PAGE_W, &t);
	if (!to)
		return t;
	enum sgx_error e = (enum sgx_error)x->value;
	if (e == SGX_SUCCESS)
		memcpy(to, stage(m), n);
	memset(stage(m), 0, n);
	if (!report)
		return done(m, e);
	/* EREPORT changes neither RAX nor flags. */
	exit_skip(m, INSTRUCTION_BYTES);
	return EXIT_RESUME;
}

/* --- pages -----------------------------------------------------------------
 */

/* SECINFO at RBX, the page at RCX; *turn when there is no such thing.  The
 * kernel adds the page, where it does so at all. */
static struct epcm_entry *operands(struct monitor *m, uint64_t *flags,
	enum exit_turn *turn)
{
	struct sgx_secinfo s;
	const uint64_t base = m->sgx.epcm.base;
	if (rbx(m) % 64 || rcx(m) % PAGE_BYTES ||
		rcx(m) - base >= m->sgx.epcm.bytes) {
		*turn = protection(m);
		return NULL;
	}
	const void *from = sgx_reach(m, rbx(m), sizeof s, SGX_PAGE_R, turn);
	if (!from)
		return NULL;
	memcpy(&s, from, sizeof s);
	for (size_t i = 0; i < sizeof s.reserved_08; i++)
		if (s.reserved_08[i]) {
			*turn = protection(m);
			return NULL;
		}
	*flags = s.flags;
	struct epcm_entry *p = sgx_page(m, rcx(m));
	if (!p)
		*turn = sgx_aex(m, 14, 4 | 2, rcx(m));
	return p;
}

static enum exit_turn eaccept(struct monitor *m)
{
	enum exit_turn turn;
	uint64_t flags;
	struct epcm_entry *p = operands(m, &flags, &turn);
	if (!p)
		return turn;
	if (!epcm_accept_legal(flags))
		return protection(m);
	enum sgx_error e = epcm_accept(p, flags);
	if (e == SGX_SUCCESS)
		sgx_forget(m, rcx(m));
	return done(m, e);
}

static enum exit_turn emodpe(struct monitor *m)
{
	enum exit_turn turn;
	uint64_t flags;
	struct epcm_entry *p = operands(m, &flags, &turn);
	if (!p)
		return turn;
	if ((flags & SGX_PAGE_W) && !((flags | p->rights) & SGX_PAGE_R))
		return protection(m);
	if (!epcm_extend(p, flags))
		return sgx_aex(m, 14, SGX_PF_SGX | 7, rcx(m));
	sgx_forget(m, rcx(m));
	exit_skip(m, INSTRUCTION_BYTES);
	return EXIT_RESUME;
}

static enum exit_turn eacceptcopy(struct monitor *m)
{
	enum exit_turn turn;
	uint64_t flags;
	if (rdx(m) % PAGE_BYTES)
		return protection(m);
	struct epcm_entry *p = operands(m, &flags, &turn);
	if (!p)
		return turn;
	const void *from = sgx_reach(m, rdx(m), PAGE_BYTES, SGX_PAGE_R, &turn);
	if (!from)
		return turn;
	if (SGX_PAGE_TYPE_OF(flags) != SGX_PT_REG ||
		((flags & SGX_PAGE_W) && !(flags & SGX_PAGE_R)))
		return protection(m);
	enum sgx_error e = epcm_accept_copy(p, flags);
	if (e == SGX_SUCCESS)
		memcpy(monitor_memory(epcm_page(&m->sgx.epcm, p)), from,
			PAGE_BYTES);
	return done(m, e);
}

/* --- EDECCSSA ---------------------------------------------------------------
 */

/* The frame below must be there: the next exit goes to it. */
static enum exit_turn edeccssa(struct monitor *m)
{
	if (m->sgx.tcs->cssa == 0)
		return protection(m);
	m->sgx.tcs->cssa--;
	exit_skip(m, INSTRUCTION_BYTES);
	return EXIT_RESUME;
}

/* --- which -----------------------------------------------------------------
 */

static enum exit_turn enclu(struct monitor *m)
{
	switch (m->cpu.vmcb->save.rax) {
	case SGX_EREPORT:
		return ereport(m);
	case SGX_EGETKEY:
		return egetkey(m);
	case SGX_EEXIT:
		return eexit(m);
	case SGX_EACCEPT:
		return eaccept(m);
	case SGX_EMODPE:
		return emodpe(m);
	case SGX_EACCEPTCOPY:
		return eacceptcopy(m);
	case SGX_EDECCSSA:
		return edeccssa(m);
	default:
		/* EENTER and ERESUME are for outside. */
		return protection(m);
	}
}

/* A byte of the instruction; -1: it can't be run. */
static int code_at(const struct monitor *m, uint64_t at)
{
	const struct epcm_entry *p = epcm_find(&m->sgx.epcm, at);
	if (!p || !epcm_check(p, SGX_PAGE_X))
		return -1;
	const uint8_t *page = monitor_memory(epcm_page(&m->sgx.epcm, p));
	return page[at % PAGE_BYTES];
}

enum exit_turn sgx_on_undefined(struct monitor *m)
{
	static const uint8_t code[INSTRUCTION_BYTES] = { 0x0f, 0x01, 0xd7 };
	for (size_t i = 0; i < sizeof code; i++)
		if (code_at(m, m->cpu.vmcb->save.rip + i) != code[i])
			return sgx_aex(m, VECTOR_UD, 0, 0);
	return enclu(m);
}

/* IN and OUT are #UD, before any right is looked at (SDM §37.6.1). */
bool sgx_is_port(const struct monitor *m)
{
	uint64_t at = m->cpu.vmcb->save.rip;
	int c = code_at(m, at);
	if (c == 0x66 || c == 0xf2 || c == 0xf3)
		c = code_at(m, at + 1);
	return (c >= 0x6c && c <= 0x6f) || (c >= 0xe4 && c <= 0xe7) ||
		(c >= 0xec && c <= 0xef);
}
