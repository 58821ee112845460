/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void need(bool ok)
{
	if (!ok)
		abort();
}

static uint64_t give_out(struct host *h, int fd)
{
	for (uint64_t i = 1; i <= GATE_MAX_HANDLES; i++)
		if (h->slots[i] < 0) {
			h->slots[i] = fd;
			return i;
		}
	abort();
}

static void on_accept(struct host *h, struct gate_reply *r)
{
	pthread_mutex_lock(&h->lock);
	if (h->queued) {
		char byte;
		r->ret0 = give_out(h, h->queue[0]);
		memmove(h->queue, h->queue + 1, sizeof h->queue - sizeof(int));
		h->queued--;
		need(read(h->wake[0], &byte, 1) == 1);
	} else {
		r->error = GATE_AGAIN;
	}
	pthread_mutex_unlock(&h->lock);
}

static enum gate_error do_send(struct host *h, uint64_t handle,
	const uint8_t *from, size_t n, uint32_t *taken)
{
	if (h->send_max && n > h->send_max)
		n = h->send_max;
	ssize_t done =
		send(h->slots[handle], from, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	*taken = done < 0 ? 0 : (uint32_t)done;
	if (done < 0)
		return errno == EAGAIN ? GATE_AGAIN : GATE_CLOSED;
	return GATE_OK;
}

static enum gate_error do_recv(struct host *h, uint64_t handle, uint8_t *to,
	size_t most, uint32_t *n)
{
	ssize_t done = recv(h->slots[handle], to, most, MSG_DONTWAIT);
	*n = done < 0 ? 0 : (uint32_t)done;
	if (done < 0)
		return errno == EAGAIN ? GATE_AGAIN : GATE_CLOSED;
	return GATE_OK;
}

static void on_send(struct host *h, const struct gate_request *q,
	struct gate_reply *r)
{
	uint32_t n;
	r->error = do_send(h, q->arg0, h->area->data, q->data_len, &n);
	r->ret0 = n;
}

static void on_recv(struct host *h, const struct gate_request *q,
	struct gate_reply *r)
{
	r->error = do_recv(h, q->arg0, h->area->data, q->arg1, &r->data_len);
}

static short to_poll(unsigned want)
{
	return (short)((want & GATE_IN ? POLLIN : 0) |
		(want & GATE_OUT ? POLLOUT : 0));
}

static unsigned from_poll(int events)
{
	return (events & POLLIN ? GATE_IN : 0u) |
		(events & POLLOUT ? GATE_OUT : 0u) |
		(events & (POLLHUP | POLLERR) ? GATE_HUP : 0u);
}

/* Serves the sends behind the polls; false when one was not taken whole. */
static bool send_all(struct host *h, const uint8_t *in, size_t len,
	struct gate_sent *sent, size_t *count)
{
	bool whole = true;
	for (size_t at = 0; at < len; *count += 1) {
		struct gate_send s;
		need(*count < 64);
		memcpy(&s, in + at, sizeof s);
		at += sizeof s;
		sent[*count].error = do_send(h, s.handle, in + at, s.len,
			&sent[*count].taken);
		whole = whole && sent[*count].taken == s.len;
		at += s.len;
	}
	return whole;
}

static void wait_for(struct host *h, struct gate_poll *list, size_t n,
	uint64_t ns)
{
	struct pollfd fds[65];
	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){ h->slots[list[i].handle],
			to_poll(list[i].want), 0 };
	fds[n] = (struct pollfd){ h->bell[1], 0, 0 }; /* hanging up */
	uint64_t ms = ns / 1000000 + (ns % 1000000 != 0);
	poll(fds, n + 1, ns == UINT64_MAX ? -1 : (int)ms);
	for (size_t i = 0; i < n; i++)
		list[i].got = (uint16_t)from_poll(fds[i].revents);
}

static void on_poll(struct host *h, const struct gate_request *q,
	struct gate_reply *r)
{
	static uint8_t copy[GATE_DATA_BYTES];
	struct gate_poll list[64];
	struct gate_sent sent[64];
	size_t n = q->arg1, polls = n * sizeof list[0], sends = 0;
	need(n <= 64 && polls <= q->data_len && q->data_len <= sizeof copy);
	memcpy(copy, h->area->data, q->data_len);
	memcpy(list, copy, polls);
	bool whole =
		send_all(h, copy + polls, q->data_len - polls, sent, &sends);
	wait_for(h, list, n, whole ? q->arg0 : 0);
	size_t at = polls + sends * sizeof sent[0];
	for (size_t i = 0; i < n; i++) {
		struct gate_poll *p = &list[i];
		r->ret0 += p->got != 0;
		if (!(p->got & GATE_IN) || !p->most ||
			do_recv(h, p->handle, h->area->data + at, p->most,
				&p->taken) != GATE_OK)
			continue;
		p->got |= p->taken ? 0 : GATE_END;
		at += p->taken;
	}
	memcpy(h->area->data, list, polls);
	memcpy(h->area->data + polls, sent, sends * sizeof sent[0]);
	r->data_len = (uint32_t)at;
}

