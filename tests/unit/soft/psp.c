/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/psp_priv.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

#include "../test.h"

enum { P384_BYTES = 48, HEAD = sizeof(struct snp_message_head) };

static const uint8_t none[32];
static char dir[64], path[80];

static struct psp *psp_make(void)
{
	struct psp *p = NULL;
	memcpy(dir, "/tmp/donjon-psp-XXXXXX", 23);
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/root.pem", dir);
	CHECK(psp_new(path, &p, NULL));
	return p;
}

static void psp_end(struct psp *p)
{
	psp_free(p);
	unlink(path);
	rmdir(dir);
}

static struct psp *psp_running(void)
{
	struct psp *p = psp_make();
	CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
	CHECK_INT(psp_finish(p, NULL, NULL, false, none), SNP_OK);
	return p;
}

/* --- launch digest ------------------------------------------------------ */

/* By hand, byte by byte (AMD 56860, table "PAGE_INFO"). */
static void by_hand(uint8_t digest[48], uint8_t type, uint64_t gpa,
	const uint8_t *page)
{
	uint8_t info[0x70] = { 0 };
	memcpy(info, digest, 48);
	if (page)
		CHECK(crypto_digest(CRYPTO_SHA384, bytes_of(page, PAGE_BYTES),
			info + 0x30, NULL));
	info[0x60] = 0x70;
	info[0x62] = type;
	for (int i = 0; i < 8; i++)
		info[0x68 + i] = (uint8_t)(gpa >> 8 * i);
	CHECK(crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(info), digest, NULL));
}

TEST(psp_digest_is_the_chain_of_pages)
{
	static uint8_t page[PAGE_BYTES], zero[PAGE_BYTES], cpuid[PAGE_BYTES];
	uint8_t want[48] = { 0 };
	struct psp *p = psp_make();
	CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
	memset(page, 0xab, sizeof page);
	CHECK_INT(psp_update(p, SNP_PAGE_NORMAL, 0x200000, page), SNP_OK);
	by_hand(want, 1, 0x200000, page);
	CHECK_INT(psp_update(p, SNP_PAGE_ZERO, 0x201000, zero), SNP_OK);
	by_hand(want, 3, 0x201000, NULL);
	CHECK_INT(psp_update(p, SNP_PAGE_UNMEASURED, 0x202000, page), SNP_OK);
	by_hand(want, 4, 0x202000, NULL);
	CHECK_INT(psp_update(p, SNP_PAGE_CPUID, 0x203000, cpuid), SNP_OK);
	by_hand(want, 6, 0x203000, NULL);
	CHECK_INT(psp_update(p, SNP_PAGE_VMSA, SNP_VMSA_GPA, page), SNP_OK);
	by_hand(want, 2, SNP_VMSA_GPA, page);
	CHECK_MEM(p->digest, want, sizeof want);
	psp_end(p);
}

TEST(psp_digest_changes_with_content_place_kind_and_order)
{
	static uint8_t a[PAGE_BYTES] = { 1 }, b[PAGE_BYTES] = { 2 };
	static const struct {
		enum snp_page_type type[2];
		uint64_t gpa[2];
		uint8_t *page[2];
	} cases[] = {
		{ { 1, 1 }, { 0x1000, 0x2000 }, { a, b } },
		{ { 1, 1 }, { 0x2000, 0x1000 }, { b, a } },
		{ { 1, 1 }, { 0x1000, 0x2000 }, { b, a } },
		{ { 1, 1 }, { 0x1000, 0x3000 }, { a, b } },
		{ { 1, 4 }, { 0x1000, 0x2000 }, { a, b } },
		{ { 1, 3 }, { 0x1000, 0x2000 }, { a, b } },
	};
	uint8_t seen[ARRAY_LEN(cases)][48];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct psp *p = psp_make();
		CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
		for (size_t n = 0; n < 2; n++)
			CHECK_INT(psp_update(p, cases[i].type[n],
					  cases[i].gpa[n], cases[i].page[n]),
				SNP_OK);
		memcpy(seen[i], p->digest, 48);
		for (size_t j = 0; j < i; j++)
			CHECK(memcmp(seen[i], seen[j], 48) != 0);
		psp_end(p);
	}
}

