/* SPDX-License-Identifier: Apache-2.0 */
/* exec's messages against a firmware of the test's own. */
#include "keep/snp.h"

#include "../test.h"
#include "crypto/aead.h"
#include "spec/snp.h"

struct answer {
	struct snp_report_answer head;
	struct snp_report report;
};

struct page {
	struct snp_message_head m;
	uint8_t payload[PAGE_BYTES - sizeof(struct snp_message_head)];
};

static const uint8_t data[64] = { 1, 2, 3 };

static struct gate_shim shim(void)
{
	struct gate_shim s = { .version = 1,
		.tee = GATE_TEE_SNP,
		.sequence = 1 };
	memset(s.key, 0x42, sizeof s.key);
	return s;
}

static void iv_of(const struct snp_message_head *m, uint8_t iv[12])
{
	memset(iv, 0, 12);
	memcpy(iv, &m->sequence, 8);
}

/* From `algo` to the end of the header: 0x30 to 0x60. */
static struct bytes covered(const struct page *p)
{
	return bytes_of((const uint8_t *)p + 0x30, 0x30);
}

static void seal(const struct gate_shim *s, struct page *p, const void *text,
	size_t n)
{
	uint8_t iv[12];
	struct err e = { 0 };
	p->m.bytes = (uint16_t)n;
	iv_of(&p->m, iv);
	struct crypto_gcm g = { s->key, iv, covered(p) };
	CHECK(crypto_gcm_seal(&g, bytes_of(text, n), p->payload, p->m.tag, &e));
}

/* A good answer, before it is sealed. */
static void answer(struct page *p, struct answer *a)
{
	memset(p, 0, sizeof *p);
	memset(a, 0, sizeof *a);
	p->m = (struct snp_message_head){ .sequence = 2,
		.algorithm = 1,
		.head_version = 1,
		.head_bytes = 0x60,
		.type = SNP_REPORT,
		.version = 1 };
	a->head.report_bytes = sizeof a->report;
	a->report.version = 3;
	memcpy(a->report.report_data, data, sizeof data);
}

TEST(request_is_what_the_firmware_reads)
{
	struct gate_shim s = shim();
	struct err e = { 0 };
	static struct page p;
	struct snp_report_ask ask;
	uint8_t iv[12];
	CHECK(keep_snp_ask(&s, data, (uint8_t *)&p, &e));
	CHECK_INT(p.m.sequence, 1);
	CHECK_INT(p.m.type, SNP_REPORT_ASK);
	CHECK_INT(p.m.head_bytes, 0x60);
	CHECK_INT(p.m.bytes, 0x60);
	iv_of(&p.m, iv);
	struct crypto_gcm g = { s.key, iv, covered(&p) };
	CHECK(crypto_gcm_open(&g, bytes_of(p.payload, sizeof ask),
		(uint8_t *)&ask, p.m.tag, &e));
	CHECK_MEM(ask.report_data, data, sizeof data);
	CHECK_INT(ask.vmpl, 0);
	/* Nothing of the question can be read by who carries it. */
	for (size_t i = 0; i + 8 < sizeof p.payload; i++)
		CHECK(memcmp(p.payload + i, data, 8) != 0);
}

static bool opens(const struct gate_shim *s, const struct page *p,
	struct err *e)
{
	auto_buf report = { .len = 0 };
	bool ok = keep_snp_answer(s, bytes_of(p, sizeof *p), data, &report, e);
	CHECK_INT(report.len, ok ? SNP_REPORT_BYTES : 0);
	return ok;
}

TEST(answer_holds_the_report)
{
	struct gate_shim s = shim();
	struct err e = { 0 };
	static struct page p;
	struct answer a;
	auto_buf report = { .len = 0 };
	answer(&p, &a);
	seal(&s, &p, &a, sizeof a);
	if (!keep_snp_answer(&s, bytes_of(&p, sizeof p), data, &report, &e))
		fail_msg("%s", e.text);
	CHECK_INT(report.len, sizeof a.report);
	CHECK_MEM(report.ptr, &a.report, sizeof a.report);
}

#define REFUSES(before, after, text_)                          \
	do {                                                   \
		struct gate_shim s = shim();                   \
		struct err e = { 0 };                          \
		static struct page p;                          \
		struct answer a;                               \
		answer(&p, &a);                                \
		before;                                        \
		seal(&s, &p, &a, sizeof a);                    \
		after;                                         \
		if (opens(&s, &p, &e))                         \
			fail_msg("took " #before ", " #after); \
		CHECK_HAS(e.text, text_);                      \
		CHECK_INT(e.kind, ERR_HOST);                   \
	} while (0)

TEST(answers_that_are_none_are_named)
{
	REFUSES(p.m.algorithm = 2, , "its header");
	REFUSES(p.m.head_version = 2, , "its header");
	REFUSES(p.m.head_bytes = 0x40, , "its header");
	REFUSES(p.m.vmpck = 1, , "its header");
	REFUSES(p.m.type = SNP_REPORT_ASK, , "of type 5");
	REFUSES(p.m.version = 2, , "of type 6");
	REFUSES(p.m.sequence = 1, , "sequence 1, not 2");
	REFUSES(p.m.sequence = 4, , "sequence 4, not 2");
	REFUSES(, p.m.bytes = 8, "payload of 8");
	REFUSES(, p.m.bytes = 0xffff, "payload of 65535");
	REFUSES(, p.m.tag[0] ^= 1, "not of the firmware");
	REFUSES(, p.payload[700] ^= 1, "not of the firmware");
	REFUSES(s.key[0] ^= 1, s.key[0] ^= 1, "not of the firmware");
	REFUSES(, p.m.reserved_3d[3] = 1, "not of the firmware");
	REFUSES(a.head.status = 0x16, , "status 0x16");
	REFUSES(a.head.report_bytes = 1, , "1 bytes");
	REFUSES(a.report.report_data[5] = 1, , "another report");
	REFUSES(a.report.vmpl = 1, , "another report");
}

TEST(refusal_of_the_firmware_is_shorter)
{
	struct gate_shim s = shim();
	struct err e = { 0 };
	static struct page p;
	struct answer a;
	answer(&p, &a);
	a.head.status = 0x16;
	seal(&s, &p, &a.head, sizeof a.head);
	CHECK(!opens(&s, &p, &e));
	CHECK_HAS(e.text, "status 0x16");
	/* And one that claims success without a report is none. */
	a.head.status = 0;
	seal(&s, &p, &a.head, sizeof a.head);
	CHECK(!opens(&s, &p, &e));
	CHECK_HAS(e.text, "another report");
}

TEST(answer_of_another_length_is_refused)
{
	struct gate_shim s = shim();
	static struct page p;
	struct answer a;
	auto_buf report = { .len = 0 };
	answer(&p, &a);
	seal(&s, &p, &a, sizeof a);
	for (size_t n = 0; n < sizeof p; n += 37)
		CHECK(!keep_snp_answer(&s, bytes_of(&p, n), data, &report,
			NULL));
}
