/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "repository/package.h"

enum { MAX_SIGNERS = 16, MAX_FILE_SIG = 4 << 10 };

static const char signature_key[] = "dev.cosignproject.cosign/signature";
#define ARTIFACT_SIGNATURE "application/vnd.dev.cosign.artifact.sig.v1+json"

/* As cosign names a repository. */
static void identity_of(const struct repository_reference *ref, char out[513])
{
	const char *host = ref->host;
	fmt(out, 513, "%s/%s",
		strcmp(host, "docker.io") ? host : "index.docker.io",
		ref->name);
}

/* --- judging ----------------------------------------------------------------
 */

/* One way in which something may be signed, and why it was not good enough. */
struct judge {
	const struct repository_rule *rule;
	const uint8_t (*digests)[32];
	size_t digest_count;
	char identity[513]; /* of the reference */
	uint8_t *signer;
	bool good;
	unsigned seen;
	char why[200]; /* of the last one that was not */
};

static bool right_key(const struct judge *j, struct bytes message,
	struct bytes raw, uint8_t signer[32])
{
	for (size_t i = 0; i < j->rule->key_count; i++)
		if (crypto_verify(j->rule->keys[i], message, raw, NULL))
			return crypto_key_fingerprint(j->rule->keys[i], signer,
				NULL);
	return false;
}

static bool right_identity(const struct judge *j,
	const struct repository_payload *p)
{
	if (j->rule->identity[0])
		return !fnmatch(j->rule->identity, p->identity, 0);
	return !strcmp(j->identity, p->identity);
}

static bool right_digest(const struct judge *j,
	const struct repository_payload *p)
{
	for (size_t i = 0; i < j->digest_count; i++)
		if (!memcmp(j->digests[i], p->digest, 32))
			return true;
	return false;
}

/* The signature first: what nobody signed is not even parsed. */
static void judge_one(struct judge *j, struct bytes payload,
	struct bytes signature)
{
	auto_buf raw = { 0 };
	struct repository_payload p;
	struct err e = { 0 };
	j->seen++;
	if (!repository_signature_decode(signature, &raw, &e))
		fmt(j->why, sizeof j->why, "%s", e.text);
	else if (!right_key(j, payload, buf_bytes(&raw), j->signer))
		fmt(j->why, sizeof j->why, "signed by another key");
	else if (!repository_payload_parse(payload, &p, &e))
		fmt(j->why, sizeof j->why, "%s", e.text);
	else if (!right_digest(j, &p))
		fmt(j->why, sizeof j->why,
			"the signature is for another "
			"package");
	else if (!right_identity(j, &p))
		fmt(j->why, sizeof j->why,
			"the signature is for another name, %.100s",
			p.identity);
	else
		j->good = true;
}

/* --- finding ----------------------------------------------------------------
 */

static bool judge_layer(struct judge *j, struct repository_registry *g,
	const char *name, const struct repository_descriptor *d, struct err *e)
{
	auto_buf payload = { 0 };
	const char *text = d->annotations ?
		json_string_value(
			json_object_get(d->annotations, signature_key)) :
		NULL;
	if (d->role != REPOSITORY_ROLE_SIGNATURE || !text)
		return true;
	if (d->size > REPOSITORY_MAX_PAYLOAD) {
		fmt(j->why, sizeof j->why, "payload: too large");
		j->seen++;
		return true;
	}
	if (!repository_blob_read(g, name, d, &payload, e))
		return false;
	judge_one(j, buf_bytes(&payload), bytes_str(text));
	return true;
}

