/* SPDX-License-Identifier: Apache-2.0 */
#include "client/trust.h"

#include <stdlib.h>
#include <unistd.h>

#include "attest/wire.h"
#include "base/fmt.h"
#include "client/verify.h"
#include "codec/pem.h"
#include "repository/repository.h"

enum { MAX_PEM = FRAME_MAX_TRUST, MAX_KEY = 64 << 10 };

/* Where Debian, Fedora and others have their authorities. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };

static bool read_pem(const char *what, size_t max, struct buf *out,
	struct err *e)
{
	if (strncmp(what, "-----BEGIN ", 11) != 0)
		return repository_read_file(what, max, out, e);
	return buf_str(out, what) || err_fail(e, ERR_LIMIT, "no memory");
}

static bool add_der(const struct buf *der, struct buf *out, struct err *e)
{
	buf_u32le(out, (uint32_t)der->len);
	buf_put(out, buf_bytes(der));
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "no memory");
}

/* Bundles have comments between their blocks: what is no line of a block is
 * passed over. */
static void skip_text(struct reader *r)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *p = r->in.ptr + r->at;
	const uint8_t *at = memmem(p, reader_left(r), begin, sizeof begin - 1);
	(void)reader_take(r, at ? (size_t)(at - p) : reader_left(r));
}

/* Every certificate of the text: DER, u32 length each. */
static bool certificates(const struct buf *text, struct buf *out, struct err *e)
{
	struct reader r = { .in = buf_bytes(text) };
	size_t n = 0;
	for (skip_text(&r); reader_left(&r); skip_text(&r), n++) {
		auto_buf der = { 0 };
		const char *label = pem_next_is(&r, "TRUSTED CERTIFICATE") ?
			"TRUSTED CERTIFICATE" :
			"CERTIFICATE";
		if (!pem_next(&r, label, &der, e) || !add_der(&der, out, e))
			return false;
	}
	return n || err_fail(e, ERR_INPUT, "no certificates (PEM) in it");
}

static bool load_certificates(const char *what, struct buf *out, struct err *e)
{
	auto_buf text = { 0 };
	bool named = strncmp(what, "-----BEGIN ", 11) != 0;
	out->limit = FRAME_MAX_TRUST;
	if (!read_pem(what, MAX_PEM, &text, e))
		return false;
	return certificates(&text, out, e) ||
		err_wrap(e, "%s", named ? what : "certificates");
}

static bool load_system(struct buf *out, struct err *e)
{
	const char *file = getenv("SSL_CERT_FILE");
	if (file && *file)
		return load_certificates(file, out, e);
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++)
		if (access(bundles[i], R_OK) == 0)
			return load_certificates(bundles[i], out, e);
	return err_fail(e, ERR_INPUT,
		"no certificates of authorities on this machine: name ca, pins "
		"or require_attested in [tls]");
}

/* PKCS#8, or what OpenSSL's older commands write. */
static bool load_key(const char *what, struct buf *out, struct err *e)
{
	static const char *const labels[] = { "PRIVATE KEY", "EC PRIVATE KEY",
		"RSA PRIVATE KEY" };
	auto_wipe_buf text = { 0 };
	bool named = strncmp(what, "-----BEGIN ", 11) != 0;
	if (!read_pem(what, MAX_KEY, &text, e))
		return false;
	struct reader r = { .in = buf_bytes(&text) };
	for (skip_text(&r); reader_left(&r); skip_text(&r)) {
		for (size_t i = 0; i < ARRAY_LEN(labels); i++)
			if (pem_next_is(&r, labels[i]))
				return pem_next(&r, labels[i], out, e);
		/* "EC PARAMETERS" and the like. */
		(void)reader_take(&r, 1);
	}
	return err_fail(e, ERR_INPUT, "%s: no private key (PEM) in it",
		named ? what : "key");
}

static bool connects_with(const struct client_workload *w, size_t profile)
{
	bool any = false;
	for (size_t i = 0; i < w->file_count; i++)
		any |= w->files[i].kind == FRAME_FD_CONNECT &&
			w->files[i].prot == FRAME_PROT_TLS &&
			w->files[i].profile == profile;
	for (size_t i = 0; i < w->connect_count; i++)
		any |= w->connects[i].prot == FRAME_PROT_TLS &&
			w->connects[i].profile == profile;
	return any;
}

/* In the Keep's form, "release" being what is installed here. */
static bool load_policy(struct client_tls *t, const char *images, struct err *e)
{
	struct client_verifier v;
	const char *file = t->policy && *t->policy ? t->policy : NULL;
	bool ok = client_verifier_init(&v, "auto", images, file, e);
	if (ok && !attest_policy_encode(v.policy, &t->policy_wire))
		ok = err_fail(e, ERR_LIMIT, "policy of over %u bytes",
			ATTEST_WIRE_MAX);
	client_verifier_fini(&v);
	return ok || err_wrap(e, "require_attested");
}

static bool load(struct client_workload *w, size_t i, const char *images,
	struct err *e)
{
	struct client_tls *t = &w->profiles[i];
	bool known = t->ca || t->pins.len || t->attested;
	t->trusting = t->ca || (!known && connects_with(w, i));
	if (t->trusting &&
		!(t->ca ? load_certificates(t->ca, &t->trust, e) :
			  load_system(&t->trust, e)))
		return false;
	if (t->attested && !load_policy(t, images, e))
		return false;
	return !t->certificate ||
		(load_certificates(t->certificate, &t->chain, e) &&
			load_key(t->key, &t->pkcs8, e));
}

bool client_trust_load(struct client_workload *w, const char *images,
	struct err *e)
{
	for (size_t i = 0; i < w->profile_count; i++)
		if (!load(w, i, images, e))
			return err_wrap(e, "%s",
				w->profiles[i].where ? w->profiles[i].where :
						       "TLS");
	return true;
}
