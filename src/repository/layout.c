/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image layouts (OCI image specification 1.1, "Image Layout"), as `skopeo
 * copy ... oci:` and `oci-archive:` have them; and folders. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "repository/package.h"
#include "repository/path.h"
#include "repository/reference.h"

enum { BLOCK = 256 << 10 };

static const char layout_text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

/* --- reading ------------------------------------------------------------ */

static void blob_path(const uint8_t digest[32], char out[96])
{
	char hex[65];
	hex_encode(bytes_of(digest, 32), hex);
	fmt(out, 96, "blobs/sha256/%s", hex);
}

static bool read_small(const struct repository_tree *t,
	const struct repository_descriptor *d, struct buf *out, struct err *e)
{
	char path[96];
	uint8_t is[32];
	blob_path(d->digest, path);
	if (!repository_tree_read(t, path, REPOSITORY_MAX_MANIFEST, out, e) ||
		!crypto_digest(CRYPTO_SHA256, buf_bytes(out), is, e))
		return false;
	return !memcmp(is, d->digest, sizeof is) ||
		err_fail(e, ERR_DENIED, "%s: has another digest", path);
}

/* Down from an index to the manifest that runs here. */
static bool find_manifest(const struct repository_tree *t, struct buf *text,
	struct err *e)
{
	if (!repository_tree_read(t, "index.json", REPOSITORY_MAX_MANIFEST,
		    text, e))
		return false;
	for (unsigned depth = 0; depth < 3; depth++) {
		struct repository_manifest m;
		size_t which;
		if (!repository_manifest_parse(buf_bytes(text), NULL, &m, e))
			return false;
		bool more = m.index;
		bool ok = !more || repository_manifest_choose(&m, &which, e);
		if (ok && more) {
			buf_clear(text);
			ok = read_small(t, &m.layers[which], text, e);
		}
		repository_manifest_fini(&m);
		if (!ok || !more)
			return ok;
	}
	return err_fail(e, ERR_INPUT, "index: nested too deep");
}

/* Copies a blob out of the layout into a file of its own, and judges it. */
static bool take_blob(struct repository *r, const struct repository_tree *t,
	struct repository_blob *b, struct err *e)
{
	char path[96];
	uint8_t is[32];
	int opened;
	struct repository_source s = { 0 };
	uint64_t at, size;
	struct repository_tar_writer w = { .fd = -1 };
	blob_path(b->digest, path);
	if (!repository_tree_open(t, path, &opened, &at, &size, e))
		return false;
	auto_fd fd = opened;
	if (size != b->size)
		return err_fail(e, ERR_DENIED, "%s: %llu bytes, want %llu",
			path, (unsigned long long)size,
			(unsigned long long)b->size);
	s.fd = fd;
	s.size = at + size;
	uint8_t *block = malloc(BLOCK);
	bool ok = (block || err_fail(e, ERR_LIMIT, "no memory")) &&
		repository_temporary(r, &b->fd, e) &&
		crypto_hash_new(CRYPTO_SHA256, &w.hash, e);
	w.fd = b->fd;
	for (; ok && at < s.size; at += BLOCK) {
		size_t n = s.size - at < BLOCK ? (size_t)(s.size - at) : BLOCK;
		ok = repository_source_read(&s, at, block, n, e) &&
			repository_tar_data(&w, bytes_of(block, n), e);
	}
	ok = ok && crypto_hash_end(w.hash, is, e);
	crypto_hash_free(w.hash);
	free(block);
	if (ok && memcmp(is, b->digest, sizeof is) != 0)
		ok = err_fail(e, ERR_DENIED, "%s: has another digest", path);
	return ok;
}

bool repository_layout_read(struct repository *r,
	const struct repository_tree *t, const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	auto_buf text = { 0 };
	if (!find_manifest(t, &text, e) ||
		!repository_package_manifest(p, buf_bytes(&text), NULL, e))
		return false;
	for (size_t i = 0; i < p->blob_count; i++) {
		int at = (int)i;
		bool runs = at == p->module || at == p->toml || at == p->data;
		if ((runs || o->everything) &&
			!take_blob(r, t, &p->blobs[i], e))
			return false;
	}
	return repository_package_files(r, p, e);
}

/* --- writing a layout ---------------------------------------------------- */

static bool put_file(struct repository_tar_writer *w, const char *path,
	struct bytes contents, struct err *e)
{
	return repository_tar_entry(w, path, false, contents.len, e) &&
		repository_tar_data(w, contents, e) && repository_tar_pad(w, e);
}

