/* SPDX-License-Identifier: Apache-2.0 */
/* Packages from and to registries. */
#include "base/fmt.h"
#include "repository/package.h"
#include "repository/registry.h"
#include "repository/sign.h"
#include "repository/yank.h"

/* What was met on the way: an index may be signed, or what is in it. */
struct way {
	uint8_t digests[3][32];
	size_t count;
};

/* Tag or digest down to the manifest that runs here; its bytes. */
static bool resolve(struct repository_registry *g,
	const struct repository_reference *ref, struct buf *text,
	char type[128], struct way *way, struct err *e)
{
	uint8_t digest[32];
	bool pinned = ref->pinned;
	memcpy(digest, ref->digest, sizeof digest);
	for (unsigned depth = 0; depth < 3; depth++) {
		struct repository_manifest m;
		size_t which = 0;
		bool found;
		buf_clear(text);
		if (!repository_manifest_get(g, ref->name, ref->tag, pinned,
			    digest, text, type, &found, e))
			return false;
		if (!found)
			return err_fail(e, ERR_INPUT,
				"the registry has no such package");
		if (!repository_manifest_parse(buf_bytes(text), type, &m, e))
			return false;
		memcpy(way->digests[way->count++], digest, sizeof digest);
		bool more = m.index;
		bool ok = !more || repository_manifest_choose(&m, &which, e);
		if (ok && more)
			memcpy(digest, m.layers[which].digest, sizeof digest);
		repository_manifest_fini(&m);
		if (!ok || !more)
			return ok;
		pinned = true;
	}
	return err_fail(e, ERR_INPUT, "index: nested too deep");
}

static bool pull_blob(struct repository_registry *g, const char *name,
	struct repository_blob *b, struct err *e)
{
	struct repository_descriptor d = { .size = b->size };
	memcpy(d.digest, b->digest, sizeof d.digest);
	return repository_blob_get(g, name, &d, &b->fd, e);
}

/* What is wanted of the package, the missing ones at once. */
static bool pull_blobs(struct repository_registry *g, const char *name,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	size_t missing[REPOSITORY_MAX_BLOBS], count = 0;
	for (size_t i = 0; i < p->blob_count; i++) {
		int at = (int)i;
		bool runs = at == p->module || at == p->toml || at == p->data;
		if (!runs && !o->everything)
			continue;
		if (!repository_cache_has(&g->r->cache, p->blobs[i].digest))
			missing[count++] = i;
		else if (!pull_blob(g, name, &p->blobs[i], e))
			return false;
	}
	if (count == 1)
		return pull_blob(g, name, &p->blobs[missing[0]], e);
	return !count || repository_pull_many(g, name, p, missing, count, e);
}

/* Who asks for a tag is told; who only looks gets to see it. */
static bool look_for_yank(struct repository_registry *g,
	const struct repository_reference *ref,
	const struct repository_options *o, const struct way *way,
	struct repository_package *p, struct err *e)
{
	struct repository_yank y = { .yanked = false };
	if (ref->pinned)
		return true;
	if (!o->shallow)
		return repository_yank_check(g, ref->name,
			(const uint8_t(*)[32])way->digests, way->count, e);
	for (size_t i = 0; i < way->count && !y.yanked; i++)
		if (!repository_yank_find(g, ref->name, way->digests[i], &y, e))
			return false;
	p->yanked = y.yanked;
	fmt(p->yank_reason, sizeof p->yank_reason, "%s", y.reason);
	return true;
}

bool repository_pull(struct repository *r,
	const struct repository_reference *ref,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	struct repository_registry *g;
	auto_buf text = { 0 };
	char type[128];
	uint8_t signer[32];
	bool is_signed;
	struct way way = { 0 };
	if (!repository_registry_find(r, ref, &g, e) ||
		!resolve(g, ref, &text, type, &way, e) ||
		!repository_trust_check(o->trust, g, ref,
			(const uint8_t(*)[32])way.digests, way.count, signer,
			&is_signed, e) ||
		!look_for_yank(g, ref, o, &way, p, e) ||
		!repository_package_manifest(p, buf_bytes(&text), type, e) ||
		!repository_need_cache(r, e) ||
		!repository_cache_put(&r->cache, p->digest, buf_bytes(&text),
			e))
		return false;
	if (o->shallow)
		return true;
	if (!pull_blobs(g, ref->name, o, p, e))
		return false;
	struct repository_cache_info info = { 0 };
	/* Room is made now that everything of this one was used last. */
	return repository_cache_evict(&r->cache, r->cache.max_bytes, false,
		       &info, e) &&
		repository_package_files(r, p, e);
}

bool repository_push(struct repository *r, const struct repository_package *p,
	const char *reference, struct err *e)
{
	struct repository_reference ref;
	struct repository_registry *g;
	char shown[400];
	bool subject;
	if (!repository_reference_parse(reference, &ref, e))
		return false;
	repository_reference_show(&ref, shown, sizeof shown);
	if (ref.kind != REPOSITORY_OCI)
		return err_fail(e, ERR_INPUT, "%s: want oci://host/name[:tag]",
			shown);
	if (ref.pinned && memcmp(ref.digest, p->digest, 32) != 0)
		return err_fail(e, ERR_DENIED,
			"%s: the package has another digest", shown);
	if (!repository_registry_find(r, &ref, &g, e))
		return false;
	for (size_t i = 0; i < p->blob_count; i++) {
		const struct repository_blob *b = &p->blobs[i];
		if (!repository_blob_put(g, ref.name, b->digest, b->fd,
			    buf_bytes(&b->bytes), b->size, e))
			return err_wrap(e, "%s", shown);
	}
	return repository_manifest_put(g, ref.name, ref.tag[0] ? ref.tag : NULL,
		       MEDIA_MANIFEST, buf_bytes(&p->manifest), &subject, e) ||
		err_wrap(e, "%s", shown);
}
