/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life cycle of enclaves, as MIT's security_monitor has it (src/api): a call is
 * judged first, and then changes state, or nothing.  What an enclave measures
 * is what attest/measure_monitor.h says: one definition for both sides.
 */
#include "base/must.h"
#include "monitor/riscv64/monitor.h"

enum { REGION = 0x200000 };

#define STATES(from, to) ((2u << (to)) - (1u << (from)))

/* --- the legal moves ---------------------------------------------------- */

struct move {
	uint32_t from; /* a bit for each state */
	int to;	       /* or -1: stays */
};

/* clang-format off */
static const struct move moves[] = {
	[SANCTUM_HANDLER] = { STATES(ENCLAVE_CREATED, ENCLAVE_CREATED), ENCLAVE_HANDLER },
	[SANCTUM_TABLE]   = { STATES(ENCLAVE_HANDLER, ENCLAVE_TABLES),  ENCLAVE_TABLES },
	[SANCTUM_PAGE]    = { STATES(ENCLAVE_TABLES, ENCLAVE_PAGES),    ENCLAVE_PAGES },
	[SANCTUM_THREAD]  = { STATES(ENCLAVE_PAGES, ENCLAVE_PAGES),     -1 },
	[SANCTUM_WINDOW]  = { STATES(ENCLAVE_CREATED, ENCLAVE_PAGES),   -1 },
	[SANCTUM_INIT]    = { STATES(ENCLAVE_PAGES, ENCLAVE_PAGES),     ENCLAVE_READY },
	[SANCTUM_ENTER]   = { STATES(ENCLAVE_READY, ENCLAVE_READY),     ENCLAVE_RUNNING },
	[SANCTUM_DELETE]  = { STATES(ENCLAVE_CREATED, ENCLAVE_READY) |
			      STATES(ENCLAVE_ENDED, ENCLAVE_ENDED),     ENCLAVE_NONE },
};
/* clang-format on */

static struct enclave *find(struct monitor *m, uint64_t call, uint64_t number,
	enum sanctum_result *why)
{
	*why = SANCTUM_VALUE;
	if (number >= ENCLAVES || m->enclave[number].state == ENCLAVE_NONE)
		return NULL;
	struct enclave *v = &m->enclave[number];
	bool legal = moves[call].from & 1u << v->state;
	*why = legal ? SANCTUM_OK : SANCTUM_STATE;
	return legal ? v : NULL;
}

static void go(struct enclave *v, uint64_t call)
{
	if (moves[call].to >= 0)
		v->state = (enum enclave_state)moves[call].to;
}

/* --- what addresses may be ---------------------------------------------- */

static bool inside(uint64_t at, uint64_t bytes, uint64_t from, uint64_t end)
{
	return at >= from && at <= end && bytes <= end - at;
}

static bool untrusted(const struct monitor *m, uint64_t at, uint64_t bytes)
{
	return inside(at, bytes, SANCTUM_UNTRUSTED_AT,
		SANCTUM_UNTRUSTED_AT + m->record.untrusted_bytes);
}

/* A page of the enclave's that can be loaded now: each lies behind the one
 * before, so that none is used twice. */
static bool loadable(const struct enclave *v, uint64_t at)
{
	return at % PAGE_BYTES == 0 && at >= v->next &&
		inside(at, PAGE_BYTES, v->base, v->base + v->bytes);
}

/* A page's, in Sv39's upper half. */
static bool in_range(const struct enclave *v, uint64_t va)
{
	const uint64_t high = ~((1ull << 38) - 1);
	return va % PAGE_BYTES == 0 && (va & high) == high &&
		(va & v->ev_mask) == v->ev_base &&
		((va + PAGE_BYTES - 1) & v->ev_mask) == v->ev_base;
}

/* --- measurement -------------------------------------------------------- */

static void add(struct enclave *v, uint64_t number)
{
	hash_add(&v->hash, &number, sizeof number);
}

/* --- calls -------------------------------------------------------------- */

static bool overlaps(const struct monitor *m, uint64_t at, uint64_t bytes)
{
	for (size_t i = 0; i < ENCLAVES; i++) {
		const struct enclave *v = &m->enclave[i];
		if (v->state != ENCLAVE_NONE && at < v->base + v->bytes &&
			v->base < at + bytes)
			return true;
	}
	return false;
}

