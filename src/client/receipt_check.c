/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "attest/bundle.h"
#include "attest/receipt.h"
#include "base/fmt.h"
#include "client/receipt.h"
#include "client/receipt_priv.h"
#include "client/verify.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "repository/manifest.h"
#include "repository/repository.h"

enum { MAX_PART = 8 << 20 };

struct file {
	struct buf statement, signature, manifest, toml, policy, keep;
	struct attest_bundle bundle;
	struct attest_receipt r;
};

static void file_fini(struct file *f)
{
	buf_fini(&f->statement);
	buf_fini(&f->signature);
	buf_fini(&f->manifest);
	buf_fini(&f->toml);
	buf_fini(&f->policy);
	buf_fini(&f->keep);
	attest_bundle_fini(&f->bundle);
}

static bool parse(struct bytes text, struct file *f, struct err *e)
{
	static const char *const known[] = { "receipt", "signature", "manifest",
		"config", "policy", "keep", NULL };
	json_t *o;
	if (!json_parse(text, CLIENT_RECEIPT_MAX, &o, e))
		return err_wrap(e, "not a receipt");
	json_t *keep = json_object_get(o, "keep");
	bool ok =
		json_is_object(keep) || err_fail(e, ERR_INPUT, "not a receipt");
	ok = ok && json_member_base64(o, "receipt", 4096, &f->statement, e) &&
		json_member_base64(o, "signature", 256, &f->signature, e) &&
		json_member_base64(o, "manifest", MAX_PART, &f->manifest, e) &&
		json_member_base64(o, "config", MAX_PART, &f->toml, e) &&
		json_member_base64(o, "policy", MAX_PART, &f->policy, e) &&
		json_no_more(o, known, e) && json_print(keep, &f->keep, e) &&
		attest_bundle_read(buf_bytes(&f->keep), &f->bundle, e) &&
		attest_receipt_parse(buf_bytes(&f->statement), &f->r, e);
	json_decref(o);
	return ok;
}

struct check {
	const char *name;
	bool passed;
};

/* The manifest must name the module, and the Donjon.toml if there is one. */
static bool manifest_names(const struct file *f)
{
	struct repository_manifest m;
	bool module = false, toml = !f->r.has_toml;
	if (!f->r.has_package)
		return true;
	if (!repository_manifest_parse(buf_bytes(&f->manifest), NULL, &m, NULL))
		return false;
	for (size_t i = 0; i < m.count; i++) {
		const uint8_t *d = m.layers[i].digest;
		module = module || !memcmp(d, f->r.module, 32);
		toml = toml || !memcmp(d, f->r.toml, 32);
	}
	repository_manifest_fini(&m);
	return module && toml;
}

static size_t check_all(const struct file *f, struct check *c)
{
	const struct frame_receipt x = { buf_bytes(&f->statement),
		buf_bytes(&f->signature) };
	const struct attest_receipt *r = &f->r;
	size_t n = 0;
	c[n++] = (struct check){ "signature by the attested key",
		client_receipt_check_key(buf_bytes(&f->bundle.spki), &x,
			NULL) };
	c[n++] = (struct check){ "claims of that Keep",
		client_receipt_is_digest(buf_bytes(&f->bundle.claims),
			r->claims, true) };
	c[n++] = (struct check){ "package",
		client_receipt_is_digest(buf_bytes(&f->manifest), r->package,
			r->has_package) };
	c[n++] = (struct check){ "configuration",
		client_receipt_is_digest(buf_bytes(&f->toml), r->toml,
			r->has_toml) };
	c[n++] = (struct check){ "policy",
		client_receipt_is_digest(buf_bytes(&f->policy), r->policy,
			r->has_policy) };
	c[n++] = (struct check){ "package names module and configuration",
		manifest_names(f) };
	return n;
}

static void put_hex(struct buf *out, const char *name, const uint8_t d[32],
	bool there)
{
	char hex[65];
	hex_encode(bytes_of(d, 32), hex);
	if (there)
		buf_fmt(out, "  %-14s sha256:%s\n", name, hex);
}

