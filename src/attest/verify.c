/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"
#include "attest/check.h"
#include "attest/quote.h"
#include "base/fmt.h"

/* Evidence that nobody here can read. */
static void unknown(struct attest_case *c)
{
	struct attest_check *k = attest_check(c->out, "evidence format", false);
	fmt(k->observed, sizeof k->observed, "%zu bytes of an unknown kind",
		c->in->evidence.len);
	fmt(k->required, sizeof k->required, "evidence of a known technology");
	attest_check_common_unmade(c->out, "evidence of an unknown kind");
}

bool attest_verify(const struct attest_input *in,
	const struct attest_policy *policy, struct attest_verdict *out,
	struct err *e)
{
	*out = (struct attest_verdict){ .technology = "unknown" };
	struct attest_case c = { .in = in, .policy = policy, .out = out };
	bool ok = true;
	if (attest_software_is(in->evidence))
		ok = attest_software(&c, e);
	else if (attest_snp_is(in->evidence))
		ok = attest_snp(&c, e);
	else if (attest_quote_is(in->evidence))
		ok = attest_intel(&c, e);
	else if (attest_pef_is(in->evidence))
		ok = attest_pef(&c, e);
	else if (attest_sanctum_is(in->evidence))
		ok = attest_sanctum(&c, e);
	else if (attest_keystone_is(in->evidence))
		ok = attest_keystone(&c, e);
	else
		unknown(&c);
	if (!ok)
		return err_wrap(e, "verify");
	attest_check_carrier(&c);
	out->accepted = out->count && !attest_failed(out);
	out->confidential = out->confidential && out->accepted;
	return true;
}

const struct attest_check *attest_failed(const struct attest_verdict *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!v->checks[i].passed && !v->checks[i].skipped)
			return &v->checks[i];
	return NULL;
}

bool attest_accepted(const struct attest_verdict *v, struct err *e)
{
	const struct attest_check *k = attest_failed(v);
	if (v->accepted && !k)
		return true;
	if (!k)
		return err_fail(e, ERR_DENIED, "nothing was checked");
	return err_fail(e, ERR_DENIED, "%s: observed %s, required %s", k->name,
		k->observed, k->required);
}
