/* SPDX-License-Identifier: Apache-2.0 */
#include "client/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/receipt.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"
#include "client/receipt_priv.h"
#include "client/record.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "repository/repository.h"

#define NOTE ".receipt"

bool client_receipt_is_digest(struct bytes text, const uint8_t digest[32],
	bool there)
{
	uint8_t is[32];
	if (!text.len)
		return !there;
	return there && crypto_digest(CRYPTO_SHA256, text, is, NULL) &&
		!memcmp(is, digest, sizeof is);
}

bool client_receipt_check_key(struct bytes spki, const struct frame_receipt *x,
	struct err *e)
{
	struct crypto_key *k;
	if (!crypto_key_from_spki(spki, &k, e))
		return false;
	bool ok = attest_receipt_verify(k, x->statement, x->signature, e);
	crypto_key_free(k);
	return ok;
}

/* --- files -------------------------------------------------------------- */

static bool save_json(const char *path, mode_t mode, json_t *o, struct err *e)
{
	auto_buf text = { 0 };
	bool ok = o && json_print(o, &text, NULL) && buf_str(&text, "\n");
	json_decref(o);
	if (!ok)
		return err_fail(e, ERR_LIMIT, "receipt: no memory");
	return file_replace(path, mode, buf_bytes(&text)) ||
		err_fail(e, ERR_HOST, "receipt: %s: %s", path, strerror(errno));
}

static bool put(json_t *o, const char *key, struct bytes b)
{
	auto_buf text = { 0 };
	return base64_encode(b, &text) &&
		!json_object_set_new(o, key,
			json_stringn((const char *)text.ptr, text.len));
}

