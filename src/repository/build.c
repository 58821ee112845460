/* SPDX-License-Identifier: Apache-2.0 */
/* Makes packages, reproducibly: the same contents give the same digest. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "repository/package.h"
#include "repository/path.h"
#include "repository/reference.h"

enum { BLOCK = 256 << 10, MAX_SBOM = 64 << 20 };

static bool no_memory(struct err *e)
{
	return err_fail(e, ERR_LIMIT, "no memory");
}

static bool add_bytes(struct repository_package *p, const char *media_type,
	const char *title, struct buf *bytes, struct err *e)
{
	struct repository_blob *b =
		repository_package_add(p, media_type, title);
	if (!b)
		return no_memory(e);
	b->bytes = *bytes;
	b->size = bytes->len;
	*bytes = (struct buf){ 0 };
	return crypto_digest(CRYPTO_SHA256, buf_bytes(&b->bytes), b->digest, e);
}

/* --- the data ----------------------------------------------------------- */

struct entries {
	struct repository_tar_entry *list;
	size_t count;
};

static bool push(struct entries *all, const char *path, size_t n,
	const struct repository_tar_entry *like, struct err *e)
{
	if (!(all->count & (all->count - 1))) {
		size_t room = all->count ? 2 * all->count : 1;
		void *p = realloc(all->list, room * sizeof *all->list);
		if (!p)
			return no_memory(e);
		all->list = p;
	}
	struct repository_tar_entry x = *like;
	x.path = strndup(path, n);
	if (!x.path)
		return no_memory(e);
	all->list[all->count++] = x;
	return true;
}

/* The folders on the way to it, which an archive may leave out. */
static bool push_way(struct entries *all, const char *path, struct err *e)
{
	static const struct repository_tar_entry folder = { .directory = true };
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		if (!push(all, path, (size_t)(p - path), &folder, e))
			return false;
	return true;
}

static bool gather_folder(const struct repository_tree *t, const char *folder,
	struct entries *all, struct err *e)
{
	static const struct repository_tar_entry like = { .directory = true };
	struct repository_tar found;
	if (!repository_tree_list(t, folder, &found, e))
		return false;
	bool ok = push_way(all, folder, e) &&
		push(all, folder, strlen(folder), &like, e);
	for (size_t i = 0; ok && i < found.count; i++) {
		const char *path = found.entries[i].path;
		ok = push_way(all, path, e) &&
			push(all, path, strlen(path), &found.entries[i], e);
	}
	repository_tar_fini(&found);
	return ok;
}

static int by_path(const void *a, const void *b)
{
	const struct repository_tar_entry *x = a, *y = b;
	return strcmp(x->path, y->path);
}

/* In order, each once. */
static void settle(struct entries *all)
{
	size_t n = 0;
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, by_path);
	for (size_t i = 0; i < all->count; i++) {
		if (n && !strcmp(all->list[n - 1].path, all->list[i].path))
			free(all->list[i].path);
		else
			all->list[n++] = all->list[i];
	}
	all->count = n;
}

static bool copy_file(struct repository_tar_writer *w,
	const struct repository_tree *t, const struct repository_tar_entry *x,
	uint8_t *block, struct err *e)
{
	int opened;
	struct repository_source s = { 0 };
	uint64_t at, size;
	if (!repository_tree_open(t, x->path, &opened, &at, &size, e))
		return false;
	auto_fd fd = opened;
	if (size != x->size)
		return err_fail(e, ERR_INPUT, "%s: changed meanwhile", x->path);
	s.fd = fd;
	s.size = at + size;
	while (at < s.size) {
		size_t n = s.size - at < BLOCK ? (size_t)(s.size - at) : BLOCK;
		if (!repository_source_read(&s, at, block, n, e))
			return err_wrap(e, "%s", x->path);
		if (!repository_tar_data(w, bytes_of(block, n), e))
			return false;
		at += n;
	}
	return repository_tar_pad(w, e);
}