static bool put_blob(struct repository_tar_writer *w,
	const struct repository_blob *b, struct err *e)
{
	char path[96];
	const struct repository_source s = { b->fd, buf_bytes(&b->bytes),
		b->size };
	blob_path(b->digest, path);
	if (!repository_tar_entry(w, path, false, b->size, e))
		return false;
	uint8_t *block = malloc(BLOCK);
	bool ok = block || err_fail(e, ERR_LIMIT, "no memory");
	for (uint64_t at = 0; ok && at < b->size; at += BLOCK) {
		size_t n =
			b->size - at < BLOCK ? (size_t)(b->size - at) : BLOCK;
		ok = repository_source_read(&s, at, block, n, e) &&
			repository_tar_data(w, bytes_of(block, n), e);
	}
	free(block);
	return ok && repository_tar_pad(w, e);
}

static bool put_index(struct repository_tar_writer *w,
	const struct repository_package *p, struct err *e)
{
	auto_buf text = { 0 };
	char digest[REPOSITORY_DIGEST_TEXT];
	repository_digest_show(p->digest, digest);
	buf_fmt(&text,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX
		"\",\"manifests\":[{\"mediaType\":\"" MEDIA_MANIFEST
		"\",\"digest\":\"%s\",\"size\":%zu}]}",
		digest, p->manifest.len);
	if (!buf_ok(&text))
		return err_fail(e, ERR_LIMIT, "no memory");
	return put_file(w, "index.json", buf_bytes(&text), e);
}

struct order {
	const struct repository_blob *blob; /* NULL: the manifest */
	const uint8_t *digest;
};

static int by_digest(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	return memcmp(x->digest, y->digest, 32);
}

/* Blobs by their digests, each once. */
static bool put_blobs(struct repository_tar_writer *w,
	const struct repository_package *p, struct err *e)
{
	struct order all[REPOSITORY_MAX_BLOBS + 1];
	char path[96];
	size_t n = 0;
	for (size_t i = 0; i < p->blob_count; i++)
		all[n++] = (struct order){ &p->blobs[i], p->blobs[i].digest };
	all[n++] = (struct order){ NULL, p->digest };
	qsort(all, n, sizeof *all, by_digest);
	for (size_t i = 0; i < n; i++) {
		if (i && !memcmp(all[i].digest, all[i - 1].digest, 32))
			continue;
		blob_path(all[i].digest, path);
		if (!(all[i].blob ? put_blob(w, all[i].blob, e) :
				    put_file(w, path, buf_bytes(&p->manifest),
					    e)))
			return false;
	}
	return true;
}

static bool write_layout(int fd, const struct repository_package *p,
	struct err *e)
{
	struct repository_tar_writer w = { .fd = fd };
	return repository_tar_entry(&w, "blobs", true, 0, e) &&
		repository_tar_entry(&w, "blobs/sha256", true, 0, e) &&
		put_blobs(&w, p, e) && put_index(&w, p, e) &&
		put_file(&w, "oci-layout", bytes_str(layout_text), e) &&
		repository_tar_end(&w, e);
}

static bool export_layout(const struct repository_package *p, const char *path,
	struct err *e)
{
	char made[1100];
	auto_fd fd = file_begin(path, made, sizeof made);
	if (fd < 0)
		return err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
	bool whole = write_layout(fd, p, e);
	if (file_end(fd, made, whole, 0644, path))
		return true;
	return whole && err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
}

/* --- writing a folder ----------------------------------------------------- */

static bool write_part(int dir, const char *path,
	const struct repository_source *s, uint64_t at, uint64_t size,
	struct err *e)
{
	auto_fd fd = openat(dir, path,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	struct repository_tar_writer w = { .fd = fd };
	if (fd < 0)
		return err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
	uint8_t *block = malloc(BLOCK);
	bool ok = block || err_fail(e, ERR_LIMIT, "no memory");
	for (uint64_t done = 0; ok && done < size; done += BLOCK) {
		size_t n = size - done < BLOCK ? (size_t)(size - done) : BLOCK;
		ok = repository_source_read(s, at + done, block, n, e) &&
			repository_tar_data(&w, bytes_of(block, n), e);
	}
	free(block);
	return ok || err_wrap(e, "%s", path);
}

/* Only what the archive's own check let through; all of it in a new folder
 * that holds nothing else, so no link is on the way. */
static bool make_way(int dir, const char *path, struct err *e)
{
	char part[REPOSITORY_PATH_MAX + 1];
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		fmt(part, sizeof part, "%.*s", (int)(p - path), path);
		if (mkdirat(dir, part, 0755) && errno != EEXIST)
			return err_fail(e, ERR_HOST, "%s: %s", part,
				strerror(errno));
	}
	return true;
}

