/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/gate.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"
#include "base/reader.h"

static const char *const op_names[GATE_OP_COUNT] = { "?", "EVIDENCE", "PUBLISH",
	"LISTEN", "ACCEPT", "CONNECT", "SEND", "RECV", "SHUTDOWN", "CLOSE",
	"POLL", "RESOLVE", "TIME_HINT", "LOG", "EXIT" };

/* One copy, and nothing read from `from` again: the host writes it still. */
static void copy_once(void *to, const void *from, size_t n)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(to, from, n);
	__asm__ volatile("" ::: "memory");
}

/* The host lied, or is gone: `g` is lost, and keeps the first reason. */
#define lie(g, e, ...)                                                \
	(err_put(&(g)->lie, ERR_HOST, __VA_ARGS__), (g)->lost = true, \
		lost((g), (e)))

static bool lost(const struct keep_gate *g, struct err *e)
{
	return err_fail(e, ERR_HOST, "%s", g->lie.text);
}

static bool boot_check(struct keep_gate *g, struct err *e)
{
	uint32_t head[2];
	copy_once(head, g->area, sizeof head);
	copy_once(&g->boot, &g->area->boot, sizeof g->boot);
	const struct gate_boot *b = &g->boot;
	if (head[0] != GATE_MAGIC)
		return lie(g, e, "gate: magic 0x%x", head[0]);
	if (head[1] != GATE_VERSION)
		return lie(g, e, "gate: version %u unknown", head[1]);
	if (b->version != 1)
		return lie(g, e, "gate: boot version %u unknown", b->version);
	if (b->tee < GATE_TEE_PROCESS || b->tee > GATE_TEE_PEF)
		return lie(g, e, "gate: technology %u unknown", b->tee);
	if (!bytes_all_zero(BYTES_ARRAY(b->reserved_58)))
		return lie(g, e, "gate: boot reserved bytes");
	return true;
}

bool keep_gate_open(struct keep_gate *g, int bell, int area, struct err *e)
{
	*g = (struct keep_gate){ .bell = bell };
	void *p = mmap(NULL, GATE_AREA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED, area, 0);
	if (p == MAP_FAILED)
		return lie(g, e, "gate: area: errno %d", errno);
	g->area = p;
	return boot_check(g, e);
}

void keep_gate_close(struct keep_gate *g)
{
	if (g->area)
		munmap(g->area, GATE_AREA_BYTES);
	*g = (struct keep_gate){ .lost = true };
	err_put(&g->lie, ERR_HOST, "gate: closed");
}

