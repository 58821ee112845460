/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/manifest.h"

#include <stdlib.h>

#include "base/fmt.h"
#include "repository/path.h"
#include "repository/reference.h"

static const char title_key[] = "org.opencontainers.image.title";

static const struct {
	const char *media_type;
	enum repository_role role;
} roles[] = {
	{ MEDIA_WASM, REPOSITORY_ROLE_MODULE },
	/* wasm-to-oci, and the specification's ancestor */
	{ "application/vnd.wasm.content.layer.v1+wasm",
		REPOSITORY_ROLE_MODULE },
	{ "application/vnd.module.wasm.content.layer.v1+wasm",
		REPOSITORY_ROLE_MODULE },
	{ MEDIA_TOML, REPOSITORY_ROLE_TOML },
	{ MEDIA_DATA, REPOSITORY_ROLE_DATA },
	{ MEDIA_DATA_GZIP, REPOSITORY_ROLE_DATA_GZIP },
	{ MEDIA_SIGNATURE, REPOSITORY_ROLE_SIGNATURE },
	{ MEDIA_SPDX, REPOSITORY_ROLE_SBOM },
	{ MEDIA_CYCLONEDX, REPOSITORY_ROLE_SBOM },
	{ "text/spdx", REPOSITORY_ROLE_SBOM },
};

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), k = strlen(with);
	return n >= k && !strcmp(text + n - k, with);
}

static enum repository_role role_of(const struct repository_descriptor *d)
{
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (!strcmp(d->media_type, roles[i].media_type))
			return roles[i].role;
	/* `oras push x app.wasm` calls every file so. */
	if (!strcmp(d->media_type, "application/vnd.oci.image.layer.v1.tar") &&
		ends(d->title, ".wasm"))
		return REPOSITORY_ROLE_MODULE;
	return REPOSITORY_ROLE_UNKNOWN;
}

