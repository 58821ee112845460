/* SPDX-License-Identifier: Apache-2.0 */
/* Guest messages: the guest's bytes, which no host was to have changed. */
#include <endian.h>
#include <stdlib.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "soft/psp_priv.h"

enum { ALGO_GCM = 1, HEAD_VERSION = 1, MESSAGE_VERSION = 1, VMPCKS = 4 };

_Static_assert(sizeof(struct snp_report_answer) + sizeof(struct snp_report) <=
		SNP_MESSAGE_MAX_BYTES,
	"a report fits a message");

struct message {
	struct snp_message_head head;
	uint8_t payload[SNP_MESSAGE_MAX_BYTES];
};
LAYOUT_SIZE(struct message, PAGE_BYTES);

static enum snp_status check_head(const struct psp *p,
	const struct snp_message_head *h)
{
	const size_t rest = sizeof h->tag - CRYPTO_GCM_TAG_BYTES;
	if (h->algorithm != ALGO_GCM || h->head_version != HEAD_VERSION ||
		le16toh(h->head_bytes) != sizeof *h ||
		h->version != MESSAGE_VERSION || h->vmpck >= VMPCKS ||
		h->reserved_28 || h->reserved_38 ||
		!bytes_all_zero(BYTES_ARRAY(h->reserved_3d)) ||
		!bytes_all_zero(bytes_of(h->tag + CRYPTO_GCM_TAG_BYTES, rest)))
		return SNP_INVALID_PARAM;
	if (le16toh(h->bytes) > SNP_MESSAGE_MAX_BYTES)
		return SNP_INVALID_LENGTH;
	/* Each number once: a message can't be sent again. */
	if (p->sequence[h->vmpck] >= UINT64_MAX - 1 ||
		le64toh(h->sequence) != p->sequence[h->vmpck] + 1)
		return SNP_AEAD_OVERFLOW;
	return SNP_OK;
}

static struct crypto_gcm gcm_of(const struct psp *p,
	const struct snp_message_head *h, uint8_t iv[CRYPTO_GCM_IV_BYTES])
{
	memset(iv, 0, CRYPTO_GCM_IV_BYTES);
	memcpy(iv, &h->sequence, sizeof h->sequence);
	return (struct crypto_gcm){ .key = p->vmpck[h->vmpck],
		.iv = iv,
		.aad = bytes_from(bytes_of(h, sizeof *h), SNP_MESSAGE_AAD_AT) };
}

/* A request that does not hold is answered; its sender is the guest itself. */
static bool answer_report(const struct psp *p, const struct message *in,
	struct message *out, struct err *e)
{
	struct snp_report_ask ask;
	struct snp_report_answer a = { 0 };
	struct snp_report r = { 0 };
	memcpy(&ask, in->payload, sizeof ask);
	uint32_t vmpl = le32toh(ask.vmpl), select = le32toh(ask.key_select);
	/* Nobody speaks for those above him. */
	if (le16toh(in->head.bytes) != sizeof ask || vmpl >= VMPCKS ||
		vmpl < in->head.vmpck || select > 2 ||
		!bytes_all_zero(BYTES_ARRAY(ask.reserved_48)))
		a.status = htole32(SNP_INVALID_PARAM);
	else if (select == 2) /* no VLEK was loaded */
		a.status = htole32(SNP_INVALID_KEY);
	else if (!psp_report(p, ask.report_data, vmpl, &r, e))
		return false;
	else
		a.report_bytes = htole32(sizeof r);
	memcpy(out->payload, &a, sizeof a);
	memcpy(out->payload + sizeof a, &r, sizeof r);
	out->head.type = SNP_REPORT;
	out->head.bytes = htole16(sizeof a + (a.status ? 0 : sizeof r));
	return true;
}

static bool seal(const struct psp *p, const struct message *in,
	struct message *out, struct err *e)
{
	uint8_t iv[CRYPTO_GCM_IV_BYTES], tag[CRYPTO_GCM_TAG_BYTES];
	struct snp_message_head *h = &out->head;
	h->sequence = htole64(le64toh(in->head.sequence) + 1);
	h->algorithm = ALGO_GCM;
	h->head_version = HEAD_VERSION;
	h->head_bytes = htole16(sizeof *h);
	h->version = MESSAGE_VERSION;
	h->vmpck = in->head.vmpck;
	const struct crypto_gcm g = gcm_of(p, h, iv);
	if (!crypto_gcm_seal(&g, bytes_of(out->payload, le16toh(h->bytes)),
		    out->payload, tag, e))
		return false;
	memcpy(h->tag, tag, sizeof tag);
	return true;
}

/* The request's bytes, opened. */
static enum snp_status open_request(const struct psp *p, struct message *in)
{
	uint8_t iv[CRYPTO_GCM_IV_BYTES];
	struct err e;
	enum snp_status status = check_head(p, &in->head);
	if (status != SNP_OK)
		return status;
	struct bytes payload = bytes_of(in->payload, le16toh(in->head.bytes));
	const struct crypto_gcm g = gcm_of(p, &in->head, iv);
	if (!crypto_gcm_open(&g, payload, in->payload, in->head.tag, &e))
		return e.kind == ERR_DENIED ? SNP_BAD_MEASUREMENT :
					      SNP_HARDWARE;
	return in->head.type == SNP_REPORT_ASK ? SNP_OK : SNP_UNSUPPORTED;
}

enum snp_status psp_request(struct psp *p, const uint8_t request[PAGE_BYTES],
	uint8_t response[PAGE_BYTES])
{
	struct err e;
	if (p->state != PSP_RUNNING)
		return SNP_INVALID_GUEST_STATE;
	struct message *m = calloc(2, sizeof *m);
	if (!m)
		return SNP_HARDWARE;
	memcpy(&m[0], request, sizeof m[0]);
	enum snp_status status = open_request(p, &m[0]);
	if (status == SNP_OK &&
		(!answer_report(p, &m[0], &m[1], &e) ||
			!seal(p, &m[0], &m[1], &e)))
		status = SNP_HARDWARE;
	if (status == SNP_OK) {
		p->sequence[m[0].head.vmpck] += 2;
		memcpy(response, &m[1], sizeof m[1]);
	}
	crypto_zero(m, 2 * sizeof *m);
	free(m);
	return status;
}
