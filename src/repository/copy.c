/* SPDX-License-Identifier: Apache-2.0 */
/* From registry to registry, byte for byte: manifests, what they consist of,
 * and what speaks of them (signatures, attestations, SBOMs, referrers). */
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "repository/copy.h"
#include "repository/registry.h"
#include "repository/sign.h"
#include "repository/yank.h"

struct ends {
	struct repository_registry *from, *to;
	const char *from_name, *to_name;
};

static bool copy_blob(const struct ends *x,
	const struct repository_descriptor *d, struct err *e)
{
	int got = -1;
	if (d->size > REPOSITORY_MAX_DATA)
		return err_fail(e, ERR_LIMIT, "larger than %llu bytes",
			(unsigned long long)REPOSITORY_MAX_DATA);
	if (!repository_blob_get(x->from, x->from_name, d, &got, e))
		return false;
	auto_fd fd = got;
	return repository_blob_put(x->to, x->to_name, d->digest, fd, BYTES_NONE,
		d->size, e);
}

static bool copy_parts(const struct ends *x,
	const struct repository_manifest *m, struct err *e)
{
	if (!copy_blob(x, &m->config, e))
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (!copy_blob(x, &m->layers[i], e))
			return false;
	return true;
}

/* A manifest with all that it consists of; not an index. */
static bool copy_leaf(const struct ends *x, const uint8_t digest[32],
	const char *tag, struct err *e)
{
	struct repository_manifest m;
	auto_buf text = { 0 };
	char type[128];
	uint8_t is[32];
	bool found, subject;
	memcpy(is, digest, sizeof is);
	if (!repository_manifest_get(x->from, x->from_name, NULL, true, is,
		    &text, type, &found, e))
		return false;
	if (!found)
		return err_fail(e, ERR_INPUT, "manifest: not there");
	if (!repository_manifest_parse(buf_bytes(&text), type, &m, e))
		return false;
	bool ok = !m.index || err_fail(e, ERR_INPUT, "index: nested too deep");
	ok = ok && copy_parts(x, &m, e) &&
		repository_manifest_put(x->to, x->to_name, tag, m.media_type,
			buf_bytes(&text), &subject, e);
	repository_manifest_fini(&m);
	return ok;
}

/* tag or digest, as it stands there. */
static bool copy_any(const struct ends *x, const char *tag, bool pinned,
	uint8_t digest[32], const char *to_tag, bool *found, struct err *e)
{
	struct repository_manifest m;
	auto_buf text = { 0 };
	char type[128];
	bool subject;
	if (!repository_manifest_get(x->from, x->from_name, tag, pinned, digest,
		    &text, type, found, e))
		return false;
	if (!*found)
		return true;
	if (!repository_manifest_parse(buf_bytes(&text), type, &m, e))
		return false;
	bool ok = m.index || copy_parts(x, &m, e);
	for (size_t i = 0; ok && m.index && i < m.count; i++)
		ok = copy_leaf(x, m.layers[i].digest, NULL, e);
	ok = ok &&
		repository_manifest_put(x->to, x->to_name, to_tag, m.media_type,
			buf_bytes(&text), &subject, e);
	repository_manifest_fini(&m);
	return ok;
}

/* Under tags made of the digest; "" is the index of referrers. */
static bool copy_around(const struct ends *x, const uint8_t digest[32],
	struct err *e)
{
	static const char *const suffixes[] = { ".sig", ".att", ".sbom",
		".yank", "" };
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char tag[129];
		uint8_t is[32];
		bool found;
		repository_digest_tag(digest, suffixes[i], tag);
		if (!copy_any(x, tag, false, is, tag, &found, e))
			return err_wrap(e, "%s", suffixes[i] + !!*suffixes[i]);
	}
	return true;
}

static bool find_ends(struct repository *r,
	const struct repository_reference *from,
	const struct repository_reference *to, struct ends *x, struct err *e)
{
	x->from_name = from->name;
	x->to_name = to->name;
	return repository_registry_find(r, from, &x->from, e) &&
		repository_registry_find(r, to, &x->to, e);
}

static bool copy_remote(struct repository *r,
	const struct repository_reference *from,
	const struct repository_reference *to,
	const struct repository_trust *trust, uint8_t digest[32], struct err *e)
{
	struct ends x;
	uint8_t signer[32];
	bool found, is_signed;
	if (!find_ends(r, from, to, &x, e))
		return false;
	struct repository_descriptor d = { 0 };
	if (!repository_subject_find(x.from, from, &d, e) ||
		!repository_trust_check(trust, x.from, from,
			(const uint8_t(*)[32])d.digest, 1, signer, &is_signed,
			e) ||
		(!from->pinned &&
			!repository_yank_check(x.from, from->name,
				(const uint8_t(*)[32])d.digest, 1, e)))
		return false;
	/* What was judged is what is copied. */
	memcpy(digest, d.digest, 32);
	if (!copy_any(&x, NULL, true, digest, to->tag[0] ? to->tag : NULL,
		    &found, e))
		return false;
	if (!found)
		return err_fail(e, ERR_INPUT,
			"the registry has no such package");
	return copy_around(&x, digest, e);
}

static bool copy_package(struct repository *r, const char *from, const char *to,
	bool registry, const struct repository_trust *trust, uint8_t digest[32],
	struct err *e)
{
	struct repository_package p;
	const struct repository_options o = { .trust = trust,
		.everything = true };
	if (!repository_get(r, from, &o, &p, e))
		return false;
	memcpy(digest, p.digest, 32);
	bool ok = registry ? repository_push(r, &p, to, e) :
			     repository_export(r, &p, to, e);
	repository_package_fini(&p);
	return ok;
}

bool repository_copy(struct repository *r, const char *from, const char *to,
	const struct repository_trust *trust, uint8_t digest[32], struct err *e)
{
	struct repository_reference a, b;
	if (!repository_reference_parse(from, &a, e) ||
		!repository_reference_parse(to, &b, e))
		return false;
	if (b.kind == REPOSITORY_WEB)
		return err_fail(e, ERR_INPUT, "%s: nothing is copied to there",
			to);
	if (a.kind != REPOSITORY_OCI || b.kind != REPOSITORY_OCI)
		return copy_package(r, from,
			b.kind == REPOSITORY_OCI ? to : b.where,
			b.kind == REPOSITORY_OCI, trust, digest, e);
	return copy_remote(r, &a, &b, trust, digest, e) ||
		err_wrap(e, "copy %s/%s", a.host, a.name);
}
