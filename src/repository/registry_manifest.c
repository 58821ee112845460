/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, tags and referrers of a registry. */
#include <stdlib.h>

#include "base/fmt.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "repository/registry.h"

enum { MAX_PAGES = 100, MAX_TAGS = 100000, PATH_LEN = 512 };

void repository_digest_tag(const uint8_t digest[32], const char *suffix,
	char out[129])
{
	char hex[65];
	hex_encode(bytes_of(digest, 32), hex);
	fmt(out, 129, "sha256-%s%s", hex, suffix);
}

/* The digest is what the bytes say, whatever the registry says. */
static bool judge(const struct net_web_answer *a, bool pinned,
	uint8_t digest[32], struct err *e)
{
	uint8_t is[32], said[32];
	char text[REPOSITORY_DIGEST_TEXT];
	if (!crypto_digest(CRYPTO_SHA256, buf_bytes(&a->body), is, e))
		return false;
	const char *header = net_web_header(a, "docker-content-digest");
	repository_digest_show(is, text);
	if (header && !strncmp(header, "sha256:", 7) &&
		(!repository_digest_parse(header, said, e) ||
			memcmp(said, is, sizeof is) != 0))
		return err_fail(e, ERR_DENIED,
			"manifest: is %s, the registry says another digest",
			text);
	if (pinned && memcmp(digest, is, sizeof is) != 0)
		return err_fail(e, ERR_DENIED,
			"manifest: is %s, not what was asked for", text);
	memcpy(digest, is, sizeof is);
	return true;
}

static bool fetch(struct repository_registry *g, const char *path,
	struct net_web_answer *a, struct err *e)
{
	static const char *const headers[] = { "Accept: " MEDIA_MANIFEST
					       ", " MEDIA_INDEX
					       ", " MEDIA_DOCKER
					       ", " MEDIA_DOCKER_LIST,
		NULL };
	struct net_web_request q = { .method = "GET",
		.headers = headers,
		.max_bytes = REPOSITORY_MAX_MANIFEST };
	return repository_registry_do(g, path, &q, a, e);
}

bool repository_manifest_get(struct repository_registry *g, const char *name,
	const char *tag, bool pinned, uint8_t digest[32], struct buf *out,
	char content_type[128], bool *found, struct err *e)
{
	char path[PATH_LEN], text[REPOSITORY_DIGEST_TEXT];
	struct net_web_answer a = { 0 };
	content_type[0] = '\0';
	if (pinned) {
		if (!repository_need_cache(g->r, e) ||
			!repository_cache_read(&g->r->cache, digest,
				REPOSITORY_MAX_MANIFEST, out, found, e))
			return false;
		if (*found)
			return true;
		repository_digest_show(digest, text);
	}
	fmt(path, sizeof path, "%s/manifests/%s", name, pinned ? text : tag);
	bool ok = fetch(g, path, &a, e);
	*found = ok && a.status == 200;
	if (ok && !*found && a.status != 404)
		ok = repository_registry_refused(&a, "manifest", e);
	if (*found) {
		const char *type = net_web_header(&a, "content-type");
		fmt(content_type, 128, "%s", type ? type : "");
		ok = judge(&a, pinned, digest, e);
		if (ok && !buf_put(out, buf_bytes(&a.body)))
			ok = err_fail(e, ERR_LIMIT, "no memory");
	}
	net_web_answer_fini(&a);
	return ok;
}

bool repository_manifest_put(struct repository_registry *g, const char *name,
	const char *tag, const char *media_type, struct bytes manifest,
	bool *subject, struct err *e)
{
	char path[PATH_LEN], type[160], text[REPOSITORY_DIGEST_TEXT];
	uint8_t digest[32];
	const char *const headers[] = { type, NULL };
	struct net_web_request q = { .method = "PUT",
		.headers = headers,
		.body = manifest,
		.max_bytes = REPOSITORY_MAX_MANIFEST };
	struct net_web_answer a = { 0 };
	if (!crypto_digest(CRYPTO_SHA256, manifest, digest, e))
		return false;
	repository_digest_show(digest, text);
	fmt(type, sizeof type, "Content-Type: %s", media_type);
	fmt(path, sizeof path, "%s/manifests/%s", name, tag ? tag : text);
	bool ok = repository_registry_do(g, path, &q, &a, e);
	if (ok && a.status != 201)
		ok = repository_registry_refused(&a, "manifest", e);
	*subject = ok && net_web_header(&a, "oci-subject");
	const char *header =
		ok ? net_web_header(&a, "docker-content-digest") : NULL;
	if (header && strcmp(header, text) != 0)
		ok = err_fail(e, ERR_HOST, "manifest: the registry changed it");
	net_web_answer_fini(&a);
	return ok;
}

