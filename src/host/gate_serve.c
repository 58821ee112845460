/* SPDX-License-Identifier: Apache-2.0 */
#include "host/gate_serve.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "host/gate_priv.h"

/* --- what is legal -------------------------------------------------------- */

struct gate_edge {
	uint8_t phase, op, next;
};

/* Which operation is legal when, and where it leads on success. */
/* clang-format off */
static const struct gate_edge edges[] = {
	{ GATE_PHASE_BOOT,      GATE_EVIDENCE,  GATE_PHASE_ATTESTED  },
	{ GATE_PHASE_BOOT,      GATE_TIME_HINT, GATE_PHASE_BOOT      },
	{ GATE_PHASE_BOOT,      GATE_LOG,       GATE_PHASE_BOOT      },
	{ GATE_PHASE_BOOT,      GATE_EXIT,      GATE_PHASE_GONE      },
	{ GATE_PHASE_ATTESTED,  GATE_PUBLISH,   GATE_PHASE_PUBLISHED },
	{ GATE_PHASE_ATTESTED,  GATE_TIME_HINT, GATE_PHASE_ATTESTED  },
	{ GATE_PHASE_ATTESTED,  GATE_LOG,       GATE_PHASE_ATTESTED  },
	{ GATE_PHASE_ATTESTED,  GATE_EXIT,      GATE_PHASE_GONE      },
	{ GATE_PHASE_PUBLISHED, GATE_LISTEN,    GATE_PHASE_SERVING   },
	{ GATE_PHASE_PUBLISHED, GATE_TIME_HINT, GATE_PHASE_PUBLISHED },
	{ GATE_PHASE_PUBLISHED, GATE_LOG,       GATE_PHASE_PUBLISHED },
	{ GATE_PHASE_PUBLISHED, GATE_EXIT,      GATE_PHASE_GONE      },
	{ GATE_PHASE_SERVING,   GATE_LISTEN,    GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_ACCEPT,    GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_CONNECT,   GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_SEND,      GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_RECV,      GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_SHUTDOWN,  GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_CLOSE,     GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_POLL,      GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_RESOLVE,   GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_TIME_HINT, GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_LOG,       GATE_PHASE_SERVING   },
	{ GATE_PHASE_SERVING,   GATE_EXIT,      GATE_PHASE_GONE      },
};
/* clang-format on */

static const char *const phase_names[GATE_PHASE_COUNT] = { "boot", "attested",
	"published", "serving", "gone" };

enum {
	ON_CHANNELS = 1 << SLOT_CHANNELS,
	ON_LISTENER = 1 << SLOT_LISTENER,
	ON_CHANNEL = 1 << SLOT_CHANNEL,
	ON_STREAM = 1 << SLOT_STREAM,
	ON_LISTENING = ON_CHANNELS | ON_LISTENER,
	ON_BYTES = ON_CHANNEL | ON_STREAM,
	ON_ANY = ON_LISTENING | ON_BYTES,
};

/* The range of each field. */
struct gate_rule {
	const char *name;
	gate_op_serve *serve;
	uint64_t arg0_min, arg0_max, arg1_min, arg1_max;
	uint32_t data_min, data_max;
	unsigned handle; /* kinds that arg0 may name; 0: it is no handle */
	bool in_place;	 /* the data is not looked at, only passed on */
};

static const struct gate_rule rules[GATE_OP_COUNT] = {
	[GATE_EVIDENCE] = { .name = "EVIDENCE",
		.serve = gate_op_evidence,
		.data_max = 4096 },
	[GATE_PUBLISH] = { .name = "PUBLISH",
		.serve = gate_op_publish,
		.data_min = 16,
		.data_max = GATE_DATA_BYTES },
	[GATE_LISTEN] = { .name = "LISTEN",
		.serve = gate_op_listen,
		.arg0_min = GATE_LISTEN_CHANNEL,
		.arg0_max = GATE_LISTEN_TCP,
		.arg1_max = UINT16_MAX },
	[GATE_ACCEPT] = { .name = "ACCEPT",
		.serve = gate_op_accept,
		.handle = ON_LISTENING },
	[GATE_CONNECT] = { .name = "CONNECT",
		.serve = gate_op_connect,
		.data_min = 1,
		.data_max = 512 },
	[GATE_SEND] = { .name = "SEND",
		.serve = gate_op_send,
		.data_min = 1,
		.data_max = GATE_DATA_BYTES,
		.handle = ON_BYTES,
		.in_place = true },
	[GATE_RECV] = { .name = "RECV",
		.serve = gate_op_recv,
		.arg1_min = 1,
		.arg1_max = GATE_DATA_BYTES,
		.handle = ON_BYTES },
	[GATE_SHUTDOWN] = { .name = "SHUTDOWN",
		.serve = gate_op_shutdown,
		.arg1_min = GATE_SHUT_READ,
		.arg1_max = GATE_SHUT_WRITE,
		.handle = ON_BYTES },
	[GATE_CLOSE] = { .name = "CLOSE",
		.serve = gate_op_close,
		.handle = ON_ANY },
	[GATE_POLL] = { .name = "POLL",
		.serve = gate_op_poll,
		.arg0_max = UINT64_MAX,
		.arg1_max = GATE_MAX_POLL,
		.data_max = GATE_DATA_BYTES },
	[GATE_RESOLVE] = { .name = "RESOLVE",
		.serve = gate_op_resolve,
		.data_min = 1,
		.data_max = 253 },
	[GATE_TIME_HINT] = { .name = "TIME_HINT", .serve = gate_op_time_hint },
	[GATE_LOG] = { .name = "LOG", .serve = gate_op_log, .data_max = 1024 },
	[GATE_EXIT] = { .name = "EXIT",
		.serve = gate_op_exit,
		.arg0_max = GATE_EXIT_COUNT - 1 },
};