static bool write_tar(struct repository_tar_writer *w,
	const struct repository_tree *t, const struct entries *all,
	struct err *e)
{
	uint8_t *block = malloc(BLOCK);
	bool ok = block || no_memory(e);
	for (size_t i = 0; ok && i < all->count; i++) {
		const struct repository_tar_entry *x = &all->list[i];
		ok = repository_tar_entry(w, x->path, x->directory, x->size,
			     e) &&
			(x->directory || copy_file(w, t, x, block, e));
		if (ok && w->bytes > REPOSITORY_MAX_DATA)
			ok = err_fail(e, ERR_LIMIT,
				"data: larger than %llu bytes",
				(unsigned long long)REPOSITORY_MAX_DATA);
	}
	free(block);
	return ok && repository_tar_end(w, e);
}

static bool add_data(struct repository *r, const struct repository_tree *t,
	const struct repository_recipe *recipe, struct repository_package *p,
	struct err *e)
{
	struct entries all = { 0 };
	struct repository_tar_writer w = { .fd = -1 };
	const char *folder = (const char *)recipe->folders.ptr;
	bool ok = true;
	for (size_t i = 0; ok && i < recipe->folder_count; i++) {
		ok = gather_folder(t, folder, &all, e);
		folder += strlen(folder) + 1;
	}
	settle(&all);
	struct repository_blob *b =
		ok ? repository_package_add(p, MEDIA_DATA, "data.tar") : NULL;
	if (ok && !b)
		ok = no_memory(e);
	ok = ok && repository_temporary(r, &b->fd, e) &&
		crypto_hash_new(CRYPTO_SHA256, &w.hash, e);
	if (ok) {
		w.fd = b->fd;
		ok = write_tar(&w, t, &all, e) &&
			crypto_hash_end(w.hash, b->digest, e);
		b->size = w.bytes;
		p->data = (int)p->blob_count - 1;
	}
	crypto_hash_free(w.hash);
	for (size_t i = 0; i < all.count; i++)
		free(all.list[i].path);
	free(all.list);
	return ok && repository_package_files(r, p, e);
}

/* --- SBOMs, config, manifest -------------------------------------------- */

static const char *sbom_type(struct bytes text)
{
	static const char cyclonedx[] = "CycloneDX", spdx[] = "\"SPDXRef-";
	if (memmem(text.ptr, text.len, cyclonedx, strlen(cyclonedx)))
		return MEDIA_CYCLONEDX;
	return memmem(text.ptr, text.len, spdx, strlen(spdx)) ? MEDIA_SPDX :
								"text/spdx";
}

static bool add_sboms(const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	for (size_t i = 0; i < o->sbom_count; i++) {
		auto_buf text = { 0 };
		char title[256];
		struct bytes name = repository_name(o->sboms[i]);
		fmt(title, sizeof title, "%.*s", (int)name.len, name.ptr);
		if (!repository_path_ok(bytes_str(title), e) ||
			!repository_read_file(o->sboms[i], MAX_SBOM, &text, e))
			return false;
		if (!add_bytes(p, sbom_type(buf_bytes(&text)), title, &text, e))
			return false;
	}
	return true;
}

/* $SOURCE_DATE_EPOCH, or the beginning of time: not when it was built. */
static void created(char out[32])
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	time_t t = epoch ? (time_t)strtoll(epoch, &end, 10) : 0;
	struct tm tm;
	if (!epoch || *end || !*epoch || !gmtime_r(&t, &tm)) {
		t = 0;
		gmtime_r(&t, &tm);
	}
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* CNCF TAG Runtime, "Wasm OCI artifact layout", config. */
static bool put_config(struct repository_package *p, struct err *e)
{
	char when[32], text[REPOSITORY_DIGEST_TEXT];
	struct repository_blob *b = &p->blobs[0];
	json_t *digests = json_array();
	created(when);
	for (size_t i = 1; digests && i < p->blob_count; i++) {
		repository_digest_show(p->blobs[i].digest, text);
		if (json_array_append_new(digests, json_string(text)))
			break;
	}
	json_t *o = json_pack("{s:s, s:s, s:s, s:o}", "created", when,
		"architecture", "wasm", "os", "wasip1", "layerDigests",
		digests);
	bool ok = o && json_print(o, &b->bytes, NULL);
	json_decref(o);
	b->size = b->bytes.len;
	return (ok || no_memory(e)) &&
		crypto_digest(CRYPTO_SHA256, buf_bytes(&b->bytes), b->digest,
			e);
}