bool repository_subject_find(struct repository_registry *g,
	const struct repository_reference *ref,
	struct repository_descriptor *out, struct err *e)
{
	struct repository_descriptor d = { 0 };
	auto_buf text = { 0 };
	char type[128];
	struct repository_manifest m;
	bool found;
	memcpy(d.digest, ref->digest, 32);
	if (!repository_manifest_get(g, ref->name, ref->tag, ref->pinned,
		    d.digest, &text, type, &found, e))
		return false;
	if (!found)
		return err_fail(e, ERR_INPUT,
			"the registry has no such package");
	if (!repository_manifest_parse(buf_bytes(&text), type, &m, e))
		return false;
	fmt(d.media_type, sizeof d.media_type, "%s", m.media_type);
	repository_manifest_fini(&m);
	d.size = text.len;
	*out = d;
	return true;
}

/* --- referrers ---------------------------------------------------------- */

bool repository_referrers_get(struct repository_registry *g, const char *name,
	const uint8_t digest[32], struct buf *out, bool *found, struct err *e)
{
	char path[PATH_LEN], text[REPOSITORY_DIGEST_TEXT], tag[129], type[128];
	uint8_t is[32];
	struct net_web_answer a = { 0 };
	repository_digest_show(digest, text);
	fmt(path, sizeof path, "%s/referrers/%s", name, text);
	bool ok = fetch(g, path, &a, e);
	*found = ok && a.status == 200;
	if (*found && !buf_put(out, buf_bytes(&a.body)))
		ok = err_fail(e, ERR_LIMIT, "no memory");
	net_web_answer_fini(&a);
	if (!ok || *found)
		return ok;
	/* "Unavailable Referrers API" */
	repository_digest_tag(digest, "", tag);
	return repository_manifest_get(g, name, tag, false, is, out, type,
		found, e);
}

static bool is_in(const struct repository_manifest *index,
	const uint8_t digest[32])
{
	for (size_t i = 0; i < index->count; i++)
		if (!memcmp(index->layers[i].digest, digest, 32))
			return true;
	return false;
}

/* The index that is there, or an empty one. */
static bool old_index(struct repository_registry *g, const char *name,
	const char *tag, struct repository_manifest *out, struct err *e)
{
	auto_buf text = { 0 };
	char type[128];
	uint8_t is[32];
	bool found;
	if (!repository_manifest_get(g, name, tag, false, is, &text, type,
		    &found, e))
		return false;
	if (!found)
		buf_str(&text,
			"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX
			"\",\"manifests\":[]}");
	if (!repository_manifest_parse(buf_bytes(&text), NULL, out, e))
		return false;
	if (out->index)
		return true;
	repository_manifest_fini(out);
	return err_fail(e, ERR_INPUT, "referrers: tag %s is no index", tag);
}

/* Adds one to the tag in place of the API. */
static bool add_referrer(struct repository_registry *g, const char *name,
	const uint8_t subject[32], const struct repository_descriptor *d,
	struct err *e)
{
	char tag[129];
	struct repository_manifest index;
	auto_buf text = { 0 };
	bool ignored;
	repository_digest_tag(subject, "", tag);
	if (!old_index(g, name, tag, &index, e))
		return false;
	bool ok = true;
	if (!is_in(&index, d->digest)) {
		json_t *x = repository_descriptor_json(d);
		ok = x &&
			!json_object_set_new(x, "artifactType",
				json_string(d->artifact_type)) &&
			!json_array_append(json_object_get(index.document,
						   "manifests"),
				x);
		json_decref(x);
		ok = ok && json_print(index.document, &text, NULL);
		if (!ok)
			err_put(e, ERR_LIMIT, "no memory");
		ok = ok &&
			repository_manifest_put(g, name, tag, MEDIA_INDEX,
				buf_bytes(&text), &ignored, e);
	}
	repository_manifest_fini(&index);
	return ok;
}

