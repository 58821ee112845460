/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state table.  Frames of the two sides cross on the wire, so each side
 * has a state of its own, moved by its own frames only.  What one side may
 * say only after the other said something is a *fact*: facts are made once
 * and never unmade, so both ends agree on them whatever crossed.
 * docs/protocol.md, "States", is this table in prose.
 */
#include "channel/frame.h"

#include "base/must.h"

enum client_state {
	CLIENT_NEW,
	CLIENT_LOADING,
	CLIENT_OBJECT, /* DATA of a FILE, TRUST or MODULE is due */
	CLIENT_RUNNING,
	CLIENT_ATTACHED,
	CLIENT_LOGS,
	CLIENT_STOP,
	CLIENT_STATUS,
	CLIENT_OVER,
};

enum keep_state {
	KEEP_NEW,
	KEEP_GREETED,
	KEEP_RUNNING,
	KEEP_OBJECT, /* DATA of a result FILE is due */
	KEEP_RESULTS,
	KEEP_DONE, /* results complete: EXIT is due */
	KEEP_LOGS,
	KEEP_STOP,
	KEEP_OVER,
};

static const char *const client_names[] = { "new", "loading", "object",
	"running", "attached", "logs", "stop", "status", "over" };
static const char *const keep_names[] = { "new", "greeted", "running", "object",
	"results", "done", "logs", "stop", "over" };

enum fact {
	F_HELLO = 0x001,  /* the client said HELLO */
	F_DEPLOY = 0x002, /* what for */
	F_ATTACH = 0x004,
	F_LOGS = 0x008,
	F_STOP = 0x010,
	F_CONFIG = 0x020, /* the client said CONFIG, TIME, MODULE, START */
	F_TIME = 0x040,
	F_MODULE = 0x080,
	F_START = 0x100,
	F_RUNS = 0x200,	    /* the Keep said START, or STATUS to ATTACH */
	F_EOF = 0x400,	    /* the client ended standard input */
	F_FROM = 0x800,	    /* the client said LOGS */
	F_RECEIPT = 0x1000, /* the Keep said RECEIPT */
	F_STATUS = 0x2000,  /* the client came for STATUS */
};

/* talk.state: client's state, Keep's state, facts. */
enum { KEEP_SHIFT = 4, FACT_SHIFT = 8, STATE_MASK = 15 };

enum { C = FRAME_FROM_CLIENT, K = FRAME_FROM_KEEP, NO_ROLE = -1 };

struct edge {
	int side;
	unsigned from; /* the side's own state */
	unsigned type;
	int role;	/* of HELLO; NO_ROLE: any frame but HELLO */
	unsigned needs; /* facts that must be */
	unsigned bars;	/* facts that must not be yet */
	unsigned makes;
	unsigned to; /* *_OBJECT only when bytes are due */
};