/* RFC 6838 §4.2, one slash. */
static bool is_media_type(const char *p)
{
	size_t n = strspn(p,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789!#$&-^_.+/");
	return *p && !p[n] && strchr(p, '/') &&
		strchr(p, '/') == strrchr(p, '/');
}

static bool copy_type(const json_t *o, const char *key, bool required,
	char out[128], struct err *e)
{
	const char *text = NULL;
	if (!(required ? json_member_str(o, key, 127, &text, e) :
			 json_member_str_opt(o, key, 127, &text, e)))
		return false;
	if (text && *text && !is_media_type(text))
		return err_fail(e, ERR_INPUT, "%s: not a media type", key);
	if (text)
		fmt(out, 128, "%s", text);
	return true;
}

static bool read_annotations(json_t *o, json_t **out, struct err *e)
{
	json_t *a = json_object_get(o, "annotations");
	const char *key;
	json_t *value;
	*out = NULL;
	if (!a || json_is_null(a))
		return true;
	if (!json_is_object(a))
		return err_fail(e, ERR_INPUT, "annotations: not an object");
	json_object_foreach(a, key,
		value) if (!json_is_string(value)) return err_fail(e, ERR_INPUT,
		"annotations: a value is not a string");
	*out = a;
	return true;
}

static bool read_title(struct repository_descriptor *d, struct err *e)
{
	const char *title = d->annotations ?
		json_string_value(json_object_get(d->annotations, title_key)) :
		NULL;
	if (!title)
		return true;
	if (!repository_path_ok(bytes_str(title), e))
		return err_wrap(e, "title");
	if (strlen(title) >= sizeof d->title)
		return err_fail(e, ERR_LIMIT, "title: too long");
	fmt(d->title, sizeof d->title, "%s", title);
	return true;
}

static bool read_platform(const json_t *o, struct repository_descriptor *d,
	struct err *e)
{
	const json_t *p = json_object_get(o, "platform");
	const char *os = "", *architecture = "";
	if (!p || json_is_null(p))
		return true;
	if (!json_is_object(p))
		return err_fail(e, ERR_INPUT, "platform: not an object");
	if (!json_member_str_opt(p, "os", 30, &os, e) ||
		!json_member_str_opt(p, "architecture", 30, &architecture, e))
		return err_wrap(e, "platform");
	fmt(d->platform, sizeof d->platform, "%s/%s", os, architecture);
	return true;
}

static bool read_descriptor(json_t *o, struct repository_descriptor *d,
	struct err *e)
{
	const char *digest;
	if (!json_is_object(o))
		return err_fail(e, ERR_INPUT, "not an object");
	if (!copy_type(o, "mediaType", true, d->media_type, e) ||
		!copy_type(o, "artifactType", false, d->artifact_type, e) ||
		!json_member_str(o, "digest", 256, &digest, e) ||
		!json_member_u64(o, "size", 0, INT64_MAX, &d->size, e) ||
		!read_annotations(o, &d->annotations, e))
		return false;
	/* Contents from somewhere else are not this registry's. */
	if (json_array_size(json_object_get(o, "urls")))
		return err_fail(e, ERR_INPUT, "contents from other locations");
	if (!repository_digest_parse(digest, d->digest, e) ||
		!read_title(d, e) || !read_platform(o, d, e))
		return false;
	d->role = role_of(d);
	return true;
}

static bool read_list(json_t *list, size_t max, const char *what,
	struct repository_manifest *m, struct err *e)
{
	size_t n = json_array_size(list);
	if (!json_is_array(list))
		return err_fail(e, ERR_INPUT, "%s: missing", what);
	if (n > max)
		return err_fail(e, ERR_LIMIT, "%s: more than %zu", what, max);
	m->layers = calloc(n + 1, sizeof *m->layers);
	if (!m->layers)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (m->count = 0; m->count < n; m->count++)
		if (!read_descriptor(json_array_get(list, m->count),
			    &m->layers[m->count], e))
			return err_wrap(e, "%s[%zu]", what, m->count);
	return true;
}

static bool is_index_type(const char *t)
{
	return !strcmp(t, MEDIA_INDEX) || !strcmp(t, MEDIA_DOCKER_LIST);
}

static bool is_manifest_type(const char *t)
{
	return !strcmp(t, MEDIA_MANIFEST) || !strcmp(t, MEDIA_DOCKER);
}

/* "application/json; charset=utf-8" without its parameters. */
static void bare_type(const char *content_type, char out[128])
{
	size_t n = content_type ? strcspn(content_type, "; \t") : 0;
	fmt(out, 128, "%.*s", (int)size_min(n, 127), content_type);
}

/* What it says that it is, and what the server says, must be one. */
static bool read_type(struct repository_manifest *m, const char *content_type,
	struct err *e)
{
	char served[128];
	bare_type(content_type ? content_type : "", served);
	if (!copy_type(m->document, "mediaType", false, m->media_type, e))
		return false;
	if (!m->media_type[0])
		fmt(m->media_type, sizeof m->media_type, "%s",
			is_index_type(served) || is_manifest_type(served) ?
				served :
				json_object_get(m->document, "manifests") ?
				MEDIA_INDEX :
				MEDIA_MANIFEST);
	m->index = is_index_type(m->media_type);
	if (!m->index && !is_manifest_type(m->media_type))
		return err_fail(e, ERR_INPUT, "media type %s is unknown",
			m->media_type);
	/* Servers of plain files call everything application/json or so. */
	if ((is_index_type(served) || is_manifest_type(served)) &&
		strcmp(served, m->media_type) != 0)
		return err_fail(e, ERR_INPUT, "served as %s, but is %s", served,
			m->media_type);
	return true;
}

static bool read_all(struct repository_manifest *m, const char *content_type,
	struct err *e)
{
	json_t *o = m->document, *subject;
	uint64_t version = 0;
	if (!json_is_object(o))
		return err_fail(e, ERR_INPUT, "not an object");
	if (!json_member_u64(o, "schemaVersion", 0, 1000, &version, e))
		return false;
	if (version != 2)
		return err_fail(e, ERR_INPUT, "schema version %llu, want 2",
			(unsigned long long)version);
	if (!read_type(m, content_type, e) ||
		!copy_type(o, "artifactType", false, m->artifact_type, e) ||
		!read_annotations(o, &m->annotations, e))
		return false;
	/* What is both could be taken for either. */
	if (json_object_get(o, m->index ? "layers" : "manifests"))
		return err_fail(e, ERR_INPUT, "both a manifest and an index");
	subject = json_object_get(o, "subject");
	m->has_subject = subject && !json_is_null(subject);
	if (m->has_subject && !read_descriptor(subject, &m->subject, e))
		return err_wrap(e, "subject");
	if (m->index)
		return read_list(json_object_get(o, "manifests"),
			REPOSITORY_MAX_INDEX, "manifests", m, e);
	if (!read_descriptor(json_object_get(o, "config"), &m->config, e))
		return err_wrap(e, "config");
	return read_list(json_object_get(o, "layers"), REPOSITORY_MAX_LAYERS,
		"layers", m, e);
}

bool repository_manifest_parse(struct bytes in, const char *content_type,
	struct repository_manifest *out, struct err *e)
{
	struct repository_manifest m = { 0 };
	if (!json_parse(in, REPOSITORY_MAX_MANIFEST, &m.document, e))
		return err_wrap(e, "manifest");
	if (!read_all(&m, content_type, e)) {
		repository_manifest_fini(&m);
		return err_wrap(e, "manifest");
	}
	*out = m;
	return true;
}

void repository_manifest_fini(struct repository_manifest *m)
{
	free(m->layers);
	json_decref(m->document);
	*m = (struct repository_manifest){ 0 };
}

static bool place(int *at, size_t i, const char *what, struct err *e)
{
	if (*at >= 0)
		return err_fail(e, ERR_INPUT, "package: two layers are %s",
			what);
	*at = (int)i;
	return true;
}

bool repository_manifest_layers(const struct repository_manifest *m,
	struct repository_layers *out, struct err *e)
{
	struct repository_layers l = { -1, -1, -1 };
	bool ok = true;
	for (size_t i = 0; ok && i < m->count; i++) {
		switch (m->layers[i].role) {
		case REPOSITORY_ROLE_MODULE:
			ok = place(&l.module, i, "modules", e);
			break;
		case REPOSITORY_ROLE_TOML:
			ok = place(&l.toml, i, "Donjon.toml", e);
			break;
		case REPOSITORY_ROLE_DATA:
		case REPOSITORY_ROLE_DATA_GZIP:
			ok = place(&l.data, i, "data", e);
			break;
		case REPOSITORY_ROLE_SBOM:
			break;
		default:
			return err_fail(e, ERR_INPUT,
				"package: a layer of media type %s, which "
				"does not run here",
				m->layers[i].media_type);
		}
	}
	if (ok && l.module < 0)
		return err_fail(e, ERR_INPUT,
			"package: no layer is a module (%s)", MEDIA_WASM);
	*out = l;
	return ok;
}

static bool is_wasm(const char *platform)
{
	return ends(platform, "/wasm") || ends(platform, "/wasm32");
}

bool repository_manifest_choose(const struct repository_manifest *m,
	size_t *out, struct err *e)
{
	size_t found = 0;
	for (size_t i = 0; i < m->count; i++) {
		if (!is_wasm(m->layers[i].platform) && m->count > 1)
			continue;
		if (found++)
			return err_fail(e, ERR_INPUT,
				"index: more than one entry is for wasm; give "
				"a digest");
		*out = i;
	}
	return found || err_fail(e, ERR_INPUT, "index: no entry is for wasm");
}

json_t *repository_descriptor_json(const struct repository_descriptor *d)
{
	char digest[REPOSITORY_DIGEST_TEXT];
	repository_digest_show(d->digest, digest);
	json_t *o = json_pack("{s:s, s:s, s:I}", "mediaType", d->media_type,
		"digest", digest, "size", (json_int_t)d->size);
	if (o && d->annotations &&
		json_object_set(o, "annotations", d->annotations)) {
		json_decref(o);
		return NULL;
	}
	return o;
}
