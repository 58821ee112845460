/* SPDX-License-Identifier: Apache-2.0 */
/* What carries evidence: a certificate, or a request for one. */
#include "attest/check.h"
#include "attest/time.h"
#include "base/fmt.h"
#include "crypto/x509.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };
enum { P256_SPKI_BYTES = 91, P384_SPKI_BYTES = 120 };

/* Enarx has keys of P-256 for SGX, of P-384 for SNP, as the platforms' own
 * are: a weaker one is no key of a Keep. */
static bool key_fits(const struct attest_case *c)
{
	return c->in->spki.len ==
		(c->in->binding == ATTEST_BIND_SHA384 ? P384_SPKI_BYTES :
							P256_SPKI_BYTES);
}

static void check_request(struct attest_case *c)
{
	struct err why = { .text = "of another kind of key" };
	bool ok =
		key_fits(c) && crypto_request_signed(c->in->certificate, &why);
	struct attest_check *k = attest_check(c->out, "certificate", ok);
	fmt(k->observed, TEXT, "%s",
		ok ? "a request signed by its own key" : why.text);
	fmt(k->required, TEXT,
		"a request signed by the key that it is for, of %s",
		c->in->binding == ATTEST_BIND_SHA384 ? "P-384" : "P-256");
}

/* Who issued it is no matter: the evidence makes the key, not the issuer.
 * One that says it signed itself must have. */
void attest_check_carrier(struct attest_case *c)
{
	struct crypto_cert_facts f = { 0 };
	struct err why = { 0 };
	char text[3][ATTEST_TIME_TEXT];
	int64_t now = c->in->now;
	if (!c->in->certificate.len)
		return;
	if (c->in->request) {
		check_request(c);
		return;
	}
	bool read = crypto_cert_facts(c->in->certificate, &f, &why);
	bool ok = read && (!f.self_issued || f.self_signed) && f.from <= now &&
		now <= f.to;
	struct attest_check *k = attest_check(c->out, "certificate", ok);
	attest_time_print(f.from, text[0]);
	attest_time_print(f.to, text[1]);
	attest_time_print(now, text[2]);
	if (read)
		fmt(k->observed, TEXT, "%s, of %s to %s, now is %s",
			!f.self_issued	      ? "issued by another" :
				f.self_signed ? "signed by its own key" :
						"not signed by its own key",
			text[0], text[1], text[2]);
	else
		fmt(k->observed, TEXT, "%s", why.text);
	fmt(k->required, TEXT, "dates around now, its own signature");
	if (read)
		attest_check_expires(c->out, f.to);
}