TEST(psp_secrets_are_filled_in_and_not_measured)
{
	static uint8_t page[PAGE_BYTES];
	struct snp_secrets s;
	uint8_t want[48] = { 0 };
	struct psp *p = psp_make();
	CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
	memset(page, 0x55, sizeof page);
	CHECK_INT(psp_update(p, SNP_PAGE_SECRETS, 0x5000, page), SNP_OK);
	by_hand(want, 5, 0x5000, NULL);
	CHECK_MEM(p->digest, want, sizeof want);
	memcpy(&s, page, sizeof s);
	CHECK_INT(s.version, 3);
	CHECK_MEM(s.vmpck, p->vmpck, sizeof s.vmpck);
	CHECK(memcmp(s.vmpck[0], s.vmpck[1], 32) != 0);
	psp_end(p);
}

static bool few_features(void *ctx, const struct snp_cpuid_entry *ask,
	uint32_t out[4])
{
	(void)ctx;
	const uint32_t said[4] = { ask->eax, ask->ebx, ask->ecx & 0xff,
		ask->edx };
	memcpy(out, said, sizeof said);
	return true;
}

TEST(psp_a_cpuid_page_that_promises_too_much_is_corrected_and_refused)
{
	static struct snp_cpuid_page page = { .count = 2,
		.entries = { { .eax_in = 0, .ecx = 7 },
			{ .eax_in = 1, .ecx = 0x1ff } } };
	struct psp *p = psp_make();
	psp_set_cpuid(p, few_features, NULL);
	CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
	CHECK_INT(psp_update(p, SNP_PAGE_CPUID, 0x1000, (uint8_t *)&page),
		SNP_INVALID_PARAM);
	CHECK_INT(page.entries[1].ecx, 0xff);
	CHECK(bytes_all_zero(BYTES_ARRAY(p->digest)));
	CHECK_INT(psp_update(p, SNP_PAGE_CPUID, 0x1000, (uint8_t *)&page),
		SNP_OK);
	page.count = SNP_CPUID_ENTRIES + 1;
	CHECK_INT(psp_update(p, SNP_PAGE_CPUID, 0x2000, (uint8_t *)&page),
		SNP_INVALID_PARAM);
	psp_end(p);
}

/* --- the ID block ------------------------------------------------------- */

static void turn(uint8_t *out, const uint8_t *in)
{
	for (size_t i = 0; i < P384_BYTES; i++)
		out[i] = in[P384_BYTES - 1 - i];
}

static void put_key(const struct crypto_key *k, struct snp_public_key *out)
{
	auto_buf spki = { 0 };
	CHECK(crypto_key_spki(k, &spki, NULL));
	const uint8_t *point = spki.ptr + spki.len - 2 * P384_BYTES;
	*out = (struct snp_public_key){ .curve = htole32(2) };
	turn(out->x, point);
	turn(out->y, point + P384_BYTES);
}

static void put_signature(const struct crypto_key *k, struct bytes message,
	uint8_t out[512])
{
	auto_buf raw = { 0 };
	CHECK(crypto_sign(k, message, &raw, NULL));
	memset(out, 0, 512);
	turn(out, raw.ptr);
	turn(out + 72, raw.ptr + P384_BYTES);
}

struct signed_id {
	struct snp_id_block id;
	struct snp_id_auth auth;
};

static void sign_id(struct signed_id *s, const struct psp *p)
{
	struct crypto_key *id = NULL, *author = NULL;
	CHECK(crypto_key_generate(CRYPTO_P384, &id, NULL));
	CHECK(crypto_key_generate(CRYPTO_P384, &author, NULL));
	*s = (struct signed_id){ .id = { .version = htole32(1),
					 .guest_svn = htole32(7),
					 .policy = htole64(0x30000),
					 .family_id = { 1 },
					 .image_id = { 2 } },
		.auth = { .id_algo = htole32(1), .author_algo = htole32(1) } };
	memcpy(s->id.digest, p->digest, sizeof s->id.digest);
	put_key(id, &s->auth.id_key);
	put_key(author, &s->auth.author_key);
	put_signature(id, bytes_of(&s->id, sizeof s->id),
		s->auth.id_block_signature);
	put_signature(author, bytes_of(&s->auth.id_key, sizeof s->auth.id_key),
		s->auth.id_key_signature);
	crypto_key_free(id);
	crypto_key_free(author);
}

static struct psp *psp_with_page(void)
{
	static uint8_t page[PAGE_BYTES];
	struct psp *p = psp_make();
	CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
	CHECK_INT(psp_update(p, SNP_PAGE_NORMAL, 0, page), SNP_OK);
	return p;
}

