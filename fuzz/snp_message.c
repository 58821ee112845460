/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest messages, from who has the key: a byte that says which, then the head
 * from `sequence` on, then the payload.  None is answered twice.
 */
#include "soft/psp_priv.h"

#include <endian.h>

#include "base/must.h"
#include "base/reader.h"
#include "crypto/aead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = sizeof(struct snp_message_head), AT = 0x20 };

static struct psp psp;
static uint8_t page[PAGE_BYTES], answer[PAGE_BYTES];

static void seal(uint8_t key, size_t payload)
{
	struct snp_message_head h;
	uint8_t iv[CRYPTO_GCM_IV_BYTES] = { 0 };
	memcpy(&h, page, sizeof h);
	memcpy(iv, &h.sequence, sizeof h.sequence);
	const struct crypto_gcm g = { psp.vmpck[key & 3], iv,
		bytes_of(page + SNP_MESSAGE_AAD_AT,
			HEAD - SNP_MESSAGE_AAD_AT) };
	must(crypto_gcm_seal(&g, bytes_of(page + HEAD, payload), page + HEAD,
		page, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!psp.vcek)
		must(crypto_key_generate(CRYPTO_P384, &psp.vcek, NULL));
	psp.state = PSP_RUNNING;
	memset(psp.sequence, 0, sizeof psp.sequence);
	memset(page, 0, sizeof page);
	struct reader r = { .in = bytes_of(data, size) };
	uint8_t key = reader_u8(&r);
	size_t n = size_min(reader_left(&r), PAGE_BYTES - AT);
	if (n)
		memcpy(page + AT, data + 1, n);
	struct snp_message_head h;
	memcpy(&h, page, sizeof h);
	seal(key, size_min(le16toh(h.bytes), PAGE_BYTES - HEAD));
	if (psp_request(&psp, page, answer) == SNP_OK) {
		must(psp.sequence[h.vmpck] == 2);
		must(psp_request(&psp, page, answer) != SNP_OK);
	}
	return 0;
}
