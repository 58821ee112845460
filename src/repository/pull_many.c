/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several blobs of one package at a time: far registries cost round trips,
 * not bytes.  Each worker has connections of its own; cache, cancelling and
 * progress are one.  The first failure ends them all.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "repository/package.h"
#include "repository/registry.h"

enum { MAX_WORKERS = 4, STACK = 512 << 10 };

struct crew;

struct worker {
	struct crew *crew;
	pthread_t thread;
	bool runs;
	struct repository r; /* connections of its own, the crew's cache */
	struct repository_registry g;
	size_t at; /* which of the crew's blobs */
};

struct crew {
	struct repository_registry *g;
	const char *name;
	struct repository_package *p;
	const size_t *which; /* blobs of p */
	size_t count;
	int stop_fd, either_fd; /* an eventfd; readable for it or for cfg's */
	struct worker workers[MAX_WORKERS];
	pthread_mutex_t lock; /* of the rest, and of telling */
	size_t next;
	uint64_t done[REPOSITORY_MAX_BLOBS], total;
	bool failed;
	struct err why; /* the first */
	char label[32];
};

/* --- progress: one for all ---------------------------------------------- */

static uint64_t sum(const struct crew *c)
{
	uint64_t n = 0;
	for (size_t i = 0; i < c->count; i++)
		n += c->done[i];
	return n;
}

static void on_progress(void *ctx, const struct repository_progress *one)
{
	struct worker *w = ctx;
	struct crew *c = w->crew;
	pthread_mutex_lock(&c->lock);
	c->done[w->at] = one->done;
	repository_tell(c->g->r, one->what, c->label, sum(c), c->total, false);
	pthread_mutex_unlock(&c->lock);
}

/* --- work --------------------------------------------------------------- */

static bool next(struct worker *w)
{
	struct crew *c = w->crew;
	pthread_mutex_lock(&c->lock);
	bool more = !c->failed && c->next < c->count;
	if (more)
		w->at = c->next++;
	pthread_mutex_unlock(&c->lock);
	return more;
}

static void fail(struct crew *c, const struct err *why)
{
	pthread_mutex_lock(&c->lock);
	if (!c->failed)
		c->why = *why;
	c->failed = true;
	pthread_mutex_unlock(&c->lock);
	/* The others hear of it where they wait. */
	(void)!eventfd_write(c->stop_fd, 1);
}

static void *run(void *ctx)
{
	struct worker *w = ctx;
	struct crew *c = w->crew;
	while (next(w)) {
		struct repository_blob *b = &c->p->blobs[c->which[w->at]];
		struct repository_descriptor d = { .size = b->size };
		struct err e = { 0 };
		memcpy(d.digest, b->digest, sizeof d.digest);
		if (!repository_blob_get(&w->g, c->name, &d, &b->fd, &e)) {
			fail(c, &e);
			break;
		}
	}
	return NULL;
}

/* --- setting up --------------------------------------------------------- */

static bool watch(int epoll, int fd)
{
	struct epoll_event on = { .events = EPOLLIN };
	return fd < 0 || !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &on);
}

static bool open_fds(struct crew *c, struct err *e)
{
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	c->either_fd = epoll_create1(EPOLL_CLOEXEC);
	return (c->stop_fd >= 0 && c->either_fd >= 0 &&
		       watch(c->either_fd, c->stop_fd) &&
		       watch(c->either_fd, c->g->r->cfg.cancel_fd)) ||
		err_fail(e, ERR_HOST, "eventfd: %s", strerror(errno));
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* In the first thread: libcurl's beginning and end are there. */
static bool open_worker(struct crew *c, struct worker *w, struct err *e)
{
	const struct repository *r = c->g->r;
	const struct net_web_config web = { .ca_file = r->cfg.ca_file,
		.plain_http = r->cfg.plain_http,
		.timeout_s = r->cfg.timeout_s,
		.cancel_fd = c->either_fd };
	w->crew = c;
	w->r = (struct repository){ .cfg = r->cfg,
		.cache = r->cache,
		.has_cache = true };
	w->r.cfg.cancel_fd = c->either_fd;
	w->r.cfg.progress = on_progress;
	w->r.cfg.ctx = w;
	w->g = *c->g;
	w->g.r = &w->r;
	w->g.login.secret = copy(c->g->login.secret);
	w->g.authorization = copy(c->g->authorization);
	if ((c->g->login.secret && !w->g.login.secret) ||
		(c->g->authorization && !w->g.authorization))
		return err_fail(e, ERR_LIMIT, "no memory");
	return net_web_open(&web, &w->r.web, e);
}

static void close_worker(struct worker *w)
{
	if (!w->crew)
		return;
	repository_registry_fini(&w->g);
	net_web_close(w->r.web);
}

static bool start(struct crew *c, struct err *e)
{
	pthread_attr_t a;
	bool ok = !pthread_attr_init(&a);
	if (!ok)
		return err_fail(e, ERR_LIMIT, "no memory");
	pthread_attr_setstacksize(&a, STACK);
	for (size_t i = 0; ok && i < c->count && i < MAX_WORKERS; i++) {
		struct worker *w = &c->workers[i];
		ok = open_worker(c, w, e);
		w->runs = ok && !pthread_create(&w->thread, &a, run, w);
		if (ok && !w->runs)
			ok = err_fail(e, ERR_LIMIT, "no more threads");
	}
	pthread_attr_destroy(&a);
	return ok;
}

static bool work(struct crew *c, struct err *e)
{
	struct err why = { 0 };
	bool ok = open_fds(c, &why) && start(c, &why);
	if (!ok)
		fail(c, &why);
	for (size_t i = 0; i < MAX_WORKERS; i++) {
		if (c->workers[i].runs)
			pthread_join(c->workers[i].thread, NULL);
		close_worker(&c->workers[i]);
	}
	/* What was refused leaves nothing behind, also of its other parts. */
	for (size_t i = 0; c->failed && c->why.kind != ERR_HOST && i < c->count;
		i++)
		repository_partial_forget(&c->g->r->cache,
			c->p->blobs[c->which[i]].digest);
	if (c->failed && e)
		*e = c->why;
	repository_tell(c->g->r, "pull", c->label, c->failed ? 0 : sum(c),
		c->total, true);
	return !c->failed;
}

bool repository_pull_many(struct repository_registry *g, const char *name,
	struct repository_package *p, const size_t *which, size_t count,
	struct err *e)
{
	struct crew *c = calloc(1, sizeof *c);
	if (!c)
		return err_fail(e, ERR_LIMIT, "no memory");
	c->g = g;
	c->name = name;
	c->p = p;
	c->which = which;
	c->count = count;
	c->stop_fd = c->either_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	fmt(c->label, sizeof c->label, "%zu parts", count);
	for (size_t i = 0; i < count; i++)
		c->total += p->blobs[which[i]].size;
	bool ok = work(c, e);
	pthread_mutex_destroy(&c->lock);
	cleanup_fd(&c->stop_fd);
	cleanup_fd(&c->either_fd);
	free(c);
	return ok;
}