static void on_evidence(struct host *h, struct gate_reply *r)
{
	static const uint8_t out[] = { 5, 0, 0, 0, 'p', 'r', 'o', 'o', 'f', 4,
		0, 0, 0, 'r', 'o', 'o', 't' };
	memcpy(h->area->data, out, sizeof out);
	r->data_len = sizeof out;
}

static void reply(struct host *h, const struct gate_request *q)
{
	struct gate_reply r = { .seq = q->seq };
	switch (q->op) {
	case GATE_EVIDENCE:
		on_evidence(h, &r);
		break;
	case GATE_LISTEN:
		r.ret0 = give_out(h, dup(h->wake[0]));
		break;
	case GATE_ACCEPT:
		on_accept(h, &r);
		break;
	case GATE_SEND:
		on_send(h, q, &r);
		break;
	case GATE_RECV:
		on_recv(h, q, &r);
		break;
	case GATE_SHUTDOWN:
		shutdown(h->slots[q->arg0], SHUT_WR);
		break;
	case GATE_CLOSE:
		close(h->slots[q->arg0]);
		h->slots[q->arg0] = -1;
		break;
	case GATE_POLL:
		on_poll(h, q, &r);
		break;
	default:
		break;
	}
	h->area->reply = r;
}

static void *serve(void *ctx)
{
	struct host *h = ctx;
	char byte;
	while (!h->die && read(h->bell[1], &byte, 1) == 1) {
		__sync_synchronize();
		struct gate_request q = h->area->request;
		need(q.op < GATE_OP_COUNT);
		h->requests[q.op]++;
		if (q.op == GATE_EXIT) {
			h->exited = true;
			h->exit_reason = q.arg0;
			break;
		}
		reply(h, &q);
		if (h->lie)
			h->lie(h, q.op);
		__sync_synchronize();
		if (h->die || write(h->bell[1], &byte, 1) != 1)
			break;
	}
	shutdown(h->bell[1], SHUT_RDWR);
	return NULL;
}

void host_init(struct host *h)
{
	signal(SIGPIPE, SIG_IGN);
	memset(h, 0, sizeof *h);
	memset(h->slots, -1, sizeof h->slots);
	h->area_fd = memfd_create("area", MFD_CLOEXEC);
	need(h->area_fd >= 0 && ftruncate(h->area_fd, GATE_AREA_BYTES) == 0);
	h->area = mmap(NULL, GATE_AREA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED, h->area_fd, 0);
	need(h->area != MAP_FAILED);
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, h->bell) && !pipe(h->wake));
	need(!pthread_mutex_init(&h->lock, NULL));
	h->area->magic = GATE_MAGIC;
	h->area->version = GATE_VERSION;
	h->area->boot = (struct gate_boot){
		.version = 1,
		.tee = GATE_TEE_PROCESS,
		.memory_bytes = 64u << 20,
		.owner_wait_ns = 20000000000u,
	};
}

void host_start(struct host *h)
{
	need(!pthread_create(&h->thread, NULL, serve, h));
}

void host_join(struct host *h)
{
	if (h->joined)
		return;
	h->joined = true;
	shutdown(h->bell[0], SHUT_WR);
	pthread_join(h->thread, NULL);
}

void host_fini(struct host *h)
{
	host_join(h);
	for (size_t i = 1; i <= GATE_MAX_HANDLES; i++)
		if (h->slots[i] >= 0)
			close(h->slots[i]);
	for (size_t i = 0; i < h->queued; i++)
		close(h->queue[i]);
	for (int i = 0; i < 2; i++) {
		close(h->bell[i]);
		close(h->wake[i]);
	}
	munmap(h->area, GATE_AREA_BYTES);
	close(h->area_fd);
	pthread_mutex_destroy(&h->lock);
}

int host_connect(struct host *h)
{
	int pair[2];
	need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pthread_mutex_lock(&h->lock);
	need(h->queued < HOST_QUEUE);
	h->queue[h->queued++] = pair[0];
	need(write(h->wake[1], "", 1) == 1);
	pthread_mutex_unlock(&h->lock);
	return pair[1];
}
