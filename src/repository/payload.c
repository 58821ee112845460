/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fmt.h"
#include "codec/der.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "repository/sign.h"

enum { COORDINATE = 32 }; /* bytes of r and of s */

/* sigstore, "Signature specification": the one type that there is. */
static const char type_text[] = "cosign container image signature";

static bool fill(json_t *o, struct repository_payload *p, struct err *e)
{
	json_t *critical = json_object_get(o, "critical");
	const char *type, *identity, *digest;
	if (!json_is_object(critical))
		return err_fail(e, ERR_INPUT, "no \"critical\"");
	json_t *who = json_object_get(critical, "identity");
	json_t *image = json_object_get(critical, "image");
	if (!json_is_object(who) || !json_is_object(image))
		return err_fail(e, ERR_INPUT, "no identity or image");
	if (!json_member_str(critical, "type", 256, &type, e) ||
		!json_member_str(who, "docker-reference", 512, &identity, e) ||
		!json_member_str(image, "docker-manifest-digest", 256, &digest,
			e))
		return false;
	if (strcmp(type, type_text) != 0)
		return err_fail(e, ERR_INPUT, "of another type");
	fmt(p->identity, sizeof p->identity, "%s", identity);
	return repository_digest_parse(digest, p->digest, e);
}

bool repository_payload_parse(struct bytes in, struct repository_payload *out,
	struct err *e)
{
	json_t *o;
	struct repository_payload p = { 0 };
	if (!json_parse(in, REPOSITORY_MAX_PAYLOAD, &o, e))
		return err_wrap(e, "payload");
	bool ok = json_is_object(o) ? fill(o, &p, e) :
				      err_fail(e, ERR_INPUT, "not an object");
	json_decref(o);
	if (!ok)
		return err_wrap(e, "payload");
	*out = p;
	return true;
}

static json_t *optional(const char *const *annotations, size_t count)
{
	json_t *o = count ? json_object() : json_null();
	for (size_t i = 0; i < count; i++) {
		size_t n = strcspn(annotations[i], "=");
		char key[256];
		fmt(key, sizeof key, "%.*s", (int)n, annotations[i]);
		if (!n || n >= sizeof key || !annotations[i][n] ||
			json_object_set_new(o, key,
				json_string(annotations[i] + n + 1))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

bool repository_payload_make(const char *identity, const uint8_t digest[32],
	const char *const *annotations, size_t annotation_count,
	struct buf *out, struct err *e)
{
	char text[REPOSITORY_DIGEST_TEXT];
	json_t *more = optional(annotations, annotation_count);
	if (!more)
		return err_fail(e, ERR_INPUT, "annotation: want KEY=VALUE");
	repository_digest_show(digest, text);
	json_t *o = json_pack("{s:{s:{s:s}, s:{s:s}, s:s}, s:o}", "critical",
		"identity", "docker-reference", identity, "image",
		"docker-manifest-digest", text, "type", type_text, "optional",
		more);
	bool ok = o && json_print(o, out, e);
	json_decref(o);
	return ok || err_wrap(e, "payload");
}

/* --- signatures ------------------------------------------------------------
 */

/* An INTEGER without leading zeros, but one where it would be negative. */
static void put_integer(struct buf *b, struct bytes v)
{
	while (v.len > 1 && !v.ptr[0])
		v = bytes_from(v, 1);
	bool pad = v.ptr[0] & 0x80;
	buf_u8(b, DER_INTEGER);
	buf_u8(b, (uint8_t)(v.len + pad));
	if (pad)
		buf_u8(b, 0);
	buf_put(b, v);
}

bool repository_signature_encode(struct bytes raw, struct buf *out,
	struct err *e)
{
	auto_buf body = { 0 }, der = { 0 };
	if (raw.len != 2 * COORDINATE)
		return err_fail(e, ERR_INPUT, "signature: not of a P-256 key");
	put_integer(&body, bytes_of(raw.ptr, COORDINATE));
	put_integer(&body, bytes_from(raw, COORDINATE));
	buf_u8(&der, DER_SEQUENCE);
	buf_u8(&der, (uint8_t)body.len);
	buf_put(&der, buf_bytes(&body));
	if (!buf_ok(&der) || !base64_encode(buf_bytes(&der), out))
		return err_fail(e, ERR_LIMIT, "no memory");
	return true;
}

static bool put_fixed(struct buf *raw, struct bytes v)
{
	static const uint8_t zeros[COORDINATE];
	/* The zero that keeps it positive. */
	if (v.len == COORDINATE + 1 && !v.ptr[0])
		v = bytes_from(v, 1);
	return v.len <= COORDINATE &&
		buf_put(raw, bytes_of(zeros, COORDINATE - v.len)) &&
		buf_put(raw, v);
}

bool repository_signature_decode(struct bytes text, struct buf *raw,
	struct err *e)
{
	auto_buf der = { 0 };
	while (text.len && text.ptr[text.len - 1] <= ' ')
		text.len--;
	if (text.len > REPOSITORY_MAX_SIGNATURE)
		return err_fail(e, ERR_LIMIT, "signature: too long");
	if (!base64_decode(text, &der, e))
		return err_wrap(e, "signature");
	struct reader r = { .in = buf_bytes(&der) };
	struct reader s = der_enter(&r, DER_SEQUENCE);
	struct bytes a = der_unsigned(&s), b = der_unsigned(&s);
	if (!reader_done(&s) || !reader_done(&r) || !put_fixed(raw, a) ||
		!put_fixed(raw, b))
		return err_fail(e, ERR_INPUT, "signature: not of a P-256 key");
	return true;
}

bool repository_key_parse(struct bytes pem, struct crypto_key **out,
	struct err *e)
{
	struct reader r = { .in = pem };
	auto_buf der = { 0 };
	if (!pem_next(&r, "PUBLIC KEY", &der, e))
		return err_wrap(e, "public key");
	if (!pem_done(&r))
		return err_fail(e, ERR_INPUT, "public key: more behind it");
	return crypto_key_from_spki(buf_bytes(&der), out, e) ||
		err_wrap(e, "public key");
}