static json_t *blob_json(const struct repository_blob *b)
{
	struct repository_descriptor d = { .size = b->size };
	memcpy(d.digest, b->digest, sizeof d.digest);
	fmt(d.media_type, sizeof d.media_type, "%s", b->media_type);
	if (b->title[0])
		d.annotations = json_pack("{s:s}",
			"org.opencontainers.image.title", b->title);
	json_t *o = repository_descriptor_json(&d);
	json_decref(d.annotations);
	return o;
}

static bool put_annotations(const struct repository_options *o, json_t *into,
	struct err *e)
{
	for (size_t i = 0; i < o->annotation_count; i++) {
		const char *text = o->annotations[i];
		char key[256];
		size_t n = strcspn(text, "=");
		if (!n || !text[n] || n >= sizeof key)
			return err_fail(e, ERR_INPUT,
				"annotation: %s: want KEY=VALUE", text);
		fmt(key, sizeof key, "%.*s", (int)n, text);
		if (json_object_set_new(into, key, json_string(text + n + 1)))
			return err_fail(e, ERR_INPUT,
				"annotation: %s: not UTF-8", key);
	}
	return true;
}

static json_t *manifest_json(const struct repository_package *p)
{
	json_t *layers = json_array();
	for (size_t i = 1; i < p->blob_count; i++)
		if (json_array_append_new(layers, blob_json(&p->blobs[i]))) {
			json_decref(layers);
			return NULL;
		}
	return json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2,
		"mediaType", MEDIA_MANIFEST, "config", blob_json(&p->blobs[0]),
		"layers", layers);
}

static bool put_manifest(const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	json_t *m = manifest_json(p), *notes = json_object();
	bool ok = (m && notes) || no_memory(e);
	ok = ok && put_annotations(o, notes, e);
	/* The order of keys is that of their names, not of the command's. */
	char *sorted = ok ? json_dumps(notes, JSON_SORT_KEYS) : NULL;
	json_t *in_order = sorted ? json_loads(sorted, 0, NULL) : NULL;
	free(sorted);
	if (ok && json_object_size(notes))
		ok = (in_order &&
			     !json_object_set(m, "annotations", in_order)) ||
			no_memory(e);
	if (ok && !json_print(m, &p->manifest, e))
		ok = false;
	json_decref(in_order);
	json_decref(notes);
	json_decref(m);
	if (ok && p->manifest.len > REPOSITORY_MAX_MANIFEST)
		ok = err_fail(e, ERR_LIMIT, "manifest: too large");
	return ok &&
		crypto_digest(CRYPTO_SHA256, buf_bytes(&p->manifest), p->digest,
			e);
}

/* --- together ------------------------------------------------------------ */

static bool is_module(struct bytes m)
{
	static const uint8_t magic[4] = { 0, 'a', 's', 'm' };
	return m.len >= sizeof magic && !memcmp(m.ptr, magic, sizeof magic);
}

/* The module is first: it is what others look for. */
static bool begin(struct repository_package *p, struct buf *module,
	const char *title, struct err *e)
{
	if (!is_module(buf_bytes(module)))
		return err_fail(e, ERR_INPUT,
			"%s: not a wasm module: it does not begin with its "
			"magic",
			title);
	if (!repository_package_add(p, MEDIA_WASM_CONFIG, ""))
		return no_memory(e);
	p->module = 1;
	return add_bytes(p, MEDIA_WASM, title, module, e);
}

static bool end(const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	return add_sboms(o, p, e) && put_config(p, e) && put_manifest(o, p, e);
}

/* Its folders are beside the Donjon.toml that names them. */
static bool add_beside(struct repository *r, const char *config,
	const struct repository_recipe *recipe, struct repository_package *p,
	struct err *e)
{
	char folder[1024];
	const char *slash = strrchr(config, '/');
	fmt(folder, sizeof folder, "%.*s",
		slash ? (int)(slash - config) + 1 : 1, slash ? config : ".");
	auto_fd fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_fail(e, ERR_INPUT, "%s: %s", folder,
			strerror(errno));
	const struct repository_tree t = { .dir_fd = fd };
	return add_data(r, &t, recipe, p, e);
}

