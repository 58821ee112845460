/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "wasi/wasi_priv.h"

#define MODULE_NOW     "wasi_snapshot_preview1"
#define MODULE_OLD     "wasi_unstable"
#define MODULE_THREADS "wasi"

static const struct wasi_func funcs[] = {
#define WASI_ROW(name, sig) { #name, sig, wasi_##name },
	WASI_CALLS(WASI_ROW)
};
_Static_assert(ARRAY_LEN(funcs) == 46, "preview 1 has 46 functions");

struct wasi_bound {
	struct wasi *w;
	const struct wasi_func *func;
	bool old;
};

static bool dispatch(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	const struct wasi_bound *b = ctx;
	struct wasi_call k = { .w = b->w,
		.caller = c,
		.arg = slots,
		.old = b->old };
	int r = b->func->run(&k);
	if (k.ended)
		return false;
	slots[0] = (uint32_t)r;
	return true;
}

static size_t length(const struct wasi_func *list)
{
	size_t n = 0;
	while (list[n].name)
		n++;
	return n;
}

static size_t bind_some(struct wasi *w, size_t at, const char *module,
	const struct wasi_func *list, size_t count)
{
	for (size_t i = 0; i < count; i++, at++) {
		w->bound[at] = (struct wasi_bound){ w, &list[i],
			!strcmp(module, MODULE_OLD) };
		w->imports[at] = (struct wasm_import){ .module = module,
			.name = list[i].name,
			.sig = list[i].sig,
			.call = dispatch,
			.ctx = &w->bound[at] };
	}
	return at;
}

static bool bind_imports(struct wasi *w)
{
	static const struct wasi_func *const more[] = { wasi_socket_funcs,
		wasi_edge_funcs, wasi_wamr_funcs };
	size_t n = ARRAY_LEN(funcs), at = 0, t = length(wasi_thread_funcs);
	w->import_count = 2 * n + t;
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		w->import_count += length(more[i]);
	w->imports = calloc(w->import_count, sizeof *w->imports);
	w->bound = calloc(w->import_count, sizeof *w->bound);
	if (!w->imports || !w->bound)
		return false;
	at = bind_some(w, at, MODULE_NOW, funcs, n);
	at = bind_some(w, at, MODULE_OLD, funcs, n);
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		at = bind_some(w, at, MODULE_NOW, more[i], length(more[i]));
	bind_some(w, at, MODULE_THREADS, wasi_thread_funcs, t);
	return true;
}

/* One block of NUL-ended texts, as args_get hands it out. */
static bool strings_copy(struct wasi_strings *s, const char *const *from,
	size_t count, const char *what, struct err *e)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		if (!size_add(len, strlen(from[i]) + 1, &len))
			return err_fail(e, ERR_LIMIT, "%s: too long", what);
	if (len > INT32_MAX || count > INT32_MAX / 4)
		return err_fail(e, ERR_LIMIT, "%s: too long", what);
	s->text = malloc(len + 1);
	if (!s->text)
		return err_fail(e, ERR_LIMIT, "%s: out of memory", what);
	s->len = 0;
	s->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(from[i]) + 1;
		memcpy(s->text + s->len, from[i], n);
		s->len += (uint32_t)n;
	}
	return true;
}

static void stream_fill(struct wasi_fd *f, const struct wasi_fd_config *c)
{
	f->kind = WASI_STREAM;
	f->stream = c->stream;
	f->flags = c->nonblock ? FDFLAG_NONBLOCK : 0;
	f->base = c->stream.socket ? RIGHTS_SOCKET : RIGHTS_STREAM;
	if (c->stream.socket && !c->stream.ops->accept)
		f->base &= ~RIGHT_SOCK_ACCEPT;
	if (c->ready & WASI_READY_READ)
		f->base |= RIGHT_FD_READ;
	if (c->ready & WASI_READY_WRITE)
		f->base |= RIGHT_FD_WRITE;
	/* What a listener's descriptor hands down. */
	f->inheriting = c->stream.socket ?
		RIGHTS_SOCKET | RIGHT_FD_READ | RIGHT_FD_WRITE :
		0;
}