static bool judge_manifest(struct judge *j, struct repository_registry *g,
	const char *name, const char *tag, const uint8_t *digest, struct err *e)
{
	struct repository_manifest m;
	auto_buf text = { 0 };
	char type[128];
	uint8_t is[32] = { 0 };
	bool found;
	if (digest)
		memcpy(is, digest, sizeof is);
	if (!repository_manifest_get(g, name, tag, digest != NULL, is, &text,
		    type, &found, e))
		return false;
	if (!found)
		return true;
	if (!repository_manifest_parse(buf_bytes(&text), type, &m, e))
		return err_wrap(e, "signatures");
	bool ok = true;
	for (size_t i = 0; ok && !j->good && !m.index && i < m.count; i++)
		ok = judge_layer(j, g, name, &m.layers[i], e);
	repository_manifest_fini(&m);
	return ok;
}

static bool judge_referrers(struct judge *j, struct repository_registry *g,
	const char *name, const uint8_t digest[32], struct err *e)
{
	struct repository_manifest index;
	auto_buf text = { 0 };
	bool found;
	if (!repository_referrers_get(g, name, digest, &text, &found, e))
		return false;
	if (!found)
		return true;
	if (!repository_manifest_parse(buf_bytes(&text), NULL, &index, e))
		return err_wrap(e, "referrers");
	bool ok = true;
	unsigned looked = 0;
	for (size_t i = 0; ok && !j->good && index.index && i < index.count;
		i++) {
		const struct repository_descriptor *d = &index.layers[i];
		if (strcmp(d->artifact_type, ARTIFACT_SIGNATURE) != 0)
			continue;
		if (looked++ == MAX_SIGNERS)
			break;
		ok = judge_manifest(j, g, name, NULL, d->digest, e);
	}
	repository_manifest_fini(&index);
	return ok;
}

static bool denied(const struct judge *j, struct err *e)
{
	if (!j->seen)
		return err_fail(e, ERR_DENIED,
			"not signed, and the policy wants it to be");
	return err_fail(e, ERR_DENIED, "signature refused: %s", j->why);
}

/* The rule, when it asks for a signature; NULL: nothing is asked for. */
static bool rule_for(const struct repository_trust *t, const char *name,
	const struct repository_rule **rule, struct err *e)
{
	bool refused;
	*rule = repository_trust_find(t, name, &refused);
	if (refused)
		return err_fail(e, ERR_DENIED,
			"no [[signatures]] of the policy is for it");
	if (*rule && (*rule)->unsigned_)
		*rule = NULL;
	return true;
}

bool repository_trust_check(const struct repository_trust *t,
	struct repository_registry *g, const struct repository_reference *ref,
	const uint8_t (*digests)[32], size_t digest_count, uint8_t signer[32],
	bool *is_signed, struct err *e)
{
	char name[513], tag[129];
	struct judge j = { .digests = digests,
		.digest_count = digest_count,
		.signer = signer };
	fmt(name, sizeof name, "%s/%s", ref->host, ref->name);
	identity_of(ref, j.identity);
	*is_signed = false;
	if (!rule_for(t, name, &j.rule, e))
		return false;
	if (!j.rule)
		return true;
	for (size_t i = 0; i < digest_count && !j.good; i++) {
		repository_digest_tag(digests[i], ".sig", tag);
		if (!judge_manifest(&j, g, ref->name, tag, NULL, e))
			return false;
		if (!j.good &&
			!judge_referrers(&j, g, ref->name, digests[i], e))
			return false;
	}
	*is_signed = j.good;
	return j.good || denied(&j, e);
}

/* --- files ------------------------------------------------------------------
 */

/* What patterns are matched with: "https://host/x", "file:///abs/x". */
static bool file_rule(const struct repository_trust *t,
	const struct repository_reference *ref,
	const struct repository_rule **rule, struct err *e)
{
	auto_buf name = { 0 };
	if (ref->kind == REPOSITORY_WEB) {
		buf_str(&name, ref->where);
	} else {
		auto_free char *real = realpath(ref->where, NULL);
		buf_fmt(&name, "file://%s", real ? real : ref->where);
	}
	if (!buf_ok(&name))
		return err_fail(e, ERR_LIMIT, "no memory");
	return rule_for(t, buf_cstr(&name), rule, e);
}