static const struct gate_edge *find_edge(enum gate_phase phase, uint32_t op)
{
	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		if (edges[i].phase == phase && edges[i].op == op)
			return &edges[i];
	return NULL;
}

static bool check_handle(struct gate_serve *g, const struct gate_rule *rule,
	struct gate_call *c, struct err *e)
{
	struct gate_slot *s = gate_slot_find(g, c->req.arg0);
	if (!s)
		return err_fail(e, ERR_DENIED, "handle %llu not given out",
			(unsigned long long)c->req.arg0);
	if (!(rule->handle >> s->kind & 1))
		return err_fail(e, ERR_DENIED, "handle %llu of another kind",
			(unsigned long long)c->req.arg0);
	c->slot = s;
	return true;
}

static bool check_fields(struct gate_serve *g, const struct gate_rule *rule,
	struct gate_call *c, struct err *e)
{
	const struct gate_request *r = &c->req;
	if (r->reserved_1c)
		return err_fail(e, ERR_DENIED, "reserved bytes");
	if (!rule->handle &&
		(r->arg0 < rule->arg0_min || r->arg0 > rule->arg0_max))
		return err_fail(e, ERR_DENIED, "arg0 out of range");
	if (r->arg1 < rule->arg1_min || r->arg1 > rule->arg1_max)
		return err_fail(e, ERR_DENIED, "arg1 out of range");
	if (r->data_len < rule->data_min || r->data_len > rule->data_max)
		return err_fail(e, ERR_DENIED, "%u bytes of data", r->data_len);
	return !rule->handle || check_handle(g, rule, c, e);
}

static bool judge(struct gate_serve *g, struct gate_call *c,
	const struct gate_edge **edge, struct err *e)
{
	const struct gate_request *r = &c->req;
	if (g->waiter.on)
		return err_fail(e, ERR_DENIED, "rang while it waited");
	if (r->op == 0 || r->op >= GATE_OP_COUNT)
		return err_fail(e, ERR_DENIED, "operation %u unknown", r->op);
	const struct gate_rule *rule = &rules[r->op];
	if (r->seq != g->seq + 1)
		return err_fail(e, ERR_DENIED, "%s: sequence %u, not %u",
			rule->name, r->seq, g->seq + 1);
	*edge = find_edge(g->phase, r->op);
	if (!*edge)
		return err_fail(e, ERR_DENIED, "%s in phase %s", rule->name,
			phase_names[g->phase]);
	if (!check_fields(g, rule, c, e))
		return err_wrap(e, "%s", rule->name);
	return true;
}

/* --- serving -------------------------------------------------------------- */

/* One copy, and nothing read from `from` again: the Keep writes it still. */
static void copy_once(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
	__asm__ volatile("" ::: "memory");
}

static bool copy_data(struct gate_serve *g, size_t n, struct err *e)
{
	buf_clear(&g->copy);
	if (n == 0)
		return true;
	uint8_t *to = buf_reserve(&g->copy, n);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	copy_once(to, g->area->data, n);
	buf_commit(&g->copy, n);
	return true;
}

bool gate_serve_request(struct gate_serve *g, enum gate_turn *turn,
	struct err *e)
{
	struct gate_call c = { .turn = GATE_TURN_KEEP };
	const struct gate_edge *edge = NULL;
	copy_once(&c.req, &g->area->request, sizeof c.req);
	if (!judge(g, &c, &edge, e))
		return err_wrap(e, "gate");
	const struct gate_rule *rule = &rules[c.req.op];
	g->seq = c.reply.seq = c.req.seq;
	if (!copy_data(g, rule->in_place ? 0 : c.req.data_len, e) ||
		!rule->serve(g, &c, e))
		return err_wrap(e, "gate: %s", rule->name);
	if (c.reply.error == GATE_OK)
		g->phase = edge->next;
	if (c.turn == GATE_TURN_KEEP)
		g->area->reply = c.reply;
	*turn = c.turn;
	return true;
}

