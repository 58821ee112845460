/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../test.h"

static struct soft_root *root_new(void)
{
	char dir[] = P_tmpdir "/donjon-attest-XXXXXX", path[96];
	struct soft_root *r = NULL;
	struct err e = { 0 };
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/root.pem", dir);
	if (!soft_root_open(path, &r, &e))
		fail_msg("%s", e.text);
	unlink(path);
	rmdir(dir);
	return r;
}

void sample_sign(struct sample *s)
{
	buf_clear(&s->claims_cbor);
	buf_clear(&s->evidence);
	CHECK(attest_claims_encode(&s->claims, &s->claims_cbor));
	CHECK(attest_report_data(buf_bytes(&s->claims_cbor),
		s->facts.report_data, NULL));
	CHECK(soft_root_sign(s->root, &s->facts, &s->evidence, NULL));
	s->in.evidence = buf_bytes(&s->evidence);
	s->in.claims = buf_bytes(&s->claims_cbor);
}

void sample_init(struct sample *s)
{
	*s = (struct sample){ .root = root_new(),
		.ref = { .technology = "process", .len = 48 },
		.facts = { .tee = 1 } };
	CHECK(crypto_key_generate(CRYPTO_P256, &s->key, NULL));
	CHECK(crypto_key_spki(s->key, &s->spki, NULL));
	CHECK(crypto_key_fingerprint(s->key, s->claims.spki_hash, NULL));
	soft_root_fingerprint(s->root, s->fingerprint);
	memset(s->nonce, 0x11, 32);
	memset(s->owner, 0x22, 32);
	memset(s->ref.measurement, 0x33, 48);
	memcpy(s->claims.nonce, s->nonce, 32);
	memcpy(s->claims.owner, s->owner, 32);
	memcpy(s->facts.owner_key_hash, s->owner, 32);
	memcpy(s->facts.measurement, s->ref.measurement, 48);
	CHECK(attest_policy_default(&s->ref, 1, &s->policy, NULL));
	CHECK(attest_policy_trust_root(s->policy, s->fingerprint, NULL));
	s->in = (struct attest_input){
		.endorsements = soft_root_spki(s->root),
		.spki = buf_bytes(&s->spki),
		.nonce = s->nonce,
		.owner = s->owner,
	};
	sample_sign(s);
}

void sample_fini(struct sample *s)
{
	attest_policy_free(s->policy);
	soft_root_close(s->root);
	crypto_key_free(s->key);
	buf_fini(&s->claims_cbor);
	buf_fini(&s->evidence);
	buf_fini(&s->spki);
}

const char *sample_failed(struct sample *s, struct attest_verdict *v)
{
	struct err e = { 0 };
	if (!attest_verify(&s->in, s->policy, v, &e))
		fail_msg("%s", e.text);
	const struct attest_check *k = attest_failed(v);
	CHECK(v->accepted == !k);
	CHECK(attest_accepted(v, &e) == !k);
	CHECK(!k || e.kind == ERR_DENIED);
	return k ? k->name : "";
}