bool repository_trust_check_unsigned(const struct repository_trust *t,
	const struct repository_reference *ref, struct err *e)
{
	const struct repository_rule *rule;
	return file_rule(t, ref, &rule, e) &&
		(!rule ||
			err_fail(e, ERR_DENIED,
				"not signed, and the policy wants it to be"));
}

static bool read_web_sig(struct repository *r,
	const struct repository_reference *ref, struct buf *out, bool *found,
	struct err *e)
{
	auto_buf url = { 0 };
	buf_fmt(&url, "%s.sig", ref->where);
	struct net_web_request q = { .method = "GET",
		.url = buf_cstr(&url),
		.max_bytes = MAX_FILE_SIG };
	struct net_web_answer a = { 0 };
	bool ok = net_web_do(r->web, &q, &a, e);
	*found = ok && a.status == 200;
	if (*found && !buf_put(out, buf_bytes(&a.body)))
		ok = err_fail(e, ERR_LIMIT, "no memory");
	net_web_answer_fini(&a);
	return ok;
}

static bool read_sig(struct repository *r,
	const struct repository_reference *ref, struct buf *out, bool *found,
	struct err *e)
{
	auto_buf path = { 0 };
	if (ref->kind == REPOSITORY_WEB)
		return read_web_sig(r, ref, out, found, e);
	buf_fmt(&path, "%s.sig", ref->where);
	*found = !access(buf_cstr(&path), F_OK);
	return !*found ||
		repository_read_file(buf_cstr(&path), MAX_FILE_SIG, out, e);
}

static bool judge_file(struct judge *j, int fd, uint64_t size,
	struct bytes signature, struct err *e)
{
	auto_buf raw = { 0 };
	void *map = size ?
		mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) :
		NULL;
	if (map == MAP_FAILED)
		return err_fail(e, ERR_HOST, "mmap: %s", strerror(errno));
	j->seen++;
	if (!repository_signature_decode(signature, &raw, e))
		fmt(j->why, sizeof j->why, "it cannot be read");
	else if (!right_key(j, bytes_of(map, (size_t)size), buf_bytes(&raw),
			 j->signer))
		fmt(j->why, sizeof j->why,
			"signed by another key, or "
			"changed since");
	else
		j->good = true;
	if (map)
		munmap(map, (size_t)size);
	return true;
}

bool repository_trust_check_file(const struct repository_trust *t,
	struct repository *r, const struct repository_reference *ref, int fd,
	uint64_t size, struct err *e)
{
	uint8_t signer[32];
	struct judge j = { .signer = signer };
	auto_buf sig = { 0 };
	bool found;
	if (!file_rule(t, ref, &j.rule, e))
		return false;
	if (!j.rule)
		return true;
	if (!read_sig(r, ref, &sig, &found, e) ||
		(found && !judge_file(&j, fd, size, buf_bytes(&sig), e)))
		return false;
	return j.good || denied(&j, e);
}

/* --- signing ----------------------------------------------------------------
 */

bool repository_keygen(const char *path, struct err *e)
{
	struct crypto_key *k;
	auto_buf spki = { 0 }, pem = { 0 };
	char public[1100];
	if (!access(path, F_OK))
		return err_fail(e, ERR_INPUT, "%s: is there already", path);
	if (!crypto_key_file(path, true, &k, e))
		return false;
	bool ok = crypto_key_spki(k, &spki, e);
	crypto_key_free(k);
	if (!ok)
		return false;
	auto_buf text = { 0 };
	base64_encode(buf_bytes(&spki), &text);
	buf_str(&pem, "-----BEGIN PUBLIC KEY-----\n");
	for (size_t at = 0; at < text.len; at += 64) {
		struct bytes line = bytes_from(buf_bytes(&text), at);
		line.len = size_min(line.len, 64);
		buf_put(&pem, line);
		buf_str(&pem, "\n");
	}
	buf_str(&pem, "-----END PUBLIC KEY-----\n");
	fmt(public, sizeof public, "%s.pub", path);
	auto_fd fd =
		open(public, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || !buf_ok(&pem) ||
		write(fd, pem.ptr, pem.len) != (ssize_t)pem.len)
		return err_fail(e, ERR_HOST, "%s: %s", public, strerror(errno));
	return true;
}