static bool preopen_fill(struct wasi *w, struct wasi_fd *f,
	const struct wasi_fd_config *c, struct err *e)
{
	if (!w->vfs || !c->dir || !c->name)
		return err_fail(e, ERR_INPUT, "preopen without a directory");
	f->preopen = strdup(c->name);
	if (!f->preopen)
		return err_fail(e, ERR_LIMIT, "out of memory");
	w->vfs->ops->ref(w->vfs, c->dir);
	f->kind = WASI_DIR;
	f->node = c->dir;
	f->read_only = c->read_only;
	f->base = RIGHTS_DIRECTORY;
	f->inheriting = RIGHTS_DIRECTORY | RIGHTS_FILE;
	return true;
}

static bool fd_fill(struct wasi *w, const struct wasi_fd_config *c,
	struct err *e)
{
	struct wasi_fd *f;
	uint32_t fd;
	if (wasi_fd_new(w, &fd, &f))
		return err_fail(e, ERR_LIMIT, "too many descriptors");
	wasi_fd_set(w, fd, f);
	f->first = true;
	if (c->kind == WASI_FD_PREOPEN)
		w->last_preopen = fd;
	switch (c->kind) {
	case WASI_FD_STREAM:
		stream_fill(f, c);
		return true;
	case WASI_FD_PREOPEN:
		return preopen_fill(w, f, c, e);
	case WASI_FD_NULL:
		f->kind = WASI_NULL;
		/* The right to seek says: not a terminal. */
		f->base = RIGHTS_FILE & ~RIGHT_FD_FILESTAT_SET_SIZE;
		return true;
	}
	return err_fail(e, ERR_INPUT, "descriptor of unknown kind");
}

bool wasi_new(const struct wasi_config *cfg, struct wasi **out, struct err *e)
{
	struct wasi *w = calloc(1, sizeof *w);
	if (!w)
		return err_fail(e, ERR_LIMIT, "wasi: out of memory");
	w->host = cfg->host;
	w->vfs = cfg->vfs;
	w->net = cfg->net;
	w->max_fds = cfg->max_fds ? cfg->max_fds : 1024;
	bool ok = strings_copy(&w->args, cfg->args, cfg->arg_count, "arguments",
		e);
	ok = ok &&
		strings_copy(&w->env, cfg->env, cfg->env_count, "environment",
			e);
	for (size_t i = 0; ok && i < cfg->fd_count; i++)
		ok = fd_fill(w, &cfg->fds[i], e);
	if (ok && !bind_imports(w))
		ok = err_fail(e, ERR_LIMIT, "out of memory");
	if (!ok) {
		wasi_free(w);
		return err_wrap(e, "wasi");
	}
	*out = w;
	return true;
}

void wasi_free(struct wasi *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->fd_count; i++)
		wasi_fd_free(w, w->fds[i]);
	free(w->fds);
	free(w->args.text);
	free(w->env.text);
	free(w->imports);
	free(w->bound);
	free(w);
}

const struct wasm_import *wasi_imports(const struct wasi *w, size_t *count)
{
	*count = w->import_count;
	return w->imports;
}

const struct wasm_import *wasi_import(const struct wasi *w, struct bytes module,
	struct bytes name, const char *sig)
{
	const struct wasm_import *first = NULL;
	for (size_t i = 0; i < w->import_count; i++) {
		const struct wasm_import *im = &w->imports[i];
		if (!bytes_equal(name, bytes_str(im->name)) ||
			!bytes_equal(module, bytes_str(im->module)))
			continue;
		if (!strcmp(im->sig, sig))
			return im;
		if (!first)
			first = im;
	}
	return first;
}