static bool add_config(struct repository *r, const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	auto_buf toml = { 0 };
	struct repository_recipe recipe;
	if (!repository_read_file(o->config, REPOSITORY_MAX_CONFIG, &toml, e) ||
		!repository_recipe_parse(buf_bytes(&toml), o->config, &recipe,
			e))
		return false;
	bool ok = add_bytes(p, MEDIA_TOML, "Donjon.toml", &toml, e);
	p->toml = (int)p->blob_count - 1;
	if (ok && recipe.folder_count)
		ok = add_beside(r, o->config, &recipe, p, e);
	buf_fini(&recipe.folders);
	return ok;
}

bool repository_build_module(struct repository *r, struct buf *module,
	const char *name, const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	char title[256];
	struct bytes last = repository_name(name);
	fmt(title, sizeof title, "%.*s", (int)last.len, last.ptr);
	/* What is no name for others is none at all. */
	if (!repository_path_ok(bytes_str(title), NULL))
		fmt(title, sizeof title, "module.wasm");
	return begin(p, module, title, e) &&
		(!o->config || add_config(r, o, p, e)) && end(o, p, e);
}

/* The one Donjon.toml (or Enarx.toml), or the given one in its place. */
static bool find_toml(const struct repository_tree *t,
	const struct repository_options *o, struct buf *out, const char **title,
	struct err *e)
{
	uint64_t size;
	bool ours = repository_tree_has(t, "Donjon.toml", &size);
	bool theirs = repository_tree_has(t, "Enarx.toml", &size);
	*title = ours || !theirs ? "Donjon.toml" : "Enarx.toml";
	if (o->config) {
		*title = "Donjon.toml";
		return repository_read_file(o->config, REPOSITORY_MAX_CONFIG,
			out, e);
	}
	if (ours && theirs)
		return err_fail(e, ERR_INPUT,
			"both a Donjon.toml and an Enarx.toml");
	if (!ours && !theirs)
		return err_fail(e, ERR_INPUT, "no Donjon.toml in it");
	return repository_tree_read(t, *title, REPOSITORY_MAX_CONFIG, out, e);
}

/* As Donjon.toml says; main.wasm, as Enarx has it; or the only one. */
static bool find_module(const struct repository_tree *t,
	struct repository_recipe *r, struct err *e)
{
	auto_buf names = { 0 };
	size_t count;
	uint64_t size;
	if (r->module[0])
		return true;
	if (repository_tree_has(t, "main.wasm", &size)) {
		fmt(r->module, sizeof r->module, "main.wasm");
		return true;
	}
	if (!repository_tree_find(t, ".wasm", &names, &count, e))
		return false;
	if (!count)
		return err_fail(e, ERR_INPUT, "no module (*.wasm) in it");
	if (count > 1)
		return err_fail(e, ERR_INPUT,
			"%zu modules in it; say which: module = \"NAME.wasm\"",
			count);
	fmt(r->module, sizeof r->module, "%s", (const char *)names.ptr);
	return repository_path_ok(bytes_str(r->module), e);
}

static bool build_tree(struct repository *r, const struct repository_tree *t,
	const struct repository_options *o, struct repository_recipe *recipe,
	struct buf *toml, const char *title, struct repository_package *p,
	struct err *e)
{
	auto_wipe_buf module = { 0 };
	char name[256];
	if (!find_module(t, recipe, e) ||
		!repository_tree_read(t, recipe->module, REPOSITORY_MAX_MODULE,
			&module, e))
		return false;
	struct bytes last = repository_name(recipe->module);
	fmt(name, sizeof name, "%.*s", (int)last.len, last.ptr);
	if (!begin(p, &module, name, e) ||
		!add_bytes(p, MEDIA_TOML, title, toml, e))
		return false;
	p->toml = (int)p->blob_count - 1;
	if (recipe->folder_count && !add_data(r, t, recipe, p, e))
		return false;
	return end(o, p, e);
}

bool repository_build_tree(struct repository *r,
	const struct repository_tree *t, const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	auto_buf toml = { 0 };
	const char *title;
	struct repository_recipe recipe;
	if (!find_toml(t, o, &toml, &title, e))
		return false;
	if (!repository_recipe_parse(buf_bytes(&toml),
		    o->config ? o->config : title, &recipe, e))
		return false;
	bool ok = build_tree(r, t, o, &recipe, &toml, title, p, e);
	buf_fini(&recipe.folders);
	return ok;
}