struct signing {
	struct repository_registry *g;
	const struct repository_reference *ref;
	struct crypto_key *key;
	struct repository_descriptor subject; /* what is signed */
	char tag[129];			      /* of its signatures */
};

static json_t *signature_layer(struct bytes payload, const char *signature)
{
	struct repository_descriptor d = { .size = payload.len };
	fmt(d.media_type, sizeof d.media_type, "%s", MEDIA_SIGNATURE);
	if (!crypto_digest(CRYPTO_SHA256, payload, d.digest, NULL))
		return NULL;
	d.annotations = json_pack("{s:s}", signature_key, signature);
	json_t *o = repository_descriptor_json(&d);
	json_decref(d.annotations);
	return o;
}

/* As cosign fills it in: nothing but the layers' digests. */
static bool make_config(json_t *layers, struct buf *out)
{
	json_t *ids = json_array(), *layer;
	size_t i;
	json_array_foreach(layers, i, layer)
		json_array_append(ids, json_object_get(layer, "digest"));
	json_t *o = json_pack("{s:s, s:s, s:[{s:s}], s:s, s:{s:s, s:o}, s:{}}",
		"architecture", "", "created", "0001-01-01T00:00:00Z",
		"history", "created", "0001-01-01T00:00:00Z", "os", "",
		"rootfs", "type", "layers", "diff_ids", ids, "config");
	bool ok = o && json_print(o, out, NULL);
	json_decref(o);
	return ok;
}

static bool put_bytes(const struct signing *s, struct bytes in, struct err *e)
{
	uint8_t digest[32];
	return crypto_digest(CRYPTO_SHA256, in, digest, e) &&
		repository_blob_put(s->g, s->ref->name, digest, -1, in, in.len,
			e);
}

static json_t *make_manifest(const struct signing *s, struct bytes config,
	json_t *layers)
{
	struct repository_descriptor c = { .size = config.len };
	fmt(c.media_type, sizeof c.media_type, "%s", MEDIA_IMAGE_CONFIG);
	if (!crypto_digest(CRYPTO_SHA256, config, c.digest, NULL))
		return NULL;
	return json_pack("{s:i, s:s, s:s, s:o, s:O, s:o}", "schemaVersion", 2,
		"mediaType", MEDIA_MANIFEST, "artifactType", ARTIFACT_SIGNATURE,
		"config", repository_descriptor_json(&c), "layers", layers,
		"subject", repository_descriptor_json(&s->subject));
}

/* The signatures that are there already. */
static bool old_layers(const struct signing *s, json_t **out, struct err *e)
{
	auto_buf text = { 0 };
	char type[128];
	uint8_t is[32];
	struct repository_manifest m;
	bool found;
	*out = NULL;
	if (!repository_manifest_get(s->g, s->ref->name, s->tag, false, is,
		    &text, type, &found, e))
		return false;
	if (found) {
		if (!repository_manifest_parse(buf_bytes(&text), type, &m, e))
			return err_wrap(e, "signatures");
		*out = json_incref(json_object_get(m.document, "layers"));
		repository_manifest_fini(&m);
	}
	if (!*out)
		*out = json_array();
	return *out || err_fail(e, ERR_LIMIT, "no memory");
}