/* ERROR is legal in every state but OVER and is not listed. */
/* clang-format off */
static const struct edge frame_edges[] = {
	{ C, CLIENT_NEW, FRAME_HELLO, FRAME_ROLE_DEPLOY, 0, 0, F_HELLO | F_DEPLOY, CLIENT_LOADING },
	{ C, CLIENT_NEW, FRAME_HELLO, FRAME_ROLE_ATTACH, 0, 0, F_HELLO | F_ATTACH, CLIENT_ATTACHED },
	{ C, CLIENT_NEW, FRAME_HELLO, FRAME_ROLE_LOGS,   0, 0, F_HELLO | F_LOGS,   CLIENT_LOGS },
	{ C, CLIENT_NEW, FRAME_HELLO, FRAME_ROLE_STOP,   0, 0, F_HELLO | F_STOP,   CLIENT_STOP },
	{ C, CLIENT_NEW, FRAME_HELLO, FRAME_ROLE_STATUS, 0, 0, F_HELLO | F_STATUS, CLIENT_STATUS },

	{ C, CLIENT_LOADING,  FRAME_CONFIG, NO_ROLE, 0, F_CONFIG, F_CONFIG, CLIENT_LOADING },
	{ C, CLIENT_LOADING,  FRAME_TIME,   NO_ROLE, 0, F_TIME, F_TIME, CLIENT_LOADING },
	{ C, CLIENT_LOADING,  FRAME_FILE,   NO_ROLE, F_CONFIG, 0, 0, CLIENT_OBJECT },
	{ C, CLIENT_LOADING,  FRAME_TRUST,  NO_ROLE, F_CONFIG, 0, 0, CLIENT_OBJECT },
	{ C, CLIENT_LOADING,  FRAME_MODULE, NO_ROLE, F_CONFIG, F_MODULE, F_MODULE, CLIENT_OBJECT },
	{ C, CLIENT_LOADING,  FRAME_PACKAGE, NO_ROLE, F_CONFIG, 0, 0, CLIENT_OBJECT },
	{ C, CLIENT_OBJECT,   FRAME_DATA,   NO_ROLE, 0, 0, 0, CLIENT_OBJECT },
	{ C, CLIENT_LOADING,  FRAME_START,  NO_ROLE, F_CONFIG | F_MODULE, 0, F_START, CLIENT_RUNNING },
	{ C, CLIENT_RUNNING,  FRAME_SIGNAL, NO_ROLE, 0, 0, 0, CLIENT_RUNNING },
	{ C, CLIENT_RUNNING,  FRAME_STDIN,  NO_ROLE, F_RUNS, F_EOF, 0, CLIENT_RUNNING },
	{ C, CLIENT_ATTACHED, FRAME_SIGNAL, NO_ROLE, F_RUNS, 0, 0, CLIENT_ATTACHED },
	{ C, CLIENT_ATTACHED, FRAME_STDIN,  NO_ROLE, F_RUNS, F_EOF, 0, CLIENT_ATTACHED },
	{ C, CLIENT_LOGS,     FRAME_LOGS,   NO_ROLE, 0, F_FROM, F_FROM, CLIENT_LOGS },

	{ K, KEEP_NEW,     FRAME_HELLO,  FRAME_ROLE_KEEP, F_HELLO, 0, 0, KEEP_GREETED },
	{ K, KEEP_GREETED, FRAME_START,  NO_ROLE, F_START, 0, F_RUNS, KEEP_RUNNING },
	{ K, KEEP_GREETED, FRAME_EXIT,   NO_ROLE, F_START, 0, 0, KEEP_OVER },
	{ K, KEEP_GREETED, FRAME_STATUS, NO_ROLE, F_ATTACH, 0, F_RUNS, KEEP_RUNNING },
	{ K, KEEP_GREETED, FRAME_STATUS, NO_ROLE, F_LOGS, 0, 0, KEEP_LOGS },
	{ K, KEEP_GREETED, FRAME_STATUS, NO_ROLE, F_STOP, 0, 0, KEEP_STOP },
	{ K, KEEP_GREETED, FRAME_STATUS, NO_ROLE, F_STATUS, 0, 0, KEEP_OVER },

	{ K, KEEP_RUNNING, FRAME_STDOUT, NO_ROLE, 0, 0, 0, KEEP_RUNNING },
	{ K, KEEP_RUNNING, FRAME_STDERR, NO_ROLE, 0, 0, 0, KEEP_RUNNING },
	{ K, KEEP_RUNNING, FRAME_CREDIT, NO_ROLE, 0, 0, 0, KEEP_RUNNING },
	{ K, KEEP_RUNNING, FRAME_FILE,   NO_ROLE, 0, 0, 0, KEEP_OBJECT },
	{ K, KEEP_RUNNING, FRAME_RESULTS_END, NO_ROLE, 0, 0, 0, KEEP_DONE },
	{ K, KEEP_RUNNING, FRAME_EXIT,   NO_ROLE, 0, 0, 0, KEEP_OVER },
	{ K, KEEP_OBJECT,  FRAME_DATA,   NO_ROLE, 0, 0, 0, KEEP_OBJECT },
	{ K, KEEP_RESULTS, FRAME_FILE,   NO_ROLE, 0, 0, 0, KEEP_OBJECT },
	{ K, KEEP_RESULTS, FRAME_RESULTS_END, NO_ROLE, 0, 0, 0, KEEP_DONE },
	{ K, KEEP_RUNNING, FRAME_RECEIPT, NO_ROLE, 0, F_RECEIPT, F_RECEIPT, KEEP_DONE },
	{ K, KEEP_DONE,    FRAME_RECEIPT, NO_ROLE, 0, F_RECEIPT, F_RECEIPT, KEEP_DONE },
	{ K, KEEP_DONE,    FRAME_EXIT,   NO_ROLE, 0, 0, 0, KEEP_OVER },

	{ K, KEEP_LOGS,    FRAME_STDOUT, NO_ROLE, F_FROM, 0, 0, KEEP_LOGS },
	{ K, KEEP_LOGS,    FRAME_STDERR, NO_ROLE, F_FROM, 0, 0, KEEP_LOGS },
	{ K, KEEP_LOGS,    FRAME_EXIT,   NO_ROLE, F_FROM, 0, 0, KEEP_OVER },
	{ K, KEEP_STOP,    FRAME_RECEIPT, NO_ROLE, 0, F_RECEIPT, F_RECEIPT, KEEP_STOP },
	{ K, KEEP_STOP,    FRAME_EXIT,   NO_ROLE, 0, 0, 0, KEEP_OVER },
};
/* clang-format on */

