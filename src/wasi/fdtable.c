/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "wasi/wasi_priv.h"

int wasi_fd_rights(const struct wasi_fd *f, uint64_t rights)
{
	uint64_t missing = rights & ~f->base;
	if (!missing)
		return WASI_OK;
	return missing & (RIGHT_FD_READ | RIGHT_FD_WRITE) ? WASI_BADF :
							    WASI_NOTCAPABLE;
}

int wasi_fd_get(struct wasi_call *k, uint32_t fd, uint64_t rights,
	struct wasi_fd **out)
{
	if (fd >= k->w->fd_count || !k->w->fds[fd])
		return WASI_BADF;
	*out = k->w->fds[fd];
	return wasi_fd_rights(*out, rights);
}

int wasi_fd_dir(struct wasi_call *k, uint32_t fd, uint64_t rights,
	struct wasi_fd **out)
{
	int r = wasi_fd_get(k, fd, 0, out);
	if (r)
		return r;
	if ((*out)->kind != WASI_DIR)
		return WASI_NOTDIR;
	return wasi_fd_rights(*out, rights);
}

int wasi_fd_new(struct wasi *w, uint32_t *fd, struct wasi_fd **out)
{
	uint32_t at = 0;
	while (at < w->fd_count && w->fds[at])
		at++;
	if (at >= w->max_fds)
		return WASI_MFILE;
	if (at == w->fd_count) {
		uint32_t count = w->fd_count ? w->fd_count * 2 : 8;
		if (count > w->max_fds)
			count = w->max_fds;
		struct wasi_fd **grown =
			realloc(w->fds, count * sizeof(struct wasi_fd *));
		if (!grown)
			return WASI_NOMEM;
		for (uint32_t i = w->fd_count; i < count; i++)
			grown[i] = NULL;
		w->fds = grown;
		w->fd_count = count;
	}
	*out = calloc(1, sizeof **out);
	if (!*out)
		return WASI_NOMEM;
	*fd = at;
	return WASI_OK;
}

void wasi_fd_set(struct wasi *w, uint32_t fd, struct wasi_fd *f)
{
	w->fds[fd] = f;
}

void wasi_fd_free(struct wasi *w, struct wasi_fd *f)
{
	if (!f)
		return;
	if (f->kind == WASI_STREAM && f->stream.ops && f->stream.ops->close)
		f->stream.ops->close(f->stream.ctx);
	if (f->node)
		w->vfs->ops->unref(w->vfs, f->node);
	buf_fini(&f->peeked);
	free(f->preopen);
	free(f);
}

unsigned wasi_fd_type(const struct wasi_fd *f)
{
	switch (f->kind) {
	case WASI_DIR:
		return FILETYPE_DIRECTORY;
	case WASI_FILE:
		return FILETYPE_FILE;
	case WASI_NULL:
		return FILETYPE_CHARACTER;
	case WASI_STREAM:
		break;
	}
	if (f->stream.socket)
		return FILETYPE_SOCKET_STREAM;
	return f->stream.tty ? FILETYPE_CHARACTER : FILETYPE_UNKNOWN;
}

int wasi_fd_close(struct wasi_call *k)
{
	uint32_t fd = arg32(k, 0);
	struct wasi_fd *f;
	int r = wasi_fd_get(k, fd, 0, &f);
	if (r)
		return r;
	k->w->fds[fd] = NULL;
	wasi_fd_free(k->w, f);
	return WASI_OK;
}

int wasi_fd_renumber(struct wasi_call *k)
{
	uint32_t from = arg32(k, 0), to = arg32(k, 1);
	struct wasi_fd *f, *old;
	int r = wasi_fd_get(k, from, 0, &f);
	if (!r)
		r = wasi_fd_get(k, to, 0, &old);
	if (r || from == to)
		return r;
	k->w->fds[to] = f;
	k->w->fds[from] = NULL;
	wasi_fd_free(k->w, old);
	return WASI_OK;
}