/* The manifest of all signatures, under its tag and as a referrer. */
static bool publish(const struct signing *s, json_t *layers, struct err *e)
{
	auto_buf config = { 0 }, text = { 0 };
	if (!make_config(layers, &config) ||
		!put_bytes(s, buf_bytes(&config), e))
		return false;
	json_t *m = make_manifest(s, buf_bytes(&config), layers);
	bool ok = m && json_print(m, &text, NULL);
	json_decref(m);
	if (!ok)
		return err_fail(e, ERR_LIMIT, "no memory");
	return repository_attach(s->g, s->ref->name, s->tag, s->subject.digest,
		ARTIFACT_SIGNATURE, buf_bytes(&text), e);
}

static bool add_signature(const struct signing *s,
	const char *const *annotations, size_t annotation_count, struct err *e)
{
	auto_buf payload = { 0 }, raw = { 0 }, text = { 0 };
	char identity[513];
	json_t *layers;
	identity_of(s->ref, identity);
	if (!repository_payload_make(identity, s->subject.digest, annotations,
		    annotation_count, &payload, e) ||
		!crypto_sign(s->key, buf_bytes(&payload), &raw, e) ||
		!repository_signature_encode(buf_bytes(&raw), &text, e) ||
		!put_bytes(s, buf_bytes(&payload), e) ||
		!old_layers(s, &layers, e))
		return false;
	bool ok = !json_array_append_new(layers,
			  signature_layer(buf_bytes(&payload),
				  buf_cstr(&text))) ||
		err_fail(e, ERR_LIMIT, "no memory");
	ok = ok && publish(s, layers, e);
	json_decref(layers);
	return ok;
}

/* Has this key signed it already? */
static bool is_signed(const struct signing *s, bool *yes, struct err *e)
{
	uint8_t signer[32];
	const struct repository_rule rule = { .keys = { s->key },
		.key_count = 1 };
	struct judge j = { .rule = &rule,
		.digests = &s->subject.digest,
		.digest_count = 1,
		.signer = signer };
	identity_of(s->ref, j.identity);
	if (!judge_manifest(&j, s->g, s->ref->name, s->tag, NULL, e))
		return false;
	*yes = j.good;
	return true;
}

static bool open_signing(struct repository *r, const char *reference,
	struct repository_reference *ref, struct signing *s, struct err *e)
{
	s->ref = ref;
	if (!repository_reference_parse(reference, ref, e))
		return false;
	if (ref->kind != REPOSITORY_OCI)
		return err_fail(e, ERR_INPUT,
			"%s: want oci://host/name[:tag]; sign files with "
			"cosign sign-blob or openssl",
			reference);
	if (!repository_registry_find(r, ref, &s->g, e) ||
		!repository_subject_find(s->g, ref, &s->subject, e))
		return false;
	repository_digest_tag(s->subject.digest, ".sig", s->tag);
	return true;
}

bool repository_sign(struct repository *r, const char *reference,
	const char *key_file, const char *const *annotations,
	size_t annotation_count, uint8_t digest[32], bool *added, struct err *e)
{
	struct repository_reference ref;
	struct signing s = { 0 };
	bool there = false;
	*added = false;
	if (!crypto_key_file(key_file, false, &s.key, e))
		return false;
	bool ok = open_signing(r, reference, &ref, &s, e) &&
		is_signed(&s, &there, e) &&
		(there || add_signature(&s, annotations, annotation_count, e));
	*added = ok && !there;
	memcpy(digest, s.subject.digest, 32);
	crypto_key_free(s.key);
	return ok || err_wrap(e, "sign");
}

bool repository_verify(struct repository *r, const char *reference,
	const struct repository_trust *t, uint8_t digest[32],
	uint8_t signer[32], struct err *e)
{
	struct repository_reference ref;
	struct signing s = { 0 };
	bool yes;
	if (!open_signing(r, reference, &ref, &s, e))
		return false;
	memcpy(digest, s.subject.digest, 32);
	if (!repository_trust_check(t, s.g, &ref, &s.subject.digest, 1, signer,
		    &yes, e))
		return err_wrap(e, "%s", reference);
	return yes ||
		err_fail(e, ERR_INPUT,
			"%s: the policy asks for no signature of it",
			reference);
}
