/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/yank.h"

#include "base/fmt.h"
#include "crypto/hash.h"

#define ARTIFACT_YANK "application/vnd.donjon.yank.v1"
#define UNDONE	      "undone"

static const char yank_key[] = "dev.donjon.yank";
static const char empty_object[] = "{}";

/* A registry's word is repeated only if it is one of ours. */
static bool is_reason(const char *word)
{
	size_t n = strlen(word);
	for (const char *p = REPOSITORY_YANK_REASONS; n && *p;) {
		size_t k = strcspn(p, " ");
		if (k == n && !memcmp(p, word, n))
			return true;
		p += k + strspn(p + k, " ");
	}
	return false;
}

/* --- looking ------------------------------------------------------------ */

bool repository_yank_parse(struct bytes manifest, const char *content_type,
	struct repository_yank *out, struct err *e)
{
	struct repository_manifest m;
	struct repository_yank y = { .yanked = true };
	if (!repository_manifest_parse(manifest, content_type, &m, e))
		return err_wrap(e, "yank");
	const char *word = m.annotations ?
		json_string_value(json_object_get(m.annotations, yank_key)) :
		NULL;
	if (word && !strcmp(word, UNDONE))
		y.yanked = false;
	else if (word && is_reason(word))
		fmt(y.reason, sizeof y.reason, "%s", word);
	bool ok = !m.index && !strcmp(m.artifact_type, ARTIFACT_YANK);
	repository_manifest_fini(&m);
	if (!ok)
		return err_fail(e, ERR_INPUT, "yank: the mark is none");
	*out = y;
	return true;
}

bool repository_yank_find(struct repository_registry *g, const char *name,
	const uint8_t digest[32], struct repository_yank *out, struct err *e)
{
	char tag[129], type[128];
	auto_buf text = { 0 };
	uint8_t is[32];
	bool found;
	*out = (struct repository_yank){ .yanked = false };
	repository_digest_tag(digest, ".yank", tag);
	if (!repository_manifest_get(g, name, tag, false, is, &text, type,
		    &found, e))
		return err_wrap(e, "yank");
	return !found || repository_yank_parse(buf_bytes(&text), type, out, e);
}

bool repository_yank_check(struct repository_registry *g, const char *name,
	const uint8_t (*digests)[32], size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct repository_yank y;
		if (!repository_yank_find(g, name, digests[i], &y, e))
			return false;
		if (y.yanked)
			return err_fail(e, ERR_DENIED,
				"yanked by its publisher%s%s; who must have "
				"it still pins its digest",
				y.reason[0] ? ": " : "", y.reason);
	}
	return true;
}

/* --- marking ------------------------------------------------------------ */

static json_t *make(const struct repository_descriptor *subject,
	const char *word)
{
	struct repository_descriptor empty = { .size = 2 };
	fmt(empty.media_type, sizeof empty.media_type, "%s", MEDIA_EMPTY);
	if (!crypto_digest(CRYPTO_SHA256, bytes_str(empty_object), empty.digest,
		    NULL))
		return NULL;
	return json_pack("{s:i, s:s, s:s, s:o, s:[o], s:o, s:{s:s}}",
		"schemaVersion", 2, "mediaType", MEDIA_MANIFEST, "artifactType",
		ARTIFACT_YANK, "config", repository_descriptor_json(&empty),
		"layers", repository_descriptor_json(&empty), "subject",
		repository_descriptor_json(subject), "annotations", yank_key,
		word);
}

static bool publish(struct repository_registry *g, const char *name,
	const struct repository_descriptor *subject, const char *word,
	struct err *e)
{
	auto_buf text = { 0 };
	uint8_t empty[32];
	char tag[129];
	json_t *m = make(subject, word);
	bool ok = m && json_print(m, &text, NULL);
	json_decref(m);
	if (!ok)
		return err_fail(e, ERR_LIMIT, "no memory");
	repository_digest_tag(subject->digest, ".yank", tag);
	return crypto_digest(CRYPTO_SHA256, bytes_str(empty_object), empty,
		       e) &&
		repository_blob_put(g, name, empty, -1, bytes_str(empty_object),
			2, e) &&
		repository_attach(g, name, tag, subject->digest, ARTIFACT_YANK,
			buf_bytes(&text), e);
}

bool repository_yank(struct repository *r, const char *reference,
	const char *reason, bool undo, uint8_t digest[32], bool *changed,
	struct err *e)
{
	struct repository_reference ref;
	struct repository_registry *g;
	struct repository_descriptor subject;
	struct repository_yank y;
	char first[16];
	*changed = false;
	fmt(first, sizeof first, "%.*s",
		(int)strcspn(REPOSITORY_YANK_REASONS, " "),
		REPOSITORY_YANK_REASONS);
	if (reason && !is_reason(reason))
		return err_fail(e, ERR_INPUT, "yank: %s: want one of %s",
			reason, REPOSITORY_YANK_REASONS);
	if (!reason)
		reason = first;
	if (!repository_reference_parse(reference, &ref, e))
		return false;
	if (ref.kind != REPOSITORY_OCI)
		return err_fail(e, ERR_INPUT, "%s: want oci://host/name[:tag]",
			reference);
	if (!repository_registry_find(r, &ref, &g, e) ||
		!repository_subject_find(g, &ref, &subject, e) ||
		!repository_yank_find(g, ref.name, subject.digest, &y, e))
		return false;
	memcpy(digest, subject.digest, 32);
	if (undo ? !y.yanked : y.yanked && !strcmp(y.reason, reason))
		return true;
	*changed = publish(g, ref.name, &subject, undo ? UNDONE : reason, e);
	return *changed || err_wrap(e, "yank");
}
