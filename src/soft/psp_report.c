/* SPDX-License-Identifier: Apache-2.0 */
/* What the firmware signs, and signatures that it checks. */
#include <endian.h>

#include "crypto/hash.h"
#include "soft/psp_priv.h"

enum { P384_BYTES = 48, CURVE_P384 = 2 };

/* SubjectPublicKeyInfo of a P-384 key, up to its point (RFC 5480 §2). */
static const uint8_t spki_head[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a,
	0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
	0x22, 0x03, 0x62, 0x00, 0x04 };

static void turn(uint8_t *out, const uint8_t *in)
{
	for (size_t i = 0; i < P384_BYTES; i++)
		out[i] = in[P384_BYTES - 1 - i];
}

bool psp_check_signature(const struct snp_public_key *key, struct bytes message,
	const uint8_t signature[512])
{
	uint8_t spki[sizeof spki_head + 2 * P384_BYTES], raw[2 * P384_BYTES];
	struct crypto_key *k = NULL;
	struct snp_signature s;
	memcpy(&s, signature, sizeof s);
	memcpy(spki, spki_head, sizeof spki_head);
	turn(spki + sizeof spki_head, key->x);
	turn(spki + sizeof spki_head + P384_BYTES, key->y);
	turn(raw, s.r);
	turn(raw + P384_BYTES, s.s);
	const size_t rest = sizeof s.r - P384_BYTES;
	bool ok = le32toh(key->curve) == CURVE_P384 &&
		bytes_all_zero(bytes_of(s.r + P384_BYTES, rest)) &&
		bytes_all_zero(bytes_of(s.s + P384_BYTES, rest)) &&
		bytes_all_zero(bytes_of(key->x + P384_BYTES, rest)) &&
		bytes_all_zero(bytes_of(key->y + P384_BYTES, rest)) &&
		crypto_key_from_spki(BYTES_ARRAY(spki), &k, NULL) &&
		crypto_verify(k, message, BYTES_ARRAY(raw), NULL);
	crypto_key_free(k);
	return ok;
}

static void put_id(const struct psp *p, struct snp_report *r)
{
	if (p->has_id) {
		r->guest_svn = p->id.guest_svn;
		memcpy(r->family_id, p->id.family_id, sizeof r->family_id);
		memcpy(r->image_id, p->id.image_id, sizeof r->image_id);
		memcpy(r->id_key_digest, p->id_key_digest,
			sizeof r->id_key_digest);
	}
	if (p->has_author) {
		r->key_info = htole32(SNP_KEY_AUTHOR);
		memcpy(r->author_key_digest, p->author_key_digest,
			sizeof r->author_key_digest);
	}
}

static void put_platform(const struct psp *p, struct snp_report *r)
{
	const uint64_t ecc = 1ull << 2;
	memcpy(r->current_tcb, p->chip.tcb, sizeof r->current_tcb);
	memcpy(r->reported_tcb, p->chip.tcb, sizeof r->reported_tcb);
	memcpy(r->committed_tcb, p->chip.tcb, sizeof r->committed_tcb);
	memcpy(r->launch_tcb, p->chip.tcb, sizeof r->launch_tcb);
	memcpy(r->chip_id, p->chip.id, sizeof r->chip_id);
	r->platform_info = htole64(SNP_PLATFORM_ALIAS_CHECK | ecc);
	r->cpuid_family = 0x19;
	r->cpuid_model = 0x01;
	r->cpuid_stepping = 0x01;
	r->current_major = r->committed_major = 1;
	r->current_minor = r->committed_minor = 55;
	r->current_build = r->committed_build = PSP_BUILD;
}

static bool sign(const struct psp *p, struct snp_report *r, struct err *e)
{
	auto_buf raw = { 0 };
	if (!crypto_sign(p->vcek, bytes_of(r, SNP_SIGNED_BYTES), &raw, e))
		return false;
	if (raw.len != 2 * P384_BYTES)
		return err_fail(e, ERR_HOST, "signature of %zu bytes", raw.len);
	turn(r->signature.r, raw.ptr);
	turn(r->signature.s, raw.ptr + P384_BYTES);
	return true;
}

bool psp_report(const struct psp *p, const uint8_t report_data[64],
	uint32_t vmpl, struct snp_report *out, struct err *e)
{
	struct snp_report r = { .version = htole32(p->report_version),
		.launch_mit_vector = htole64(p->mitigations),
		.current_mit_vector = htole64(p->mitigations),
		.policy = htole64(p->policy),
		.vmpl = htole32(vmpl),
		.signature_algo = htole32(SNP_ALGO_P384_SHA384) };
	memcpy(r.report_data, report_data, sizeof r.report_data);
	memcpy(r.measurement, p->digest, sizeof r.measurement);
	memcpy(r.host_data, p->host_data, sizeof r.host_data);
	memcpy(r.report_id, p->report_id, sizeof r.report_id);
	memset(r.report_id_ma, 0xff, sizeof r.report_id_ma);
	put_id(p, &r);
	put_platform(p, &r);
	if (!sign(p, &r, e))
		return err_wrap(e, "report");
	*out = r;
	return true;
}