/* What is known beforehand; a new object, or NULL. */
static json_t *make(const struct client_receipt_due *d)
{
	json_t *o = json_object(), *keep = json_object();
	bool ok = put(keep, "claims", d->claims) &&
		put(keep, "evidence", d->evidence) &&
		put(keep, "endorsements", d->endorsements) &&
		put(keep, "certificate", d->certificate) &&
		put(o, "manifest", d->parts[FRAME_PART_MANIFEST - 1]) &&
		put(o, "config", d->parts[FRAME_PART_TOML - 1]) &&
		put(o, "policy", d->parts[FRAME_PART_POLICY - 1]) &&
		!json_object_set(o, "keep", keep);
	json_decref(keep);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* --- at the end --------------------------------------------------------- */

/* Does it say what we know to be so? */
static bool judge(const struct client_receipt_due *d,
	const struct frame_exit *x, const struct attest_receipt *r,
	struct err *e)
{
	if (!client_receipt_is_digest(d->claims, r->claims, true) ||
		memcmp(r->module, d->module, 32) != 0 ||
		!client_receipt_is_digest(d->parts[FRAME_PART_MANIFEST - 1],
			r->package, r->has_package) ||
		!client_receipt_is_digest(d->parts[FRAME_PART_TOML - 1],
			r->toml, r->has_toml) ||
		!client_receipt_is_digest(d->parts[FRAME_PART_POLICY - 1],
			r->policy, r->has_policy) ||
		r->status != x->status || r->end != x->end)
		return err_fail(e, ERR_DENIED,
			"receipt: the Keep says something else in it");
	return true;
}

bool client_receipt_write(const struct client_receipt_due *d,
	const struct client_outcome *out, const char *file, struct err *e)
{
	struct frame_receipt x;
	struct attest_receipt r;
	auto_buf spki = { 0 };
	if (!out->receipt.len)
		return err_fail(e, ERR_HOST, "receipt: the Keep gave none");
	if (!frame_receipt_parse(buf_bytes(&out->receipt), &x, e) ||
		!crypto_cert_spki(d->certificate, &spki, e) ||
		!client_receipt_check_key(buf_bytes(&spki), &x, e) ||
		!attest_receipt_parse(x.statement, &r, e) ||
		!judge(d, &out->exit, &r, e))
		return false;
	json_t *o = make(d);
	if (o &&
		(!put(o, "receipt", x.statement) ||
			!put(o, "signature", x.signature))) {
		json_decref(o);
		o = NULL;
	}
	return save_json(file, 0644, o, e);
}

/* --- for who comes back ------------------------------------------------- */

bool client_receipt_note(const char *id, const struct client_receipt_due *d,
	const char *file, struct err *e)
{
	char path[CLIENT_PATH_MAX], cwd[CLIENT_PATH_MAX] = "",
				    absolute[CLIENT_PATH_MAX];
	if (file[0] != '/' && !getcwd(cwd, sizeof cwd))
		return err_fail(e, ERR_HOST, "receipt: where are we? %s",
			strerror(errno));
	if (fmt(absolute, sizeof absolute, "%s%s%s", cwd, cwd[0] ? "/" : "",
		    file) >= sizeof absolute - 1)
		return err_fail(e, ERR_LIMIT, "receipt: path too long");
	if (!client_record_path(id, NOTE, path, e))
		return false;
	json_t *o = make(d);
	if (o &&
		(!put(o, "module", bytes_of(d->module, 32)) ||
			json_object_set_new(o, "file",
				json_string(absolute)))) {
		json_decref(o);
		return err_fail(e, ERR_INPUT,
			"receipt: a path that is not UTF-8, or no memory");
	}
	return save_json(path, 0600, o, e);
}

struct note {
	struct buf claims, evidence, endorsements, certificate, module;
	struct buf parts[FRAME_PART_POLICY];
	char file[CLIENT_PATH_MAX];
};

static void note_fini(struct note *n)
{
	buf_fini(&n->claims);
	buf_fini(&n->evidence);
	buf_fini(&n->endorsements);
	buf_fini(&n->certificate);
	buf_fini(&n->module);
	for (size_t i = 0; i < ARRAY_LEN(n->parts); i++)
		buf_fini(&n->parts[i]);
}

static bool take(const json_t *o, const char *key, struct buf *out,
	struct err *e)
{
	return json_member_base64(o, key, CLIENT_RECEIPT_MAX, out, e);
}

static bool note_parse(const json_t *o, struct note *n, struct err *e)
{
	const json_t *keep = json_object_get(o, "keep");
	const char *file = json_string_value(json_object_get(o, "file"));
	if (!file || file[0] != '/' || strlen(file) >= sizeof n->file)
		return err_fail(e, ERR_INPUT, "no file is named");
	fmt(n->file, sizeof n->file, "%s", file);
	if (!take(keep, "claims", &n->claims, e) ||
		!take(keep, "evidence", &n->evidence, e) ||
		!take(keep, "endorsements", &n->endorsements, e) ||
		!take(keep, "certificate", &n->certificate, e) ||
		!take(o, "manifest", &n->parts[FRAME_PART_MANIFEST - 1], e) ||
		!take(o, "config", &n->parts[FRAME_PART_TOML - 1], e) ||
		!take(o, "policy", &n->parts[FRAME_PART_POLICY - 1], e) ||
		!take(o, "module", &n->module, e))
		return false;
	return n->module.len == 32 ||
		err_fail(e, ERR_INPUT, "module: not a digest");
}

static bool note_load(const char *id, struct note *n, bool *noted,
	struct err *e)
{
	char path[CLIENT_PATH_MAX];
	auto_buf text = { 0 };
	json_t *o;
	*noted = false;
	if (!client_record_path(id, NOTE, path, e))
		return false;
	if (access(path, F_OK))
		return true;
	if (!repository_read_file(path, CLIENT_RECEIPT_MAX, &text, e))
		return false;
	if (!json_parse(buf_bytes(&text), CLIENT_RECEIPT_MAX, &o, e))
		return err_wrap(e, "%s", path);
	*noted = note_parse(o, n, e);
	json_decref(o);
	return *noted || err_wrap(e, "%s", path);
}

/* A Keep says it once: better to know now that it cannot be written. */
static bool is_writable(const char *file, struct err *e)
{
	char folder[CLIENT_PATH_MAX];
	const char *slash = strrchr(file, '/');
	fmt(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) + 1 : 1,
		slash ? file : ".");
	return !access(folder, W_OK | X_OK) ||
		err_fail(e, ERR_INPUT, "receipt: %s: %s (--receipt FILE)",
			folder, strerror(errno));
}

bool client_receipt_expect(const char *id, const char *other,
	char file[CLIENT_PATH_MAX], bool *noted, struct err *e)
{
	struct note n = { .file = "" };
	bool ok = note_load(id, &n, noted, e);
	if (ok && other && !*noted)
		ok = err_fail(e, ERR_INPUT,
			"it was not deployed with --receipt");
	if (ok)
		fmt(file, CLIENT_PATH_MAX, "%s", other ? other : n.file);
	note_fini(&n);
	return ok && (!*noted || is_writable(file, e));
}

bool client_receipt_collect(const char *id, const struct client_outcome *o,
	const char *file, struct err *e)
{
	struct note n = { .file = "" };
	bool noted, ok = note_load(id, &n, &noted, e);
	const struct client_receipt_due d = { .claims = buf_bytes(&n.claims),
		.evidence = buf_bytes(&n.evidence),
		.endorsements = buf_bytes(&n.endorsements),
		.certificate = buf_bytes(&n.certificate),
		.parts = { buf_bytes(&n.parts[0]), buf_bytes(&n.parts[1]),
			buf_bytes(&n.parts[2]) },
		.module = n.module.ptr };
	if (ok && !noted)
		ok = err_fail(e, ERR_INPUT, "receipt: nothing is noted of it");
	ok = ok && client_receipt_write(&d, o, file, e);
	note_fini(&n);
	return ok;
}
