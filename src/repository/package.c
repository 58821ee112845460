/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/package.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "repository/reference.h"

bool repository_temporary(struct repository *r, int *out, struct err *e)
{
	/* Beside the cache: as large, and not memory. */
	if (repository_need_cache(r, NULL)) {
		*out = openat(r->cache.partial_fd, ".",
			O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
		if (*out >= 0)
			return true;
	}
	*out = memfd_create("package", MFD_CLOEXEC);
	return *out >= 0 ||
		err_fail(e, ERR_HOST, "temporary file: %s", strerror(errno));
}

struct repository_blob *repository_package_add(struct repository_package *p,
	const char *media_type, const char *title)
{
	if (!p->blobs)
		p->blobs = calloc(REPOSITORY_MAX_BLOBS, sizeof *p->blobs);
	if (!p->blobs || p->blob_count == REPOSITORY_MAX_BLOBS)
		return NULL;
	struct repository_blob *b = &p->blobs[p->blob_count++];
	*b = (struct repository_blob){ .fd = -1 };
	fmt(b->media_type, sizeof b->media_type, "%s", media_type);
	fmt(b->title, sizeof b->title, "%s", title);
	return b;
}

void repository_package_fini(struct repository_package *p)
{
	for (size_t i = 0; i < p->blob_count; i++) {
		buf_wipe(&p->blobs[i].bytes);
		cleanup_fd(&p->blobs[i].fd);
	}
	for (size_t i = 0; i < p->file_count; i++)
		free(p->files[i].path);
	free(p->blobs);
	free(p->files);
	buf_fini(&p->manifest);
	cleanup_fd(&p->data_fd);
	*p = (struct repository_package){ .module = -1,
		.toml = -1,
		.data = -1,
		.data_fd = -1 };
}

static bool take(struct repository_package *p,
	const struct repository_descriptor *d, struct err *e)
{
	/* Also of what does not run: who wants everything gets it. */
	if (d->size > REPOSITORY_MAX_DATA)
		return err_fail(e, ERR_LIMIT,
			"package: a part larger than %llu bytes",
			(unsigned long long)REPOSITORY_MAX_DATA);
	struct repository_blob *b =
		repository_package_add(p, d->media_type, d->title);
	if (!b)
		return err_fail(e, ERR_LIMIT, "no memory");
	memcpy(b->digest, d->digest, sizeof b->digest);
	b->size = d->size;
	return true;
}

static bool small(const struct repository_manifest *m, int at, uint64_t max,
	const char *what, struct err *e)
{
	if (at < 0 || m->layers[at].size <= max)
		return true;
	return err_fail(e, ERR_LIMIT, "package: %s larger than %llu bytes",
		what, (unsigned long long)max);
}

static bool fill(struct repository_package *p,
	const struct repository_manifest *m, struct err *e)
{
	struct repository_layers l;
	if (m->index)
		return err_fail(e, ERR_INPUT, "manifest: an index in an index");
	if (!repository_manifest_layers(m, &l, e) ||
		!small(m, l.module, REPOSITORY_MAX_MODULE, "module", e) ||
		!small(m, l.toml, REPOSITORY_MAX_CONFIG, "Donjon.toml", e) ||
		!small(m, l.data, REPOSITORY_MAX_DATA, "data", e) ||
		!take(p, &m->config, e))
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (!take(p, &m->layers[i], e))
			return false;
	/* The config stands before them. */
	p->module = l.module + 1;
	p->toml = l.toml < 0 ? -1 : l.toml + 1;
	p->data = l.data < 0 ? -1 : l.data + 1;
	return true;
}

bool repository_package_manifest(struct repository_package *p,
	struct bytes manifest, const char *content_type, struct err *e)
{
	struct repository_manifest m;
	if (!repository_manifest_parse(manifest, content_type, &m, e))
		return false;
	bool ok = fill(p, &m, e) &&
		crypto_digest(CRYPTO_SHA256, manifest, p->digest, e);
	repository_manifest_fini(&m);
	if (ok && !buf_put(&p->manifest, manifest))
		ok = err_fail(e, ERR_LIMIT, "no memory");
	return ok;
}

/* --- contents ----------------------------------------------------------- */

bool repository_blob_bytes(const struct repository_blob *b, uint64_t max,
	struct buf *out, struct err *e)
{
	uint8_t is[32];
	size_t begin = out->len, n = (size_t)b->size;
	const struct repository_source s = { b->fd, buf_bytes(&b->bytes),
		b->size };
	if (b->size > max)
		return err_fail(e, ERR_LIMIT, "larger than %llu bytes",
			(unsigned long long)max);
	uint8_t *to = buf_reserve(out, n + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (b->fd < 0 && b->bytes.len != n)
		return err_fail(e, ERR_INPUT, "not at hand");
	if (!repository_source_read(&s, 0, to, n, e) ||
		!crypto_digest(CRYPTO_SHA256, bytes_of(to, n), is, e))
		return false;
	if (memcmp(is, b->digest, sizeof is) != 0)
		return err_fail(e, ERR_DENIED, "contents changed");
	out->len = begin + n;
	return true;
}

bool repository_package_module(const struct repository_package *p,
	struct buf *out, struct err *e)
{
	return repository_blob_bytes(&p->blobs[p->module],
		       REPOSITORY_MAX_MODULE, out, e) ||
		err_wrap(e, "%s", p->name);
}

bool repository_package_toml(const struct repository_package *p,
	struct buf *out, struct err *e)
{
	return p->toml < 0 ||
		repository_blob_bytes(&p->blobs[p->toml], REPOSITORY_MAX_CONFIG,
			out, e) ||
		err_wrap(e, "%s", p->name);
}

static bool take_files(struct repository_package *p, struct repository_tar *t,
	struct err *e)
{
	p->files = calloc(t->count + 1, sizeof *p->files);
	if (!p->files)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (p->file_count = 0; p->file_count < t->count; p->file_count++) {
		struct repository_tar_entry *x = &t->entries[p->file_count];
		p->files[p->file_count] = (struct repository_file){
			.path = ptr_move(&x->path),
			.directory = x->directory,
			.at = x->at,
			.size = x->size,
		};
	}
	return true;
}

/* The plain archive of a layer that may be packed. */
static bool unpack(struct repository *r, struct repository_package *p,
	uint64_t *size, struct err *e)
{
	struct repository_blob *b = &p->blobs[p->data];
	const struct repository_source in = { b->fd, buf_bytes(&b->bytes),
		b->size };
	*size = b->size;
	if (!strcmp(b->media_type, MEDIA_DATA_GZIP))
		return repository_temporary(r, &p->data_fd, e) &&
			repository_gunzip(&in, p->data_fd, REPOSITORY_MAX_DATA,
				size, e);
	p->data_fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 3);
	return p->data_fd >= 0 ||
		err_fail(e, ERR_HOST, "dup: %s", strerror(errno));
}

bool repository_package_files(struct repository *r,
	struct repository_package *p, struct err *e)
{
	struct repository_source s = { 0 };
	struct repository_tar t;
	if (p->data < 0)
		return true;
	if (!unpack(r, p, &s.size, e))
		return err_wrap(e, "data");
	s.fd = p->data_fd;
	if (!repository_tar_index(&s, &t, e))
		return err_wrap(e, "data");
	bool ok = take_files(p, &t, e);
	repository_tar_fini(&t);
	return ok;
}
