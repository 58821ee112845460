/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/snp.h"

#include <endian.h>

#include "base/must.h"
#include "crypto/aead.h"
#include "spec/snp.h"

/* What the tag covers besides the payload: the header from `algo` on. */
static struct bytes covered(const struct snp_message *m)
{
	return bytes_of(&m->algo,
		sizeof *m - offsetof(struct snp_message, algo));
}

static void make_iv(uint64_t sequence, uint8_t iv[CRYPTO_GCM_IV_BYTES])
{
	uint64_t le = htole64(sequence);
	memset(iv, 0, CRYPTO_GCM_IV_BYTES);
	memcpy(iv, &le, sizeof le);
}

bool keep_snp_ask(const struct gate_shim *s, const uint8_t report_data[64],
	uint8_t message[SNP_MSG_BYTES], struct err *e)
{
	uint8_t iv[CRYPTO_GCM_IV_BYTES];
	struct snp_report_request ask = { .vmpl = htole32(s->vmpl) };
	struct snp_message m = {
		.sequence = htole64(s->sequence),
		.algo = SNP_MSG_AES_256_GCM,
		.header_version = SNP_MSG_HEADER_VERSION,
		.header_bytes = htole16(sizeof m),
		.type = SNP_MSG_REPORT_REQ,
		.version = SNP_MSG_VERSION,
		.payload_bytes = htole16(sizeof ask),
		.vmpck = (uint8_t)s->vmpl,
	};
	memcpy(ask.report_data, report_data, sizeof ask.report_data);
	memset(message, 0, SNP_MSG_BYTES);
	make_iv(s->sequence, iv);
	if (!crypto_gcm_seal(s->key, iv, covered(&m),
		    bytes_of(&ask, sizeof ask), message + sizeof m, m.tag, e))
		return err_wrap(e, "firmware message");
	memcpy(message, &m, sizeof m);
	return true;
}

static bool header_check(const struct gate_shim *s, const struct snp_message *m,
	struct err *e)
{
	if (m->algo != SNP_MSG_AES_256_GCM ||
		m->header_version != SNP_MSG_HEADER_VERSION ||
		le16toh(m->header_bytes) != sizeof *m ||
		m->vmpck != (uint8_t)s->vmpl)
		return err_fail(e, ERR_HOST, "firmware answer: its header");
	if (m->type != SNP_MSG_REPORT_RSP || m->version != SNP_MSG_VERSION)
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
	struct snp_report_response head;
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
	uint8_t iv[CRYPTO_GCM_IV_BYTES];
	struct snp_message m;
	struct answer a;
	if (answer.len != SNP_MSG_BYTES)
		return err_fail(e, ERR_HOST, "firmware answer: %zu bytes",
			answer.len);
	memcpy(&m, answer.ptr, sizeof m);
	if (!header_check(s, &m, e))
		return false;
	/* A refusal is shorter: its status, and nothing behind it. */
	size_t len = le16toh(m.payload_bytes);
	if (len != sizeof a && len != sizeof a.head)
		return err_fail(e, ERR_HOST, "firmware answer: payload of %zu",
			len);
	memset(&a, 0, sizeof a);
	make_iv(s->sequence + 1, iv);
	if (!crypto_gcm_open(s->key, iv, covered(&m),
		    bytes_of(answer.ptr + sizeof m, len), m.tag, (uint8_t *)&a,
		    NULL))
		return err_fail(e, ERR_HOST,
			"firmware answer: not of the firmware");
	if (!answer_check(s, &a, report_data, e))
		return false;
	return buf_put(report, bytes_of(&a.report, sizeof a.report)) ||
		err_fail(e, ERR_LIMIT, "firmware answer: no memory");
}