bool repository_attach(struct repository_registry *g, const char *name,
	const char *tag, const uint8_t subject[32], const char *artifact_type,
	struct bytes manifest, struct err *e)
{
	struct repository_descriptor d = { .size = manifest.len };
	bool referrers;
	if (!repository_manifest_put(g, name, tag, MEDIA_MANIFEST, manifest,
		    &referrers, e) ||
		!crypto_digest(CRYPTO_SHA256, manifest, d.digest, e))
		return false;
	fmt(d.media_type, sizeof d.media_type, "%s", MEDIA_MANIFEST);
	fmt(d.artifact_type, sizeof d.artifact_type, "%s", artifact_type);
	return referrers || add_referrer(g, name, subject, &d, e);
}

/* --- tags --------------------------------------------------------------- */

static bool take_tags(const struct net_web_answer *a, json_t *all,
	struct err *e)
{
	json_t *o = NULL, *v;
	size_t i;
	if (!json_parse(buf_bytes(&a->body), REPOSITORY_MAX_MANIFEST, &o, e))
		return err_wrap(e, "tags");
	bool ok = true;
	json_array_foreach(json_object_get(o, "tags"), i, v)
	{
		const char *tag = json_string_value(v);
		if (!tag || !repository_is_tag(tag))
			ok = err_fail(e, ERR_INPUT, "tags: not a tag");
		else if (json_array_size(all) == MAX_TAGS)
			ok = err_fail(e, ERR_LIMIT, "tags: more than %d",
				MAX_TAGS);
		else if (json_array_append(all, v))
			ok = err_fail(e, ERR_LIMIT, "no memory");
		if (!ok)
			break;
	}
	json_decref(o);
	return ok;
}

/* "</v2/x/tags/list?last=b&n=2>; rel=\"next\"": the next page's address, which
 * must be the registry's own; "" when this is the last one. */
static bool next_page(const struct net_web_answer *a,
	char next[NET_WEB_MAX_URL], struct err *e)
{
	const char *link = net_web_header(a, "link");
	char to[1024];
	bool same;
	next[0] = '\0';
	if (!link)
		return true;
	const char *begin = strchr(link, '<');
	size_t n = begin ? strcspn(begin + 1, ">") : 0;
	if (!n || n >= sizeof to || !strstr(link, "next"))
		return true;
	fmt(to, sizeof to, "%.*s", (int)n, begin + 1);
	if (!net_web_resolve(a->url, to, false, next, &same, e))
		return false;
	return same ||
		err_fail(e, ERR_DENIED, "tags: the next page is elsewhere");
}

bool repository_tags_get(struct repository_registry *g, const char *name,
	json_t **out, struct err *e)
{
	char path[PATH_LEN];
	json_t *all = json_array();
	struct net_web_answer a = { 0 };
	char *next = calloc(1, NET_WEB_MAX_URL);
	bool ok = (all && next) || err_fail(e, ERR_LIMIT, "no memory");
	fmt(path, sizeof path, "%s/tags/list?n=1000", name);
	for (unsigned page = 0; ok; page++) {
		struct net_web_request q = { .method = "GET",
			.url = next,
			.max_bytes = REPOSITORY_MAX_MANIFEST };
		ok = repository_registry_do(g, page ? NULL : path, &q, &a, e);
		if (ok && a.status != 200)
			ok = repository_registry_refused(&a, "tags", e);
		ok = ok && take_tags(&a, all, e) && next_page(&a, next, e);
		if (ok && !next[0])
			break;
		if (ok && page + 1 == MAX_PAGES)
			ok = err_fail(e, ERR_LIMIT, "tags: more than %d pages",
				MAX_PAGES);
	}
	net_web_answer_fini(&a);
	free(next);
	if (ok)
		*out = all;
	else
		json_decref(all);
	return ok;
}
