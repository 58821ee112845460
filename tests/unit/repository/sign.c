/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/sign.h"

#include <stdio.h>

#include "../test.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PAYLOAD(type, digest)                                         \
	"{\"critical\":{\"identity\":{\"docker-reference\":\"h/a\"}," \
	"\"image\":{\"docker-manifest-digest\":\"" digest             \
	"\"},\"type\":\"" type "\"},\"optional\":null}"

static const char public_key[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYqgPJcyYhVL1S+NNZov/JmHxSKvU\n"
	"3Cwtr6gDWI151nfv62lo9RufhIDMb9ykoXQoXE/dzTIqyO7EeLR90AIokg==\n"
	"-----END PUBLIC KEY-----\n";

static struct err e;
static struct repository_payload p;
static uint8_t digest[32] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11, 0x22, 0x33,
	0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
	0xff };

TEST(a_payload_is_byte_for_byte_what_cosign_makes)
{
	auto_buf out = { 0 };
	CHECK(repository_payload_make("h/a", digest, NULL, 0, &out, &e));
	CHECK_STR(buf_cstr(&out),
		PAYLOAD("cosign container image signature", "sha256:" HEX));
	CHECK(repository_payload_parse(buf_bytes(&out), &p, &e));
	CHECK_STR(p.identity, "h/a");
	CHECK_MEM(p.digest, digest, 32);
}

TEST(annotations_go_into_the_optional_part)
{
	auto_buf out = { 0 };
	static const char *const notes[] = { "who=me", "why=a=b" };
	CHECK(repository_payload_make("h/a", digest, notes, 2, &out, &e));
	CHECK_HAS(buf_cstr(&out),
		"\"optional\":{\"who\":\"me\",\"why\":\"a=b\"}");
	static const char *const bad[] = { "who" };
	CHECK(!repository_payload_make("h/a", digest, bad, 1, &out, &e));
}

TEST(payloads_of_another_kind_are_refused)
{
	static const char *const bad[] = { "", "null", "{}", "[]",
		PAYLOAD("atomic container signature", "sha256:" HEX),
		PAYLOAD("cosign container image signature", "sha256:00"),
		PAYLOAD("cosign container image signature", "sha512:" HEX),
		"{\"critical\":{\"identity\":{},\"image\":{},\"type\":\"\"}}",
		"{\"critical\":7}" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (repository_payload_parse(bytes_str(bad[i]), &p, &e))
			fail_msg("taken: %s", bad[i]);
}

TEST(signatures_survive_their_encoding)
{
	/* r and s: small, with the top bit set, with leading zeros. */
	for (unsigned k = 0; k < 4; k++) {
		uint8_t raw[64];
		auto_buf text = { 0 }, back = { 0 };
		memset(raw, k & 1 ? 0xff : 0x01, 32);
		memset(raw + 32, 0, 32);
		raw[k & 2 ? 63 : 40] = 0x80;
		CHECK(repository_signature_encode(BYTES_ARRAY(raw), &text, &e));
		CHECK(repository_signature_decode(buf_bytes(&text), &back, &e));
		CHECK_INT(back.len, 64);
		CHECK_MEM(back.ptr, raw, 64);
	}
}

TEST(signatures_that_are_none_are_refused)
{
	static const char *const bad[] = { "", "!", "AAAA", "MAA=",
		"MAYCAQECAQE=", /* SEQUENCE { 1, 1 } is fine; see below */
		"MAYCAQECAQEA", "MAkCAQECAQECAQE=", "MAYCAYECAQE=" };
	auto_buf raw = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bool ok = repository_signature_decode(bytes_str(bad[i]), &raw,
			&e);
		if (ok != (i == 4))
			fail_msg("%s", bad[i]);
	}
}

TEST(keys_are_public_and_pem)
{
	struct crypto_key *k;
	if (!repository_key_parse(bytes_str(public_key), &k, &e))
		fail_msg("%s", e.text);
	crypto_key_free(k);
	CHECK(!repository_key_parse(BYTES_NONE, &k, &e));
	CHECK(!repository_key_parse(bytes_of(public_key, 100), &k, &e));
	CHECK(!repository_key_parse(BYTES_LIT("-----BEGIN PRIVATE KEY-----\n"
					      "-----END PRIVATE KEY-----\n"),
		&k, &e));
}

/* --- policies
 * ------------------------------------------------------------------ */