TEST(psp_an_id_block_is_in_the_report)
{
	static struct signed_id s;
	uint8_t hash[48], data[64] = { 0 };
	struct snp_report r;
	struct psp *p = psp_with_page();
	sign_id(&s, p);
	CHECK_INT(psp_finish(p, &s.id, &s.auth, true, none), SNP_OK);
	CHECK(psp_report(p, data, 0, &r, NULL));
	CHECK_INT(le32toh(r.guest_svn), 7);
	CHECK_INT(r.family_id[0], 1);
	CHECK_INT(r.image_id[0], 2);
	CHECK_INT(le32toh(r.key_info), SNP_KEY_AUTHOR);
	CHECK(crypto_digest(CRYPTO_SHA384,
		bytes_of(&s.auth.id_key, sizeof s.auth.id_key), hash, NULL));
	CHECK_MEM(r.id_key_digest, hash, sizeof hash);
	CHECK(crypto_digest(CRYPTO_SHA384,
		bytes_of(&s.auth.author_key, sizeof s.auth.author_key), hash,
		NULL));
	CHECK_MEM(r.author_key_digest, hash, sizeof hash);
	psp_end(p);
}

TEST(psp_an_id_block_that_does_not_hold_is_refused)
{
	enum { DIGEST, POLICY, BLOCK, KEY, AUTHOR, ALGO, ZEROS, CASES };
	static const enum snp_status want[CASES] = {
		[DIGEST] = SNP_BAD_SIGNATURE,
		[POLICY] = SNP_BAD_SIGNATURE,
		[BLOCK] = SNP_BAD_SIGNATURE,
		[KEY] = SNP_BAD_SIGNATURE,
		[AUTHOR] = SNP_BAD_SIGNATURE,
		[ALGO] = SNP_INVALID_PARAM,
		[ZEROS] = SNP_BAD_SIGNATURE,
	};
	static struct signed_id s;
	struct psp *p = psp_with_page();
	for (int i = 0; i < CASES; i++) {
		sign_id(&s, p);
		uint8_t *const spoil[CASES] = {
			[DIGEST] = s.id.digest,
			[POLICY] = (uint8_t *)&s.id.policy,
			[BLOCK] = s.auth.id_block_signature,
			[KEY] = s.auth.id_key.x,
			[AUTHOR] = s.auth.id_key_signature + 72,
			[ALGO] = (uint8_t *)&s.auth.id_algo,
			[ZEROS] = s.auth.id_block_signature + 60,
		};
		spoil[i][0] ^= 4;
		CHECK_INT(psp_finish(p, &s.id, &s.auth, true, none), want[i]);
	}
	psp_end(p);
}

TEST(psp_an_id_block_of_another_image_or_policy_is_refused)
{
	static struct signed_id s;
	static uint8_t page[PAGE_BYTES] = { 9 };
	struct psp *p = psp_with_page();
	sign_id(&s, p);
	CHECK_INT(psp_update(p, SNP_PAGE_NORMAL, 0x1000, page), SNP_OK);
	CHECK_INT(psp_finish(p, &s.id, &s.auth, true, none),
		SNP_BAD_MEASUREMENT);
	p->policy = 0x20000;
	sign_id(&s, p);
	CHECK_INT(psp_finish(p, &s.id, &s.auth, true, none),
		SNP_POLICY_FAILURE);
	psp_end(p);
}

/* --- guest messages ----------------------------------------------------- */

struct page {
	union {
		struct snp_message_head head;
		uint8_t bytes[PAGE_BYTES];
	};
};

static struct bytes aad_of(const struct page *m)
{
	const size_t from = offsetof(struct snp_message_head, algorithm);
	return bytes_of(m->bytes + from, HEAD - from);
}

static void seal_with(const uint8_t key[32], struct page *m)
{
	uint8_t iv[12] = { 0 }, tag[16];
	memcpy(iv, &m->head.sequence, 8);
	const struct crypto_gcm g = { key, iv, aad_of(m) };
	CHECK(crypto_gcm_seal(&g,
		bytes_of(m->bytes + HEAD, le16toh(m->head.bytes)),
		m->bytes + HEAD, tag, NULL));
	memcpy(m->head.tag, tag, sizeof tag);
}

/* Not sealed yet. */
static struct page ask(uint64_t sequence, uint32_t vmpl)
{
	struct page m = { .head = { .sequence = htole64(sequence),
				  .algorithm = 1,
				  .head_version = 1,
				  .head_bytes = htole16(HEAD),
				  .type = SNP_REPORT_ASK,
				  .version = 1,
				  .bytes = htole16(
					  sizeof(struct snp_report_ask)) } };
	struct snp_report_ask a = { .vmpl = htole32(vmpl) };
	memset(a.report_data, 0x77, sizeof a.report_data);
	memcpy(m.bytes + HEAD, &a, sizeof a);
	return m;
}