/* Names, and the lengths that a payload can have. */
static const struct frame_kind {
	const char *name;
	uint32_t min, max;
} kinds[FRAME_TYPE_COUNT] = {
	[FRAME_HELLO] = { "HELLO", 16, 16 },
	[FRAME_CONFIG] = { "CONFIG", 1, FRAME_MAX_PAYLOAD },
	[FRAME_MODULE] = { "MODULE", 40, 40 },
	[FRAME_FILE] = { "FILE", 59, 58 + FRAME_MAX_PATH },
	[FRAME_DATA] = { "DATA", 1, FRAME_MAX_PAYLOAD },
	[FRAME_TIME] = { "TIME", 8, 8 },
	[FRAME_START] = { "START", 0, 0 },
	[FRAME_STDIN] = { "STDIN", 0, FRAME_MAX_PAYLOAD },
	[FRAME_STDOUT] = { "STDOUT", 0, FRAME_MAX_PAYLOAD },
	[FRAME_STDERR] = { "STDERR", 0, FRAME_MAX_PAYLOAD },
	[FRAME_CREDIT] = { "CREDIT", 4, 4 },
	[FRAME_SIGNAL] = { "SIGNAL", 4, 4 },
	[FRAME_EXIT] = { "EXIT", 50, 50 + FRAME_EXIT_TEXT_MAX },
	[FRAME_ERROR] = { "ERROR", 1, 1 + FRAME_ERROR_TEXT_MAX },
	[FRAME_STATUS] = { "STATUS", 32, 32 },
	[FRAME_LOGS] = { "LOGS", 8, 8 },
	[FRAME_RESULTS_END] = { "RESULTS_END", 0, 0 },
	[FRAME_PACKAGE] = { "PACKAGE", 44, 44 },
	[FRAME_RECEIPT] = { "RECEIPT", 6, 4096 },
	[FRAME_TRUST] = { "TRUST", 44, 44 },
};

const char *frame_type_name(unsigned type)
{
	if (type >= FRAME_TYPE_COUNT || !kinds[type].name)
		return "?";
	return kinds[type].name;
}

static bool check_length(unsigned type, size_t len, struct err *e)
{
	if (type >= FRAME_TYPE_COUNT || !kinds[type].name)
		return err_fail(e, ERR_INPUT, "frame of unknown type %u", type);
	if (len < kinds[type].min || len > kinds[type].max)
		return err_fail(e, ERR_INPUT,
			"frame %s: payload of %zu bytes, %u to %u allowed",
			kinds[type].name, len, kinds[type].min,
			kinds[type].max);
	return true;
}

void frame_head_put(uint8_t out[FRAME_HEAD], unsigned type, size_t len)
{
	memset(out, 0, FRAME_HEAD);
	out[0] = (uint8_t)type;
	for (size_t i = 0; i < 4; i++)
		out[4 + i] = (uint8_t)(len >> (8 * i));
}

bool frame_head_parse(struct bytes head, unsigned *type, size_t *len,
	struct err *e)
{
	struct reader r = { .in = head };
	unsigned t = reader_u8(&r);
	unsigned zeros = reader_u8(&r);
	zeros |= reader_u16le(&r);
	size_t n = reader_u32le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "frame head: %zu bytes",
			head.len);
	if (!check_length(t, n, e))
		return false;
	if (zeros)
		return err_fail(e, ERR_INPUT, "frame %s: reserved bits set",
			frame_type_name(t));
	*type = t;
	*len = n;
	return true;
}

bool frame_talk_over(const struct frame_talk *t)
{
	return (t->state >> KEEP_SHIFT & STATE_MASK) == KEEP_OVER;
}