static struct repository_trust t;

/* before, a key (or another text), after */
static bool read_policy(const char *before, const char *key, const char *after)
{
	auto_buf text = { 0 };
	buf_fmt(&text, "%s%s%s", before, key, after);
	e = (struct err){ 0 };
	return repository_trust_parse(buf_bytes(&text), "policy.toml", &t, &e);
}

TEST(the_first_rule_that_fits_decides)
{
	const struct repository_rule *r;
	bool refused;
	if (!read_policy("technologies = [\"process\"]\n"
			 "[[signatures]]\nname = \"h.example/pay/*\"\n"
			 "keys = [\"\"\"",
		    public_key,
		    "\"\"\"]\n"
		    "[[signatures]]\nname = \"h.example/*\"\n"
		    "unsigned = true\n"))
		fail_msg("%s", e.text);
	CHECK_INT(t.count, 2);
	r = repository_trust_find(&t, "h.example/pay/roll", &refused);
	CHECK(r == &t.rules[0] && !refused);
	CHECK_INT(r->key_count, 1);
	r = repository_trust_find(&t, "h.example/pay", &refused);
	CHECK(r == &t.rules[1] && r->unsigned_ && !refused);
	r = repository_trust_find(&t, "other.example/pay/roll", &refused);
	CHECK(!r && refused);
	repository_trust_fini(&t);
}

TEST(without_rules_everything_is_welcome)
{
	bool refused;
	CHECK(read_policy("technologies = [\"", "process", "\"]\n"));
	CHECK_INT(t.count, 0);
	CHECK(!repository_trust_find(&t, "h/a", &refused) && !refused);
	repository_trust_fini(&t);
}

TEST(rules_that_say_nothing_or_too_much_are_refused)
{
	CHECK(!read_policy("[[signatures]]\nname = \"*\"\n", "", ""));
	CHECK_HAS(e.text, "wants keys");
	CHECK(!read_policy("[[signatures]]\nunsigned = true\n", "", ""));
	CHECK_HAS(e.text, "without a name");
	CHECK(!read_policy("[[signatures]]\nname = \"*\"\nkeys = "
			   "[\"\"\"",
		public_key, "\"\"\"]\nunsigned = true\n"));
	CHECK(!read_policy("[[signatures]]\nname = \"*\"\nkeys = "
			   "[\"\"\"",
		public_key, "\"\"\"]\nextra = 1\n"));
	CHECK_HAS(e.text, "extra");
	CHECK(!read_policy("[[signatures]]\nname = \"*\"\nkeys = "
			   "[\"",
		"no-such-file.pub", "\"]\n"));
	CHECK_HAS(e.text, "no-such-file.pub");
	CHECK(!read_policy("[signatures]\nname = \"*\"\n", "", ""));
}

/* --- cosign's own (tests/data/cosign)
 * -------------------------------------------- */

static void load(const char *name, struct buf *out)
{
	auto_buf path = { 0 };
	buf_fmt(&path, "tests/data/cosign/%s", name);
	if (!repository_read_file(buf_cstr(&path), 4096, out, &e))
		fail_msg("%s", e.text);
}

TEST(a_signature_that_cosign_made_is_good_and_a_changed_one_is_not)
{
	auto_buf payload = { 0 }, text = { 0 }, pem = { 0 }, raw = { 0 };
	auto_buf again = { 0 };
	struct crypto_key *k;
	static const char *const notes[] = { "release=1.2" };
	load("payload.json", &payload);
	load("signature", &text);
	load("cosign.pub", &pem);
	CHECK(repository_key_parse(buf_bytes(&pem), &k, &e));
	CHECK(repository_signature_decode(buf_bytes(&text), &raw, &e));
	CHECK(crypto_verify(k, buf_bytes(&payload), buf_bytes(&raw), &e));
	CHECK(repository_payload_parse(buf_bytes(&payload), &p, &e));
	CHECK_STR(p.identity, "localhost:36273/demo/app");
	/* Ours would have been the same, byte for byte. */
	CHECK(repository_payload_make(p.identity, p.digest, notes, 1, &again,
		&e));
	CHECK(bytes_equal(buf_bytes(&again), buf_bytes(&payload)));
	payload.ptr[payload.len - 3] ^= 1;
	CHECK(!crypto_verify(k, buf_bytes(&payload), buf_bytes(&raw), &e));
	crypto_key_free(k);
}