static bool ring(struct keep_gate *g)
{
	static const uint8_t one = 1;
	ssize_t n;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	do
		n = write(g->bell, &one, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static bool await(struct keep_gate *g)
{
	uint8_t byte;
	ssize_t n;
	do
		n = read(g->bell, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void put_request(struct keep_gate *g, enum gate_op op, uint64_t arg0,
	uint64_t arg1, size_t data_len)
{
	must(data_len <= GATE_DATA_BYTES);
	g->area->request = (struct gate_request){
		.op = op,
		.seq = ++g->seq,
		.arg0 = arg0,
		.arg1 = arg1,
		.data_len = (uint32_t)data_len,
	};
}

/* What holds for every reply; `max`: most bytes of output it may have. */
static bool judge(struct keep_gate *g, enum gate_op op,
	const struct gate_reply *r, size_t max, struct err *e)
{
	const char *name = op_names[op];
	if (r->seq != g->seq)
		return lie(g, e, "gate: %s: sequence %u, not %u", name, r->seq,
			g->seq);
	if (r->error >= GATE_ERROR_COUNT)
		return lie(g, e, "gate: %s: error %u unknown", name, r->error);
	if (r->reserved_14 || r->reserved_18)
		return lie(g, e, "gate: %s: reserved bytes", name);
	if (r->error && (r->data_len || r->ret0))
		return lie(g, e, "gate: %s: results beside an error", name);
	if (r->data_len > max)
		return lie(g, e, "gate: %s: %u bytes of at most %zu", name,
			r->data_len, max);
	return true;
}

/* The request's input, data_len bytes, stands in the area already. */
static bool ask(struct keep_gate *g, enum gate_op op, uint64_t arg0,
	uint64_t arg1, size_t data_len, size_t max, struct gate_reply *r,
	struct err *e)
{
	if (g->lost)
		return lost(g, e);
	put_request(g, op, arg0, arg1, data_len);
	if (!ring(g) || !await(g))
		return lie(g, e, "gate: %s: the host is gone", op_names[op]);
	copy_once(r, &g->area->reply, sizeof *r);
	return judge(g, op, r, max, e);
}

/* For operations whose reply is an error code and nothing more. */
static bool no_result(struct keep_gate *g, enum gate_op op,
	const struct gate_reply *r, struct err *e)
{
	if (r->ret0)
		return lie(g, e, "gate: %s: a result where there is none",
			op_names[op]);
	return true;
}

/* For operations that a Keep cannot live without. */
static bool needed(enum gate_op op, const struct gate_reply *r, struct err *e)
{
	if (r->error != GATE_OK)
		return err_fail(e, ERR_HOST, "gate: %s: refused, error %u",
			op_names[op], r->error);
	return true;
}

/* --- handles ------------------------------------------------------------ */

static bool is_open(const struct keep_gate *g, uint64_t handle)
{
	return handle >= 1 && handle <= GATE_MAX_HANDLES &&
		g->open[handle / 8] >> handle % 8 & 1;
}

static void set_open(struct keep_gate *g, uint64_t handle, bool open)
{
	uint8_t bit = (uint8_t)(1u << handle % 8);
	if (open)
		g->open[handle / 8] |= bit;
	else
		g->open[handle / 8] &= (uint8_t)~bit;
}

static bool new_handle(struct keep_gate *g, enum gate_op op,
	const struct gate_reply *r, uint32_t *handle, struct err *e)
{
	if (r->ret0 < 1 || r->ret0 > GATE_MAX_HANDLES)
		return lie(g, e, "gate: %s: handle %llu out of range",
			op_names[op], (unsigned long long)r->ret0);
	if (is_open(g, r->ret0))
		return lie(g, e, "gate: %s: handle %u given out twice",
			op_names[op], (unsigned)r->ret0);
	set_open(g, r->ret0, true);
	*handle = (uint32_t)r->ret0;
	return true;
}

/* --- requests ----------------------------------------------------------- */

static bool part(struct reader *r, size_t max, struct buf *out)
{
	size_t n = reader_u32le(r);
	return n <= max && buf_put(out, reader_take(r, n));
}

bool keep_gate_evidence(struct keep_gate *g, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	size_t max =
		KEEP_GATE_EVIDENCE_MAX + KEEP_GATE_ENDORSEMENTS_MAX + 2 * 4;
	struct gate_reply r;
	must(request.len <= GATE_DATA_BYTES);
	memcpy(g->area->data, request.ptr, request.len);
	if (!ask(g, GATE_EVIDENCE, 0, 0, request.len, max, &r, e) ||
		!needed(GATE_EVIDENCE, &r, e) ||
		!no_result(g, GATE_EVIDENCE, &r, e))
		return false;
	auto_buf copy = { .len = 0 };
	uint8_t *to = buf_reserve(&copy, r.data_len);
	if (!to)
		return err_fail(e, ERR_LIMIT, "gate: EVIDENCE: no memory");
	copy_once(to, g->area->data, r.data_len);
	struct reader in = { .in = bytes_of(to, r.data_len) };
	if (!part(&in, KEEP_GATE_EVIDENCE_MAX, evidence) ||
		!part(&in, KEEP_GATE_ENDORSEMENTS_MAX, endorsements) ||
		!reader_done(&in))
		return lie(g, e, "gate: EVIDENCE: lengths inside the reply");
	return true;
}

bool keep_gate_publish(struct keep_gate *g, const struct bytes parts[4],
	struct err *e)
{
	struct gate_reply r;
	size_t at = 0;
	for (size_t i = 0; i < 4; i++) {
		uint32_t n = (uint32_t)parts[i].len;
		if (parts[i].len > GATE_DATA_BYTES - at - sizeof n ||
			at + sizeof n > GATE_DATA_BYTES)
			return err_fail(e, ERR_LIMIT, "gate: PUBLISH: too big");
		memcpy(g->area->data + at, &n, sizeof n);
		if (n)
			memcpy(g->area->data + at + sizeof n, parts[i].ptr, n);
		at += sizeof n + n;
	}
	return ask(g, GATE_PUBLISH, 0, 0, at, 0, &r, e) &&
		needed(GATE_PUBLISH, &r, e) &&
		no_result(g, GATE_PUBLISH, &r, e);
}

bool keep_gate_listen(struct keep_gate *g, enum gate_listen what, uint16_t port,
	uint32_t *handle, struct err *e)
{
	struct gate_reply r;
	return ask(g, GATE_LISTEN, what, port, 0, 0, &r, e) &&
		needed(GATE_LISTEN, &r, e) &&
		new_handle(g, GATE_LISTEN, &r, handle, e);
}

bool keep_gate_listen_tcp(struct keep_gate *g, uint16_t port, uint32_t *handle,
	enum gate_error *why, struct err *e)
{
	struct gate_reply r;
	if (!ask(g, GATE_LISTEN, GATE_LISTEN_TCP, port, 0, 0, &r, e))
		return false;
	*why = r.error;
	return r.error || new_handle(g, GATE_LISTEN, &r, handle, e);
}

bool keep_gate_connect(struct keep_gate *g, const char *target,
	uint32_t *handle, enum gate_error *why, struct err *e)
{
	struct gate_reply r;
	size_t len = strlen(target);
	must(len && len <= 512);
	if (g->lost)
		return lost(g, e);
	memcpy(g->area->data, target, len);
	if (!ask(g, GATE_CONNECT, 0, 0, len, 0, &r, e))
		return false;
	*why = r.error;
	return r.error || new_handle(g, GATE_CONNECT, &r, handle, e);
}

bool keep_gate_resolve(struct keep_gate *g, struct bytes name,
	struct net_address *out, size_t *n, enum gate_error *why, struct err *e)
{
	const size_t most = KEEP_GATE_ADDRESSES * sizeof *out;
	struct gate_reply r;
	must(name.len && name.len <= NET_HOST_MAX);
	*n = 0;
	if (g->lost)
		return lost(g, e);
	memcpy(g->area->data, name.ptr, name.len);
	if (!ask(g, GATE_RESOLVE, 0, 0, name.len, most, &r, e) ||
		!no_result(g, GATE_RESOLVE, &r, e))
		return false;
	*why = r.error;
	if (r.error)
		return true;
	if (!r.data_len || r.data_len % sizeof *out)
		return lie(g, e, "gate: RESOLVE: %u bytes of addresses",
			r.data_len);
	copy_once(out, g->area->data, r.data_len);
	*n = r.data_len / sizeof *out;
	return true;
}

bool keep_gate_accept(struct keep_gate *g, uint32_t listener, uint32_t *handle,
	enum gate_error *why, struct err *e)
{
	struct gate_reply r;
	must(is_open(g, listener));
	if (!ask(g, GATE_ACCEPT, listener, 0, 0, 0, &r, e))
		return false;
	*why = r.error;
	return r.error || new_handle(g, GATE_ACCEPT, &r, handle, e);
}

bool keep_gate_send(struct keep_gate *g, uint32_t handle, struct bytes in,
	size_t *n, enum gate_error *why, struct err *e)
{
	struct gate_reply r;
	size_t len = size_min(in.len, GATE_DATA_BYTES);
	must(is_open(g, handle) && len);
	memcpy(g->area->data, in.ptr, len);
	*n = 0;
	if (!ask(g, GATE_SEND, handle, 0, len, 0, &r, e))
		return false;
	*why = r.error;
	if (r.error)
		return true;
	if (r.ret0 < 1 || r.ret0 > len)
		return lie(g, e, "gate: SEND: took %llu of %zu bytes",
			(unsigned long long)r.ret0, len);
	*n = (size_t)r.ret0;
	return true;
}

bool keep_gate_recv(struct keep_gate *g, uint32_t handle, uint8_t *to,
	size_t max, size_t *n, enum gate_error *why, struct err *e)
{
	struct gate_reply r;
	max = size_min(max, GATE_DATA_BYTES);
	must(is_open(g, handle) && max);
	*n = 0;
	if (!ask(g, GATE_RECV, handle, max, 0, max, &r, e) ||
		!no_result(g, GATE_RECV, &r, e))
		return false;
	copy_once(to, g->area->data, r.data_len);
	*why = r.error;
	*n = r.data_len;
	return true;
}

bool keep_gate_shutdown(struct keep_gate *g, uint32_t handle,
	enum gate_shut how, struct err *e)
{
	struct gate_reply r;
	must(is_open(g, handle));
	return ask(g, GATE_SHUTDOWN, handle, how, 0, 0, &r, e) &&
		no_result(g, GATE_SHUTDOWN, &r, e);
}

bool keep_gate_release(struct keep_gate *g, uint32_t handle, struct err *e)
{
	struct gate_reply r;
	must(is_open(g, handle));
	set_open(g, handle, false);
	return ask(g, GATE_CLOSE, handle, 0, 0, 0, &r, e) &&
		no_result(g, GATE_CLOSE, &r, e);
}

/* --- a turn -------------------------------------------------------------- */

/* Sends have what the polls leave of the area, however many those are. */
#define SEND_ROOM (GATE_DATA_BYTES - GATE_MAX_POLL * sizeof(struct gate_poll))

bool keep_gate_turn_send(struct keep_gate_turn *t, uint32_t handle,
	struct bytes data)
{
	size_t head = sizeof(struct gate_send),
	       room = SEND_ROOM - t->send_bytes;
	must(data.len);
	if (t->send_count == GATE_MAX_SENDS || room < head ||
		data.len > room - head)
		return false;
	t->sends[t->send_count++] =
		(struct keep_gate_sent){ handle, data, 0, GATE_OK };
	t->send_bytes += head + data.len;
	return true;
}

/* Where the request's input ends. */
static size_t put_turn(struct keep_gate *g, struct keep_gate_turn *t)
{
	size_t at = t->poll_count * sizeof t->polls[0];
	must(t->poll_count <= GATE_MAX_POLL);
	for (size_t i = 0; i < t->poll_count; i++) {
		must(is_open(g, t->polls[i].handle));
		t->polls[i].got = 0;
		t->polls[i].taken = 0;
	}
	if (at)
		memcpy(g->area->data, t->polls, at);
	for (size_t i = 0; i < t->send_count; i++) {
		const struct keep_gate_sent *s = &t->sends[i];
		struct gate_send head = { s->handle, (uint32_t)s->data.len };
		must(is_open(g, s->handle));
		memcpy(g->area->data + at, &head, sizeof head);
		at += sizeof head;
		memcpy(g->area->data + at, s->data.ptr, s->data.len);
		at += s->data.len;
	}
	return at;
}

static bool judge_poll(struct keep_gate *g, struct gate_poll *p, size_t at,
	struct err *e)
{
	struct gate_poll got;
	copy_once(&got, g->area->data + at, sizeof got);
	unsigned may = p->want | GATE_HUP | (p->most ? GATE_END : 0);
	if (got.handle != p->handle || got.want != p->want ||
		got.most != p->most)
		return lie(g, e, "gate: POLL: another question answered");
	if (got.got & ~may)
		return lie(g, e, "gate: POLL: events 0x%x, asked 0x%x", got.got,
			p->want);
	if (got.taken > p->most)
		return lie(g, e, "gate: POLL: took %u of %u bytes", got.taken,
			p->most);
	if ((got.got & GATE_END || got.taken) && !(got.got & GATE_IN))
		return lie(g, e, "gate: POLL: took from a handle without IN");
	if (got.got & GATE_END && got.taken)
		return lie(g, e, "gate: POLL: bytes at the end");
	p->got = got.got;
	p->taken = got.taken;
	return true;
}

static bool judge_sent(struct keep_gate *g, struct keep_gate_sent *s, size_t at,
	struct err *e)
{
	struct gate_sent got;
	copy_once(&got, g->area->data + at, sizeof got);
	if (got.error >= GATE_ERROR_COUNT)
		return lie(g, e, "gate: POLL: error %u of a send unknown",
			got.error);
	if (got.taken > s->data.len || !got.taken != (got.error != GATE_OK))
		return lie(g, e, "gate: POLL: sent %u of %zu bytes, error %u",
			got.taken, s->data.len, got.error);
	s->taken = got.taken;
	s->why = got.error;
	return true;
}

/* The heads of a reply; *sum: how many bytes were taken. */
static bool judge_turn(struct keep_gate *g, struct keep_gate_turn *t,
	uint64_t ready, size_t *sum, struct err *e)
{
	size_t count = 0, at = 0;
	*sum = 0;
	for (size_t i = 0; i < t->poll_count; i++) {
		if (!judge_poll(g, &t->polls[i], at, e))
			return false;
		at += sizeof t->polls[0];
		*sum += t->polls[i].taken;
		count += t->polls[i].got != 0;
	}
	for (size_t i = 0; i < t->send_count; i++) {
		if (!judge_sent(g, &t->sends[i], at, e))
			return false;
		at += sizeof(struct gate_sent);
	}
	if (ready != count)
		return lie(g, e, "gate: POLL: %llu ready, not %zu",
			(unsigned long long)ready, count);
	return true;
}

bool keep_gate_poll(struct keep_gate *g, struct keep_gate_turn *t,
	uint64_t timeout_ns, struct err *e)
{
	struct gate_reply r;
	size_t heads = t->poll_count * sizeof t->polls[0] +
		t->send_count * sizeof(struct gate_sent);
	size_t sum;
	if (g->lost)
		return lost(g, e);
	if (!ask(g, GATE_POLL, timeout_ns, t->poll_count, put_turn(g, t),
		    GATE_DATA_BYTES, &r, e) ||
		!needed(GATE_POLL, &r, e))
		return false;
	if (r.data_len < heads)
		return lie(g, e, "gate: POLL: %u bytes of at least %zu",
			r.data_len, heads);
	if (!judge_turn(g, t, r.ret0, &sum, e))
		return false;
	if (r.data_len - heads != sum)
		return lie(g, e, "gate: POLL: %zu bytes taken, not %zu",
			r.data_len - heads, sum);
	copy_once(t->taken, g->area->data + heads, sum);
	return true;
}

void keep_gate_exit(struct keep_gate *g, enum gate_exit reason)
{
	if (!g->area)
		return;
	put_request(g, GATE_EXIT, reason, 0, 0);
	(void)ring(g);
}