static bool refuse(const struct frame_talk *t, enum frame_side side,
	unsigned type, struct err *e)
{
	unsigned client = t->state & STATE_MASK;
	unsigned keep = t->state >> KEEP_SHIFT & STATE_MASK;
	must(client < ARRAY_LEN(client_names) && keep < ARRAY_LEN(keep_names));
	return err_fail(e, ERR_INPUT,
		"frame %s from the %s is illegal now (client %s, Keep %s)",
		frame_type_name(type),
		side == FRAME_FROM_CLIENT ? "client" : "Keep",
		client_names[client], keep_names[keep]);
}

static const struct edge *find(const struct frame_talk *t, enum frame_side side,
	unsigned type, int role)
{
	unsigned own = t->state >> (side == FRAME_FROM_KEEP ? KEEP_SHIFT : 0) &
		STATE_MASK;
	unsigned facts = t->state >> FACT_SHIFT;
	for (size_t i = 0; i < ARRAY_LEN(frame_edges); i++) {
		const struct edge *d = &frame_edges[i];
		if (d->side == (int)side && d->from == own && d->type == type &&
			d->role == role && (facts & d->needs) == d->needs &&
			!(facts & d->bars))
			return d;
	}
	return NULL;
}

/* What the payload says about bytes that may follow or were due. */
static bool account(struct frame_talk *t, unsigned type, struct bytes payload,
	unsigned *facts, struct err *e)
{
	struct reader r = { .in = payload };
	uint64_t n = payload.len;
	switch (type) {
	case FRAME_FILE: /* mount, mode, mtime stand before the size */
		reader_take(&r, 16);
		FALLTHROUGH;
	case FRAME_PACKAGE:
		if (type == FRAME_PACKAGE)
			reader_take(&r, 4);
		FALLTHROUGH;
	case FRAME_MODULE:
	case FRAME_TRUST:
		t->data_left = reader_u64le(&r);
		break;
	case FRAME_DATA:
		if (n > t->data_left)
			return err_fail(e, ERR_INPUT,
				"frame DATA: %zu bytes, only %llu due",
				payload.len, (unsigned long long)t->data_left);
		t->data_left -= n;
		break;
	case FRAME_STDIN:
		if (n > t->credit)
			return err_fail(e, ERR_INPUT,
				"frame STDIN: %zu bytes, credit is %llu",
				payload.len, (unsigned long long)t->credit);
		t->credit -= n;
		if (n == 0)
			*facts |= F_EOF;
		break;
	case FRAME_CREDIT:
		n = reader_u32le(&r);
		if (n == 0 || __builtin_add_overflow(t->credit, n, &t->credit))
			return err_fail(e, ERR_INPUT, "frame CREDIT: amount");
		break;
	default:
		break;
	}
	return true;
}

static unsigned pack(unsigned client, unsigned keep, unsigned facts)
{
	return client | keep << KEEP_SHIFT | facts << FACT_SHIFT;
}

/* An object without bytes is complete at once. */
static unsigned settle(unsigned to, enum frame_side side, uint64_t left)
{
	if (left)
		return to;
	if (side == FRAME_FROM_CLIENT && to == CLIENT_OBJECT)
		return CLIENT_LOADING;
	if (side == FRAME_FROM_KEEP && to == KEEP_OBJECT)
		return KEEP_RESULTS;
	return to;
}

bool frame_step(struct frame_talk *t, enum frame_side side, unsigned type,
	struct bytes payload, struct err *e)
{
	struct frame_talk next = *t;
	unsigned client = t->state & STATE_MASK;
	unsigned keep = t->state >> KEEP_SHIFT & STATE_MASK;
	unsigned facts = t->state >> FACT_SHIFT;
	int role = NO_ROLE;

	if (!check_length(type, payload.len, e))
		return false;
	if (type == FRAME_ERROR) {
		if (client == CLIENT_OVER ||
			(side == FRAME_FROM_KEEP && keep == KEEP_OVER))
			return refuse(t, side, type, e);
		t->state = pack(CLIENT_OVER, KEEP_OVER, facts);
		return true;
	}
	if (type == FRAME_HELLO) {
		enum frame_role said;
		if (!frame_hello_parse(payload, &said, e))
			return false;
		role = (int)said;
	}
	const struct edge *d = find(t, side, type, role);
	if (!d)
		return refuse(t, side, type, e);
	facts |= d->makes;
	if (!account(&next, type, payload, &facts, e))
		return false;
	unsigned to = settle(d->to, side, next.data_left);
	if (side == FRAME_FROM_CLIENT)
		next.state = pack(to, keep, facts);
	else
		next.state = pack(client, to, facts);
	*t = next;
	return true;
}