static bool open_with(const uint8_t key[32], struct page *m)
{
	uint8_t iv[12] = { 0 };
	memcpy(iv, &m->head.sequence, 8);
	const struct crypto_gcm g = { key, iv, aad_of(m) };
	return crypto_gcm_open(&g,
		bytes_of(m->bytes + HEAD, le16toh(m->head.bytes)),
		m->bytes + HEAD, m->head.tag, NULL);
}

static struct page in, out;

TEST(psp_a_request_gets_a_report_under_the_same_key)
{
	struct snp_report_answer a;
	struct snp_report r;
	struct psp *p = psp_running();
	for (uint64_t sequence = 1; sequence < 9; sequence += 2) {
		in = ask(sequence, 0);
		seal_with(p->vmpck[0], &in);
		CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_OK);
		CHECK_INT(le64toh(out.head.sequence), sequence + 1);
		CHECK_INT(out.head.type, SNP_REPORT);
		CHECK(open_with(p->vmpck[0], &out));
		memcpy(&a, out.bytes + HEAD, sizeof a);
		memcpy(&r, out.bytes + HEAD + sizeof a, sizeof r);
		CHECK_INT(a.status, 0);
		CHECK_INT(le32toh(a.report_bytes), sizeof r);
		CHECK_INT(r.report_data[63], 0x77);
	}
	psp_end(p);
}

TEST(psp_no_request_is_taken_twice)
{
	struct psp *p = psp_running();
	in = ask(1, 0);
	seal_with(p->vmpck[0], &in);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_OK);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_AEAD_OVERFLOW);
	static const uint64_t wrong[] = { 0, 1, 2, 4, 5, UINT64_MAX };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		in = ask(wrong[i], 0);
		seal_with(p->vmpck[0], &in);
		CHECK_INT(psp_request(p, in.bytes, out.bytes),
			SNP_AEAD_OVERFLOW);
	}
	in = ask(3, 0);
	seal_with(p->vmpck[0], &in);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_OK);
	psp_end(p);
}

TEST(psp_a_forged_request_changes_nothing)
{
	struct psp *p = psp_running();
	in = ask(1, 0);
	seal_with(p->vmpck[0], &in);
	const size_t end = HEAD + sizeof(struct snp_report_ask);
	for (size_t i = 0; i < end; i++) {
		in.bytes[i] ^= 0x10;
		memset(&out, 0xee, sizeof out);
		if (psp_request(p, in.bytes, out.bytes) == SNP_OK)
			fail_msg("byte %zu", i);
		CHECK_INT(out.bytes[0], 0xee);
		in.bytes[i] ^= 0x10;
	}
	in = ask(1, 0);
	seal_with(p->vmpck[1], &in); /* another's key */
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_BAD_MEASUREMENT);
	in = ask(1, 0);
	seal_with(p->vmpck[0], &in);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_OK);
	psp_end(p);
}

TEST(psp_nobody_asks_for_those_above_him)
{
	struct snp_report_answer a;
	static const struct {
		uint8_t key;
		uint32_t vmpl, want;
	} cases[] = { { 0, 0, 0 }, { 0, 3, 0 }, { 0, 4, SNP_INVALID_PARAM },
		{ 1, 0, SNP_INVALID_PARAM }, { 1, 1, 0 }, { 3, 2, 22 } };
	struct psp *p = psp_running();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t key = cases[i].key;
		in = ask(p->sequence[key] + 1, cases[i].vmpl);
		in.head.vmpck = key;
		seal_with(p->vmpck[key], &in);
		CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_OK);
		CHECK(open_with(p->vmpck[key], &out));
		memcpy(&a, out.bytes + HEAD, sizeof a);
		CHECK_INT(le32toh(a.status), cases[i].want);
		CHECK(cases[i].want ? !a.report_bytes : a.report_bytes);
	}
	psp_end(p);
}

TEST(psp_answers_no_request_before_the_launch_is_finished)
{
	struct psp *p = psp_make();
	in = ask(1, 0);
	seal_with(p->vmpck[0], &in);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_INVALID_GUEST_STATE);
	CHECK_INT(psp_start(p, 0x30000, none), SNP_OK);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_INVALID_GUEST_STATE);
	psp_end(p);
}

TEST(psp_an_unknown_message_is_refused)
{
	struct psp *p = psp_running();
	in = ask(1, 0);
	in.head.type = 99;
	seal_with(p->vmpck[0], &in);
	CHECK_INT(psp_request(p, in.bytes, out.bytes), SNP_UNSUPPORTED);
	psp_end(p);
}