static void put_time(struct buf *out, const char *name, uint64_t ns)
{
	time_t t = (time_t)(ns / 1000000000u);
	char text[40];
	struct tm tm;
	if (gmtime_r(&t, &tm) &&
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf_fmt(out, "  %-14s %s\n", name, text);
}

static bool put_text(const struct file *f, const struct check *c, size_t n,
	const struct attest_verdict *v, bool accepted, struct buf *out)
{
	const struct attest_receipt *r = &f->r;
	buf_fmt(out, "receipt %s\n", accepted ? "accepted" : "refused");
	for (size_t i = 0; i < n; i++)
		buf_fmt(out, "  %s: %s\n", c[i].passed ? "passed" : "FAILED",
			c[i].name);
	put_hex(out, "package", r->package, r->has_package);
	put_hex(out, "module", r->module, true);
	put_hex(out, "config", r->toml, r->has_toml);
	put_hex(out, "policy", r->policy, r->has_policy);
	put_hex(out, "settings", r->settings, true);
	put_hex(out, "files", r->files, true);
	put_time(out, "started", r->started_ns);
	put_time(out, "ended", r->ended_ns);
	buf_fmt(out, "  %-14s %u\n", "status", r->status);
	return attest_print_text(v, out);
}

static json_t *hex_json(const uint8_t d[32], bool there)
{
	char text[72] = "sha256:";
	hex_encode(bytes_of(d, 32), text + 7);
	return there ? json_string(text) : json_null();
}

static bool put_json(const struct file *f, const struct check *c, size_t n,
	const struct attest_verdict *v, bool accepted, struct buf *out)
{
	const struct attest_receipt *r = &f->r;
	auto_buf text = { 0 };
	json_t *verdict = NULL, *checks = json_object();
	for (size_t i = 0; i < n; i++)
		json_object_set_new(checks, c[i].name,
			json_boolean(c[i].passed));
	bool ok = attest_print_json(v, &text) &&
		json_parse(buf_bytes(&text), text.len, &verdict, NULL);
	json_t *o = json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, "
			      "s:I, s:I, s:o}",
		"accepted", accepted, "checks", checks, "package",
		hex_json(r->package, r->has_package), "module",
		hex_json(r->module, true), "config",
		hex_json(r->toml, r->has_toml), "policy",
		hex_json(r->policy, r->has_policy), "settings",
		hex_json(r->settings, true), "files", hex_json(r->files, true),
		"started_ns", (json_int_t)r->started_ns, "ended_ns",
		(json_int_t)r->ended_ns, "status", (json_int_t)r->status,
		"evidence", ok ? verdict : json_null());
	ok = o && json_print(o, out, NULL);
	json_decref(o);
	return ok;
}

static bool report(const struct file *f, const struct client_verifier *v,
	bool json, struct buf *out, bool *accepted, struct err *e)
{
	struct check c[8];
	size_t n = check_all(f, c);
	struct attest_input in = attest_bundle_input(&f->bundle);
	struct attest_verdict *verdict = calloc(1, sizeof *verdict);
	if (!verdict)
		return err_fail(e, ERR_LIMIT, "no memory");
	in.now = (int64_t)time(NULL);
	bool ok = attest_verify(&in, v->policy, verdict, e);
	if (ok) {
		*accepted = verdict->accepted;
		for (size_t i = 0; i < n; i++)
			*accepted = *accepted && c[i].passed;
		ok = json ? put_json(f, c, n, verdict, *accepted, out) :
			    put_text(f, c, n, verdict, *accepted, out);
		if (!ok)
			err_put(e, ERR_LIMIT, "no memory");
	}
	free(verdict);
	return ok;
}

bool client_receipt_check(const char *file, const char *policy,
	const char *images, bool json, struct buf *out, bool *accepted,
	struct err *e)
{
	struct file *f = calloc(1, sizeof *f);
	struct client_verifier v = { 0 };
	auto_buf text = { 0 };
	*accepted = false;
	if (!f)
		return err_fail(e, ERR_LIMIT, "no memory");
	bool ok = repository_read_file(file, CLIENT_RECEIPT_MAX, &text, e) &&
		(parse(buf_bytes(&text), f, e) || err_wrap(e, "%s", file)) &&
		client_verifier_init(&v, "auto", images, policy, e) &&
		report(f, &v, json, out, accepted, e);
	client_verifier_fini(&v);
	file_fini(f);
	free(f);
	return ok;
}
