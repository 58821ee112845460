/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/fmt.h"
#include "repository/copy.h"
#include "repository/registry.h"

static json_t *blob_json(const struct repository_package *p, size_t i)
{
	const struct repository_blob *b = &p->blobs[i];
	char digest[REPOSITORY_DIGEST_TEXT];
	int at = (int)i;
	repository_digest_show(b->digest, digest);
	const char *role = at == p->module ? "module" :
		at == p->toml		   ? "config" :
		at == p->data		   ? "data" :
					     "other";
	json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "role", role, "mediaType",
		b->media_type, "digest", digest, "size", (json_int_t)b->size);
	if (o && b->title[0])
		json_object_set_new(o, "title", json_string(b->title));
	return o;
}

static bool put_files(const struct repository_package *p, json_t *o)
{
	json_t *files = json_array();
	for (size_t i = 0; i < p->file_count; i++) {
		const struct repository_file *f = &p->files[i];
		json_t *x = json_pack("{s:s, s:I}", "path", f->path, "size",
			(json_int_t)f->size);
		if (x && f->directory)
			json_object_set_new(x, "directory", json_true());
		if (json_array_append_new(files, x))
			return false;
	}
	return !json_object_set_new(o, "files", files);
}

bool repository_describe(const struct repository_package *p, struct buf *out,
	struct err *e)
{
	struct repository_manifest m;
	char digest[REPOSITORY_DIGEST_TEXT];
	json_t *layers = json_array();
	if (!repository_manifest_parse(buf_bytes(&p->manifest), NULL, &m, e)) {
		json_decref(layers);
		return false;
	}
	repository_digest_show(p->digest, digest);
	for (size_t i = 1; i < p->blob_count; i++)
		json_array_append_new(layers, blob_json(p, i));
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o}", "reference", p->name,
		"digest", digest, "mediaType", m.media_type, "configType",
		m.config.media_type, "layers", layers);
	if (o && p->yanked)
		json_object_set_new(o, "yanked",
			json_string(p->yank_reason[0] ? p->yank_reason :
							"unknown"));
	bool ok = o && (p->data_fd < 0 || put_files(p, o));
	if (ok && m.annotations)
		ok = !json_object_set(o, "annotations", m.annotations);
	ok = ok && json_print(o, out, NULL);
	json_decref(o);
	repository_manifest_fini(&m);
	/* Names of files need not be UTF-8. */
	return ok || err_fail(e, ERR_INPUT, "cannot be told in JSON");
}

static bool find(struct repository *r, const char *text,
	struct repository_reference *ref, struct repository_registry **g,
	struct err *e)
{
	if (!repository_reference_parse(text, ref, e))
		return false;
	if (ref->kind != REPOSITORY_OCI)
		return err_fail(e, ERR_INPUT, "%s: want oci://host/name", text);
	return repository_registry_find(r, ref, g, e);
}

bool repository_list(struct repository *r, const char *reference, bool json,
	struct buf *out, struct err *e)
{
	struct repository_reference ref;
	struct repository_registry *g;
	json_t *tags, *tag;
	size_t i;
	if (!find(r, reference, &ref, &g, e))
		return false;
	if (!repository_tags_get(g, ref.name, &tags, e))
		return err_wrap(e, "%s/%s", ref.host, ref.name);
	bool ok = !json || json_print(tags, out, NULL);
	if (json)
		buf_str(out, "\n");
	else
		json_array_foreach(tags, i, tag)
			buf_fmt(out, "%s\n", json_string_value(tag));
	json_decref(tags);
	return (ok && buf_ok(out)) || err_fail(e, ERR_LIMIT, "no memory");
}

/* "host[:port]", or a whole reference of which that is taken. */
static bool host_of(const char *registry, struct repository_reference *ref,
	struct err *e)
{
	*ref = (struct repository_reference){ .kind = REPOSITORY_OCI };
	const char *p = strstr(registry, "://");
	ref->plain = p && !strncmp(registry, "oci+http", 8);
	p = p ? p + 3 : registry;
	fmt(ref->host, sizeof ref->host, "%.*s", (int)strcspn(p, "/"), p);
	return repository_is_host(ref->host) ||
		err_fail(e, ERR_INPUT, "%s: want a registry: host[:port]",
			registry);
}

bool repository_login(struct repository *r, const char *registry,
	const char *user, const char *secret, struct err *e)
{
	struct repository_reference ref;
	struct repository_registry *g;
	struct repository_login l = { 0 };
	if (!host_of(registry, &ref, e))
		return false;
	if (strlen(user) >= sizeof l.user || strchr(user, ':') || !*user)
		return err_fail(e, ERR_INPUT, "not a user's name");
	if (!*secret || strlen(secret) > REPOSITORY_MAX_SECRET)
		return err_fail(e, ERR_INPUT, "not a password");
	fmt(l.user, sizeof l.user, "%s", user);
	l.secret = strdup(secret);
	bool ok = (l.secret || err_fail(e, ERR_LIMIT, "no memory")) &&
		repository_registry_find(r, &ref, &g, e) &&
		repository_registry_login(g, &l, e) &&
		repository_registry_ping(g, e) &&
		repository_login_store(ref.host, &l, e);
	repository_login_fini(&l);
	return ok || err_wrap(e, "%s", ref.host);
}

bool repository_logout(const char *registry, bool *found, struct err *e)
{
	struct repository_reference ref;
	return host_of(registry, &ref, e) &&
		(repository_login_erase(ref.host, found, e) ||
			err_wrap(e, "%s", ref.host));
}
