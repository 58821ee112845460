/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/snp.h"

#include <endian.h>

#include "base/must.h"
#include "crypto/aead.h"
#include "spec/snp.h"

enum { AES_256_GCM = 1, VERSION = 1 };

/* Key, IV and what the tag covers besides the payload. */
struct sealing {
	uint8_t iv[CRYPTO_GCM_IV_BYTES];
	struct crypto_gcm gcm;
};

static void sealing_of(const struct gate_shim *s,
	const struct snp_message_head *m, struct sealing *out)
{
	*out = (struct sealing){
		.gcm = { .key = s->key,
			.aad = bytes_of((const uint8_t *)m + SNP_MESSAGE_AAD_AT,
				sizeof *m - SNP_MESSAGE_AAD_AT) }
	};
	memcpy(out->iv, &m->sequence, sizeof m->sequence);
	out->gcm.iv = out->iv;
}

bool keep_snp_ask(const struct gate_shim *s, const uint8_t report_data[64],
	uint8_t message[PAGE_BYTES], struct err *e)
{
	struct sealing g;
	struct snp_report_ask ask = { .vmpl = htole32(s->vmpl) };
	struct snp_message_head m = {
		.sequence = htole64(s->sequence),
		.algorithm = AES_256_GCM,
		.head_version = VERSION,
		.head_bytes = htole16(sizeof m),
		.type = SNP_REPORT_ASK,
		.version = VERSION,
		.bytes = htole16(sizeof ask),
		.vmpck = (uint8_t)s->vmpl,
	};
	memcpy(ask.report_data, report_data, sizeof ask.report_data);
	memset(message, 0, PAGE_BYTES);
	sealing_of(s, &m, &g);
	if (!crypto_gcm_seal(&g.gcm, bytes_of(&ask, sizeof ask),
		    message + sizeof m, m.tag, e))
		return err_wrap(e, "firmware message");
	memcpy(message, &m, sizeof m);
	return true;
}

static bool head_check(const struct gate_shim *s,
	const struct snp_message_head *m, struct err *e)
{
	if (m->algorithm != AES_256_GCM || m->head_version != VERSION ||
		le16toh(m->head_bytes) != sizeof *m ||
		m->vmpck != (uint8_t)s->vmpl)
		return err_fail(e, ERR_HOST, "firmware answer: its header");
	if (m->type != SNP_REPORT || m->version != VERSION)
		return err_fail(e, ERR_HOST, "firmware answer: of type %u",
			m->type);
	if (le64toh(m->sequence) != s->sequence + 1)
		return err_fail(e, ERR_HOST,
			"firmware answer: sequence %llu, not %llu",
			(unsigned long long)le64toh(m->sequence),
			(unsigned long long)s->sequence + 1);
	return true;
}

struct answer {
	struct snp_report_answer head;
	struct snp_report report;
};

/* What the firmware said; authentic from here on. */
static bool answer_check(const struct gate_shim *s, const struct answer *a,
	const uint8_t report_data[64], struct err *e)
{
	if (a->head.status)
		return err_fail(e, ERR_HOST, "firmware answer: status 0x%x",
			le32toh(a->head.status));
	if (le32toh(a->head.report_bytes) != sizeof a->report)
		return err_fail(e, ERR_HOST, "firmware answer: %u bytes",
			le32toh(a->head.report_bytes));
	if (memcmp(a->report.report_data, report_data, 64) != 0 ||
		le32toh(a->report.vmpl) != s->vmpl)
		return err_fail(e, ERR_HOST, "firmware answer: another report");
	return true;
}

bool keep_snp_answer(const struct gate_shim *s, struct bytes answer,
	const uint8_t report_data[64], struct buf *report, struct err *e)
{
	struct sealing g;
	struct snp_message_head m;
	struct answer a = { 0 };
	if (answer.len != PAGE_BYTES)
		return err_fail(e, ERR_HOST, "firmware answer: %zu bytes",
			answer.len);
	memcpy(&m, answer.ptr, sizeof m);
	if (!head_check(s, &m, e))
		return false;
	/* A refusal is shorter: its status, and nothing behind it. */
	size_t len = le16toh(m.bytes);
	if (len != sizeof a && len != sizeof a.head)
		return err_fail(e, ERR_HOST, "firmware answer: payload of %zu",
			len);
	sealing_of(s, &m, &g);
	if (!crypto_gcm_open(&g.gcm, bytes_of(answer.ptr + sizeof m, len),
		    (uint8_t *)&a, m.tag, NULL))
		return err_fail(e, ERR_HOST,
			"firmware answer: not of the firmware");
	if (!answer_check(s, &a, report_data, e))
		return false;
	return buf_put(report, bytes_of(&a.report, sizeof a.report)) ||
		err_fail(e, ERR_LIMIT, "firmware answer: no memory");
}
