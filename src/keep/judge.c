/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/judge.h"

#include <stdlib.h>

#include "attest/bundle.h"
#include "attest/wire.h"
#include "base/reader.h"
#include "codec/json.h"
#include "crypto/hash.h"

struct keep_judge {
	struct keep_clock *clock;
	struct attest_policy *policy;
	struct attest_verdict verdict;
};

static bool settle(struct keep_judge *j, const struct frame_tls *t,
	const uint8_t own[32], struct err *e)
{
	if (!attest_policy_decode(t->policy, &j->policy, e))
		return false;
	if (t->owners.len)
		return attest_policy_owners(j->policy, t->owners, e);
	return attest_policy_has_owners(j->policy) ||
		attest_policy_owners(j->policy, bytes_of(own, 32), e);
}

bool keep_judge_new(const struct frame_tls *t, const uint8_t own[32],
	struct keep_clock *clock, struct keep_judge **out, struct err *e)
{
	uint8_t seed[8];
	if (!crypto_random(seed, sizeof seed, e))
		return false;
	struct reader r = { .in = BYTES_ARRAY(seed) };
	json_seed(reader_u64le(&r));
	struct keep_judge *j = calloc(1, sizeof *j);
	if (!j)
		return err_fail(e, ERR_LIMIT, "require_attested: no memory");
	j->clock = clock;
	if (!settle(j, t, own, e)) {
		keep_judge_free(j);
		return err_wrap(e, "require_attested");
	}
	*out = j;
	return true;
}

void keep_judge_free(struct keep_judge *j)
{
	if (!j)
		return;
	attest_policy_free(j->policy);
	free(j);
}

static bool judge(struct keep_judge *j, const struct attest_bundle *b,
	struct err *e)
{
	struct attest_input in = attest_bundle_input(b);
	in.now = (int64_t)(keep_clock_real(j->clock) / 1000000000);
	/* Other certificates with evidence name no owner. */
	if (!in.certificate.len || in.request || in.binding != ATTEST_BIND_KEEP)
		return err_fail(e, ERR_DENIED, "it is no Keep's");
	return attest_verify(&in, j->policy, &j->verdict, e) &&
		attest_accepted(&j->verdict, e);
}

bool keep_judge_peer(void *ctx, struct bytes leaf, struct err *e)
{
	struct attest_bundle b = { .request = false };
	struct err why;
	if (!attest_bundle_read(leaf, &b, &why))
		return err_fail(e, ERR_DENIED, "its certificate: %s", why.text);
	bool ok = judge(ctx, &b, e);
	attest_bundle_fini(&b);
	return ok || err_wrap(e, "its certificate");
}
