/* SPDX-License-Identifier: Apache-2.0 */
/* Guest messages: the guest's bytes, which no host was to have changed. */
#include <endian.h>
#include <stdlib.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "soft/psp_priv.h"

enum { ALGO_GCM = 1, HEAD_VERSION = 1, MESSAGE_VERSION = 1, VMPCKS = 4 };

_Static_assert(sizeof(struct snp_report_response) + sizeof(struct snp_report) <=
		(SNP_MSG_BYTES - sizeof(struct snp_message)),
	"a report fits a message");

struct message {
	struct snp_message head;
	uint8_t payload[(SNP_MSG_BYTES - sizeof(struct snp_message))];
};
LAYOUT_SIZE(struct message, PAGE_BYTES);

static enum snp_status check_head(const struct psp *p,
	const struct snp_message *h)
{
	const size_t rest = sizeof h->tag - CRYPTO_GCM_TAG_BYTES;
	if (h->algo != ALGO_GCM || h->header_version != HEAD_VERSION ||
		le16toh(h->header_bytes) != sizeof *h ||
		h->version != MESSAGE_VERSION || h->vmpck >= VMPCKS ||
		h->reserved_28 || h->reserved_38 ||
		!bytes_all_zero(BYTES_ARRAY(h->reserved_3d)) ||
		!bytes_all_zero(bytes_of(h->tag + CRYPTO_GCM_TAG_BYTES, rest)))
		return SNP_INVALID_PARAM;
	if (le16toh(h->payload_bytes) >
		(SNP_MSG_BYTES - sizeof(struct snp_message)))
		return SNP_INVALID_LENGTH;
	/* Each number once: a message can't be sent again. */
	if (p->sequence[h->vmpck] >= UINT64_MAX - 1 ||
		le64toh(h->sequence) != p->sequence[h->vmpck] + 1)
		return SNP_AEAD_OVERFLOW;
	return SNP_OK;
}

static struct bytes authenticated(const struct snp_message *h)
{
	return bytes_from(bytes_of(h, sizeof *h),
		offsetof(struct snp_message, algo));
}

static void put_iv(const struct snp_message *h, uint8_t iv[CRYPTO_GCM_IV_BYTES])
{
	memset(iv, 0, CRYPTO_GCM_IV_BYTES);
	memcpy(iv, &h->sequence, sizeof h->sequence);
}

/* A request that does not hold is answered; its sender is the guest itself. */
static bool answer_report(const struct psp *p, const struct message *in,
	struct message *out, struct err *e)
{
	struct snp_report_request ask;
	struct snp_report_response a = { 0 };
	struct snp_report r = { 0 };
	memcpy(&ask, in->payload, sizeof ask);
	uint32_t vmpl = le32toh(ask.vmpl), select = le32toh(ask.key_select);
	/* Nobody speaks for those above him. */
	if (le16toh(in->head.payload_bytes) != sizeof ask || vmpl >= VMPCKS ||
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
	out->head.type = SNP_MSG_REPORT_RSP;
	out->head.payload_bytes = htole16(sizeof a + (a.status ? 0 : sizeof r));
	return true;
}

static bool seal(const struct psp *p, const struct message *in,
	struct message *out, struct err *e)
{
	uint8_t iv[CRYPTO_GCM_IV_BYTES], tag[CRYPTO_GCM_TAG_BYTES];
	struct snp_message *h = &out->head;
	h->sequence = htole64(le64toh(in->head.sequence) + 1);
	h->algo = ALGO_GCM;
	h->header_version = HEAD_VERSION;
	h->header_bytes = htole16(sizeof *h);
	h->version = MESSAGE_VERSION;
	h->vmpck = in->head.vmpck;
	put_iv(h, iv);
	if (!crypto_gcm_seal(p->vmpck[h->vmpck], iv, authenticated(h),
		    bytes_of(out->payload, le16toh(h->payload_bytes)),
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
	struct bytes payload =
		bytes_of(in->payload, le16toh(in->head.payload_bytes));
	put_iv(&in->head, iv);
	if (!crypto_gcm_open(p->vmpck[in->head.vmpck], iv,
		    authenticated(&in->head), payload, in->head.tag,
		    in->payload, &e))
		return e.kind == ERR_DENIED ? SNP_BAD_MEASUREMENT :
					      SNP_HARDWARE;
	return in->head.type == SNP_MSG_REPORT_REQ ? SNP_OK : SNP_UNSUPPORTED;
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