static bool write_blob(int dir, const char *path,
	const struct repository_blob *b, struct err *e)
{
	const struct repository_source s = { b->fd, buf_bytes(&b->bytes),
		b->size };
	return make_way(dir, path, e) &&
		write_part(dir, path, &s, 0, b->size, e);
}

static bool write_files(int dir, const struct repository_package *p,
	struct err *e)
{
	const struct repository_source s = { .fd = p->data_fd,
		.size = UINT64_MAX };
	for (size_t i = 0; i < p->file_count; i++) {
		const struct repository_file *f = &p->files[i];
		if (!make_way(dir, f->path, e))
			return false;
		if (f->directory) {
			if (mkdirat(dir, f->path, 0755) && errno != EEXIST)
				return err_fail(e, ERR_HOST, "%s: %s", f->path,
					strerror(errno));
		} else if (!write_part(dir, f->path, &s, f->at, f->size, e)) {
			return false;
		}
	}
	return true;
}

/* Where the Donjon.toml will look for the module. */
static bool module_path(const struct repository_package *p, char out[256],
	struct err *e)
{
	struct repository_recipe recipe = { 0 };
	auto_buf toml = { 0 };
	if (p->toml >= 0) {
		if (!repository_package_toml(p, &toml, e) ||
			!repository_recipe_parse(buf_bytes(&toml), p->name,
				&recipe, e))
			return false;
		buf_fini(&recipe.folders);
	}
	const char *title = p->blobs[p->module].title;
	fmt(out, 256, "%s",
		recipe.module[0]		? recipe.module :
			p->toml < 0 && title[0] ? title :
						  "main.wasm");
	return true;
}

static bool fill_folder(int dir, const struct repository_package *p,
	struct err *e)
{
	char module[256];
	if (!module_path(p, module, e))
		return false;
	/* The files first: what they need not be is the module. */
	return write_files(dir, p, e) &&
		(p->toml < 0 ||
			write_blob(dir, "Donjon.toml", &p->blobs[p->toml],
				e)) &&
		write_blob(dir, module, &p->blobs[p->module], e);
}

/* Removes what fill_folder made; names only that it can have made. */
static void empty_folder(int dir, const struct repository_package *p)
{
	char module[256], part[REPOSITORY_PATH_MAX + 1];
	if (module_path(p, module, NULL)) {
		unlinkat(dir, module, 0);
		for (char *slash; (slash = strrchr(module, '/'));) {
			*slash = '\0';
			unlinkat(dir, module, AT_REMOVEDIR);
		}
	}
	unlinkat(dir, "Donjon.toml", 0);
	for (size_t i = p->file_count; i-- > 0;) {
		fmt(part, sizeof part, "%s", p->files[i].path);
		unlinkat(dir, part, p->files[i].directory ? AT_REMOVEDIR : 0);
		for (char *slash; (slash = strrchr(part, '/'));) {
			*slash = '\0';
			unlinkat(dir, part, AT_REMOVEDIR);
		}
	}
}

static bool export_folder(const struct repository_package *p, const char *path,
	struct err *e)
{
	char temporary[1100];
	struct stat st;
	if (!lstat(path, &st))
		return err_fail(e, ERR_INPUT, "%s: is there already", path);
	fmt(temporary, sizeof temporary, "%s.XXXXXX", path);
	if (!mkdtemp(temporary))
		return err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
	auto_fd dir = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = dir >= 0 ?
		fill_folder(dir, p, e) :
		err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
	if (ok && (fchmod(dir, 0755) || rename(temporary, path)))
		ok = err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
	if (!ok) {
		if (dir >= 0)
			empty_folder(dir, p);
		rmdir(temporary);
	}
	return ok;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), k = strlen(with);
	return n >= k && !strcmp(text + n - k, with);
}

bool repository_export(struct repository *r, const struct repository_package *p,
	const char *path, struct err *e)
{
	(void)r;
	if (strlen(path) > 1024)
		return err_fail(e, ERR_LIMIT, "path too long");
	return ends(path, ".tar") ? export_layout(p, path, e) :
				    export_folder(p, path, e);
}