static enum sanctum_result create(struct monitor *m, const uint64_t a[6],
	uint64_t *value)
{
	uint64_t number = 0;
	const uint8_t debug = (uint8_t)a[5];
	if ((a[0] | a[1]) % REGION || !a[1] ||
		!inside(a[0], a[1], SANCTUM_ENCLAVES_AT, m->record.ram_end) ||
		overlaps(m, a[0], a[1]) || a[2] & ~a[3] || a[2] % PAGE_BYTES ||
		a[4] || a[5] > 1)
		return SANCTUM_VALUE;
	while (number < ENCLAVES && m->enclave[number].state != ENCLAVE_NONE)
		number++;
	if (number == ENCLAVES)
		return SANCTUM_FULL;
	struct enclave *v = &m->enclave[number];
	memset(v, 0, sizeof *v);
	v->base = v->next = a[0];
	v->bytes = a[1];
	v->ev_base = a[2];
	v->ev_mask = a[3];
	v->debug = debug;
	hash_init(&v->hash);
	add(v, a[2]);
	add(v, a[3]);
	add(v, a[4]);
	hash_add(&v->hash, &debug, 1);
	v->state = ENCLAVE_CREATED;
	*value = number;
	return SANCTUM_OK;
}

static enum sanctum_result load_handler(struct monitor *m, struct enclave *v,
	const uint64_t a[6])
{
	if (a[1] != v->base || !loadable(v, a[1]))
		return SANCTUM_VALUE;
	uint8_t *to = monitor_memory(a[1]);
	memset(to, 0, PAGE_BYTES);
	memcpy(to, m->handler.ptr, m->handler.len);
	hash_add(&v->hash, to, m->handler.len);
	v->next = a[1] + PAGE_BYTES;
	return SANCTUM_OK;
}

static enum sanctum_result load_table(struct enclave *v, const uint64_t a[6])
{
	bool root = a[3] == 3;
	if (!loadable(v, a[1]) || !in_range(v, a[2]) || a[3] < 1 || a[3] > 3 ||
		a[4] != SANCTUM_V || root != !v->root)
		return SANCTUM_VALUE;
	if (!root && !tables_set(v, a[2], (unsigned)a[3], a[1], SANCTUM_V))
		return SANCTUM_VALUE;
	memset(monitor_memory(a[1]), 0, PAGE_BYTES);
	if (root)
		v->root = a[1];
	add(v, a[2]);
	add(v, a[3]);
	add(v, a[4]);
	v->next = a[1] + PAGE_BYTES;
	return SANCTUM_OK;
}

static bool rights_ok(uint64_t rights)
{
	const uint64_t both = SANCTUM_W | SANCTUM_X;
	const uint64_t least = SANCTUM_V | SANCTUM_R;
	return (rights & least) == least && (rights & both) != both &&
		!(rights & ~(least | both));
}

/* The copy is what is measured: its owner may change the page meanwhile. */
static enum sanctum_result load_page(struct monitor *m, struct enclave *v,
	const uint64_t a[6])
{
	if (!loadable(v, a[1]) || !in_range(v, a[2]) || !rights_ok(a[4]) ||
		a[1] - v->base != a[2] - v->ev_base || a[3] % PAGE_BYTES ||
		!untrusted(m, a[3], PAGE_BYTES) ||
		!tables_set(v, a[2], 0, a[1], a[4]))
		return SANCTUM_VALUE;
	uint8_t *to = monitor_memory(a[1]);
	memcpy(to, monitor_memory(a[3]), PAGE_BYTES);
	add(v, a[2]);
	add(v, a[4]);
	hash_add(&v->hash, to, PAGE_BYTES);
	v->next = a[1] + PAGE_BYTES;
	return SANCTUM_OK;
}

static enum sanctum_result load_thread(struct enclave *v, const uint64_t a[6])
{
	if (v->has_thread)
		return SANCTUM_STATE;
	if ((a[1] & v->ev_mask) != v->ev_base || a[1] % 4 || a[3])
		return SANCTUM_VALUE;
	v->context.pc = a[1];
	v->context.x[REG_SP] = a[2];
	v->has_thread = true;
	add(v, a[1]);
	add(v, a[2]);
	add(v, a[3]);
	return SANCTUM_OK;
}

