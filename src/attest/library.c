/* SPDX-License-Identifier: Apache-2.0 */
/* The C API of libdonjon-attest (include/donjon/attest.h). */
#include <donjon/attest.h>

#include <stdlib.h>

#include "attest/bundle.h"
#include "base/fmt.h"

_Static_assert(DONJON_ATTEST_ERROR_BYTES >= sizeof((struct err *)NULL)->text,
	"room for an error");

struct donjon_attest {
	struct attest_policy *policy;
	struct attest_seen seen;
	struct attest_verdict verdict;
};

static void tell(char *error, const struct err *e)
{
	if (error)
		fmt(error, DONJON_ATTEST_ERROR_BYTES, "%s", e->text);
}

static struct bytes span(struct donjon_attest_bytes b)
{
	return bytes_of(b.ptr, b.ptr ? b.len : 0);
}

struct donjon_attest *donjon_attest_new(const char *policy, char *error)
{
	struct err e = { 0 };
	struct donjon_attest *a = calloc(1, sizeof *a);
	if (!a) {
		err_put(&e, ERR_LIMIT, "no memory");
		tell(error, &e);
		return NULL;
	}
	if (attest_policy_parse(bytes_str(policy ? policy : ""), "policy", NULL,
		    0, &a->policy, &e))
		return a;
	tell(error, &e);
	free(a);
	return NULL;
}

void donjon_attest_free(struct donjon_attest *a)
{
	if (!a)
		return;
	attest_policy_free(a->policy);
	free(a);
}

static bool endorse(const struct donjon_attest_input *in,
	struct attest_bundle *b, struct err *e)
{
	struct bytes *files = calloc(in->endorsement_count + 1, sizeof *files);
	if (!files)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (size_t i = 0; i < in->endorsement_count; i++)
		files[i] = span(in->endorsements[i]);
	/* What does not fit is for the verdict to say. */
	struct err why = { 0 };
	bool ok = true;
	for (size_t i = 0; ok && i < in->endorsement_count; i++)
		ok = attest_bundle_is_endorsement(files[i]) ||
			err_fail(e, ERR_INPUT,
				"endorsement %zu is neither certificate, "
				"revocation list nor signed document",
				i + 1);
	if (ok &&
		!attest_bundle_endorse(b, files, in->endorsement_count, in->now,
			&why) &&
		why.kind == ERR_LIMIT)
		ok = err_fail(e, ERR_LIMIT, "%s", why.text);
	free(files);
	return ok;
}

static bool judge(struct donjon_attest *a, const struct donjon_attest_input *in,
	struct err *e)
{
	struct attest_bundle b;
	if (!attest_bundle_read(span(in->evidence), &b, e))
		return false;
	bool ok = endorse(in, &b, e);
	struct attest_input x = attest_bundle_input(&b);
	x.now = in->now;
	x.padded = in->padded;
	x.nonce = in->nonce;
	x.seen = &a->seen;
	if (in->report_data)
		x.report_data = bytes_of(in->report_data, 64);
	if (in->key.len && !x.spki.len)
		x.spki = span(in->key);
	ok = ok && attest_verify(&x, a->policy, &a->verdict, e);
	attest_bundle_fini(&b);
	return ok;
}

static char *verdict_text(const struct attest_verdict *v)
{
	auto_buf out = { 0 };
	if (!attest_print_json(v, &out))
		return NULL;
	return strdup(buf_cstr(&out));
}

int donjon_attest_judge(struct donjon_attest *a,
	const struct donjon_attest_input *input, char **json, char *error)
{
	struct err e = { 0 };
	if (json)
		*json = NULL;
	if (!judge(a, input, &e)) {
		tell(error, &e);
		return e.kind == ERR_INPUT ? DONJON_ATTEST_INPUT :
					     DONJON_ATTEST_FAILED;
	}
	if (json && !(*json = verdict_text(&a->verdict))) {
		err_put(&e, ERR_LIMIT, "no memory");
		tell(error, &e);
		return DONJON_ATTEST_FAILED;
	}
	return a->verdict.accepted ? DONJON_ATTEST_ACCEPTED :
				     DONJON_ATTEST_REFUSED;
}

void donjon_attest_string_free(char *text)
{
	free(text);
}