/* --- waiting -------------------------------------------------------------- */

uint64_t gate_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const struct gate_slot *waited(const struct gate_serve *g, size_t i)
{
	return &g->slots[g->waiter.list[i].handle - 1];
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct gate_slot *slot_of(struct gate_serve *g, size_t i)
{
	return &g->slots[g->waiter.list[i].handle - 1];
}

static bool past(uint64_t deadline)
{
	return deadline != UINT64_MAX && deadline <= gate_now_ns();
}

static int64_t until(uint64_t deadline)
{
	uint64_t now = gate_now_ns();
	if (deadline == UINT64_MAX)
		return -1;
	return deadline > now ? (int64_t)(deadline - now) : 0;
}

/* A listener whose connections there is no room for keeps quiet. */
static bool holds_back(const struct gate_serve *g, const struct gate_slot *s)
{
	return s->kind == SLOT_LISTENER &&
		(!gate_net_room(g) || s->rest_ns > gate_now_ns());
}

static short poll_events(const struct gate_serve *g, const struct gate_slot *s,
	unsigned want)
{
	unsigned events = 0;
	if (s->dial)
		return POLLOUT;
	if (want & GATE_IN && !holds_back(g, s))
		events |= POLLIN;
	if (want & GATE_OUT)
		events |= POLLOUT;
	return (short)events;
}

size_t gate_serve_watch(const struct gate_serve *g, struct pollfd *fds,
	int64_t *timeout_ns)
{
	*timeout_ns = -1;
	if (!g->waiter.on)
		return 0;
	uint64_t due = g->waiter.deadline_ns;
	for (size_t i = 0; i < g->waiter.count; i++) {
		const struct gate_slot *s = waited(g, i);
		unsigned want = g->waiter.list[i].want;
		fds[i] = (struct pollfd){ .fd = s->fd,
			.events = poll_events(g, s, want) };
		if (s->dial)
			due = lesser(due, gate_dial_due(s->dial));
		if (s->rest_ns > gate_now_ns())
			due = lesser(due, s->rest_ns);
		if (s->error != GATE_OK ||
			(s->kind == SLOT_CHANNELS && g->queue.count &&
				want & GATE_IN))
			due = 0;
	}
	*timeout_ns = until(due);
	return g->waiter.count;
}

static uint16_t events(const struct gate_serve *g, const struct gate_slot *s,
	uint16_t want, const struct pollfd *p)
{
	unsigned got = 0;
	if (s->kind == SLOT_CHANNELS)
		return g->queue.count ? want & GATE_IN : 0;
	if (s->dial)
		return 0;
	if (s->error != GATE_OK)
		return GATE_HUP;
	if (p->revents & POLLIN)
		got |= want & GATE_IN;
	if (p->revents & POLLOUT)
		got |= want & GATE_OUT;
	if (p->revents & (POLLHUP | POLLERR | POLLNVAL))
		got |= GATE_HUP;
	return (uint16_t)got;
}

/* Takes what is there for those who asked for it, while the area has room;
 * what can't be taken is still there for RECV.  Where the data ends. */
static size_t take_all(struct gate_serve *g, size_t at)
{
	struct gate_waiter *w = &g->waiter;
	for (size_t i = 0; i < w->count; i++) {
		struct gate_poll *p = &w->list[i];
		size_t most = size_min(p->most, GATE_DATA_BYTES - at), n;
		if (!(p->got & GATE_IN) || !most ||
			gate_slot_recv(g, slot_of(g, i), g->area->data + at,
				most, &n) != GATE_OK)
			continue;
		p->taken = (uint32_t)n;
		p->got |= n ? 0 : GATE_END;
		at += n;
	}
	return at;
}

static void answer_wait(struct gate_serve *g, size_t ready,
	enum gate_turn *turn)
{
	struct gate_waiter *w = &g->waiter;
	size_t polls = w->count * sizeof w->list[0];
	size_t sent = w->sent_count * sizeof w->sent[0];
	size_t len = take_all(g, polls + sent);
	w->on = false;
	memcpy(g->area->data, w->list, polls);
	memcpy(g->area->data + polls, w->sent, sent);
	g->area->reply = (struct gate_reply){ .seq = g->seq,
		.ret0 = ready,
		.data_len = (uint32_t)len };
	*turn = GATE_TURN_KEEP;
}

void gate_serve_wake(struct gate_serve *g, const struct pollfd *fds,
	enum gate_turn *turn)
{
	struct gate_waiter *w = &g->waiter;
	size_t ready = 0;
	*turn = GATE_TURN_WAIT;
	if (!w->on)
		return;
	for (size_t i = 0; i < w->count; i++) {
		struct gate_slot *s = slot_of(g, i);
		/* What a dial's socket said is the dial's. */
		bool dialled = s->dial != NULL;
		if (dialled)
			gate_dial_step(s, fds[i].revents != 0);
		w->list[i].got = dialled && s->error == GATE_OK && !s->dial ?
			w->list[i].want & GATE_OUT :
			events(g, s, w->list[i].want, &fds[i]);
		ready += w->list[i].got != 0;
	}
	if (ready || past(w->deadline_ns))
		answer_wait(g, ready, turn);
}

void gate_serve_answer(struct gate_serve *g, const struct gate_answer *a,
	enum gate_turn *turn)
{
	*turn = GATE_TURN_WAIT;
	for (size_t i = 0; i < ARRAY_LEN(g->lookups); i++)
		if (a->id && g->lookups[i].id == a->id) {
			g->lookups[i].answer = *a;
			g->lookups[i].done = true;
		}
	for (size_t i = 0; i < GATE_MAX_HANDLES; i++) {
		struct gate_slot *s = &g->slots[i];
		if (s->dial && a->id && s->dial->lookup == a->id)
			gate_dial_answer(g, s, a);
	}
	/* Nothing is ready, but RESOLVE knows more now. */
	if (!g->waiter.on || !gate_dial_news(g))
		return;
	for (size_t i = 0; i < g->waiter.count; i++)
		g->waiter.list[i].got = 0;
	answer_wait(g, 0, turn);
}

/* --- life ----------------------------------------------------------------- */

static bool bind_ports(struct gate_serve *g, struct err *e)
{
	if (g->grants.port_count > GATE_MAX_PORTS)
		return err_fail(e, ERR_LIMIT, "gate: %zu ports",
			g->grants.port_count);
	for (size_t i = 0; i < g->grants.port_count; i++)
		if (!gate_net_bind(&g->grants.ports[i], &g->ports[i], e))
			return err_wrap(e, "gate");
	return true;
}

bool gate_serve_new(struct gate_area *area, const struct gate_sink *sink,
	const struct gate_grants *grants, struct gate_serve **out,
	struct err *e)
{
	struct gate_serve *g = calloc(1, sizeof *g);
	if (!g)
		return err_fail(e, ERR_LIMIT, "gate: no memory");
	g->area = area;
	g->sink = *sink;
	if (grants)
		g->grants = *grants;
	g->copy.limit = GATE_DATA_BYTES;
	for (size_t i = 0; i < ARRAY_LEN(g->ports); i++)
		g->ports[i] = -1;
	if (!bind_ports(g, e)) {
		gate_serve_free(g);
		return false;
	}
	*out = g;
	return true;
}

static bool refuse_channel(struct gate_serve *g, int fd, uint64_t channel,
	struct err *e)
{
	shutdown(fd, SHUT_WR);
	close(fd);
	return g->sink.closed(g->sink.ctx, channel, 0, 0, e);
}

bool gate_serve_channel(struct gate_serve *g, int fd, uint64_t channel,
	struct err *e)
{
	struct gate_queue *q = &g->queue;
	if (!gate_net_is_stream(fd) || q->count == ARRAY_LEN(q->entry))
		return refuse_channel(g, fd, channel, e);
	size_t at = (q->first + q->count++) % ARRAY_LEN(q->entry);
	q->entry[at].fd = fd;
	q->entry[at].channel = channel;
	return true;
}

void gate_serve_free(struct gate_serve *g)
{
	if (!g)
		return;
	struct gate_queue *q = &g->queue;
	for (; q->count; q->count--, q->first++) {
		size_t at = q->first % ARRAY_LEN(q->entry);
		(void)!refuse_channel(g, q->entry[at].fd, q->entry[at].channel,
			NULL);
	}
	for (size_t i = 0; i < GATE_MAX_HANDLES; i++)
		if (g->slots[i].kind != SLOT_FREE)
			(void)!gate_slot_close(g, &g->slots[i], NULL);
	for (size_t i = 0; i < ARRAY_LEN(g->ports); i++)
		cleanup_fd(&g->ports[i]);
	buf_fini(&g->copy);
	free(g);
}

enum gate_phase gate_serve_phase(const struct gate_serve *g)
{
	return g->phase;
}

enum gate_exit gate_serve_reason(const struct gate_serve *g)
{
	return g->reason;
}

const char *gate_serve_note(const struct gate_serve *g)
{
	return g->note;
}

const char *gate_exit_name(enum gate_exit reason)
{
	static const char *const names[GATE_EXIT_COUNT] = { "done", "stopped",
		"idle", "protocol", "host", "limit", "internal" };
	return (unsigned)reason < GATE_EXIT_COUNT ? names[reason] : "internal";
}