static enum sanctum_result set_window(const struct monitor *m,
	struct enclave *v, const uint64_t a[6])
{
	if (v->window_bytes)
		return SANCTUM_STATE;
	if ((a[1] | a[2]) % PAGE_BYTES || !a[2] || !untrusted(m, a[1], a[2]))
		return SANCTUM_VALUE;
	v->window_at = a[1];
	v->window_bytes = a[2];
	return SANCTUM_OK;
}

#define SATP_SV39 (8ull << 60)

/* Where it begins: its tables, the handler for its traps, and in its registers
 * what it can't know by itself. */
static void first_context(struct enclave *v)
{
	const struct sanctum_entry e = {
		.base = v->base,
		.bytes = v->bytes,
		.window_at = v->window_at,
		.window_bytes = v->window_bytes,
		.timebase_khz = MONITOR_TIMEBASE_KHZ,
		.debug = v->debug,
	};
	memcpy(&v->context.x[REG_A0], &e, sizeof e);
	v->context.mode = 1;
	v->context.csrs.stvec = v->ev_base;
	v->context.csrs.satp = SATP_SV39 | v->root / PAGE_BYTES;
}

static enum sanctum_result init(const struct monitor *m, struct enclave *v)
{
	struct hash h = v->hash;
	if (!v->has_thread)
		return SANCTUM_STATE;
	if (!tables_set(v, v->ev_base, 0, v->base,
		    SANCTUM_V | SANCTUM_R | SANCTUM_X))
		return SANCTUM_VALUE;
	hash_end(&h, v->measurement);
	if (!evidence_key(&m->record, v))
		return SANCTUM_FAILED;
	first_context(v);
	return SANCTUM_OK;
}

/* Nothing of it is left for whoever gets that memory next. */
static enum sanctum_result delete (struct enclave *v) {
	memset(monitor_memory(v->base), 0, v->bytes);
	explicit_bzero(v, sizeof *v);
	return SANCTUM_OK;
}

static enum sanctum_result change(struct monitor *m, struct enclave *v,
	uint64_t number, const uint64_t a[6])
{
	switch (number) {
	case SANCTUM_HANDLER:
		return load_handler(m, v, a);
	case SANCTUM_TABLE:
		return load_table(v, a);
	case SANCTUM_PAGE:
		return load_page(m, v, a);
	case SANCTUM_THREAD:
		return load_thread(v, a);
	case SANCTUM_WINDOW:
		return set_window(m, v, a);
	case SANCTUM_INIT:
		return init(m, v);
	default:
		return delete (v);
	}
}

enum sanctum_result enclave_call(struct monitor *m, uint64_t number,
	const uint64_t a[6], uint64_t *value)
{
	enum sanctum_result r;
	*value = 0;
	if (number == SANCTUM_CREATE)
		return create(m, a, value);
	if (number < SANCTUM_CREATE || number > SANCTUM_DELETE ||
		number == SANCTUM_ENTER)
		return SANCTUM_UNKNOWN;
	struct enclave *v = find(m, number, a[0], &r);
	if (!v)
		return r;
	r = change(m, v, number, a);
	if (r == SANCTUM_OK)
		go(v, number);
	return r;
}

struct enclave *enclave_enter(struct monitor *m, uint64_t number,
	enum sanctum_result *why)
{
	struct enclave *v = find(m, SANCTUM_ENTER, number, why);
	if (!v)
		return NULL;
	/* What it waits for, or what it is told first. */
	if (v->entered && !v->interrupted)
		v->context.x[REG_A0] = SANCTUM_OK;
	v->entered = true;
	v->interrupted = false;
	go(v, SANCTUM_ENTER);
	return v;
}

void enclave_protect_inside(const struct enclave *v, struct pmp *p)
{
	*p = (struct pmp){ 0 };
	pmp_add(p, v->base, v->bytes, PMP_R | PMP_W | PMP_X);
	if (v->window_bytes)
		pmp_add(p, v->window_at, v->window_bytes, PMP_R | PMP_W);
}

void enclave_protect_outside(const struct monitor *m, struct pmp *p)
{
	*p = (struct pmp){ 0 };
	pmp_add(p, SANCTUM_UNTRUSTED_AT, m->record.untrusted_bytes,
		PMP_R | PMP_W | PMP_X);
}
