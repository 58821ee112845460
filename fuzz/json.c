/* SPDX-License-Identifier: Apache-2.0 */
/* What was accepted prints, and the print means the same. */
#include "codec/json.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void members(const json_t *o)
{
	static const char *const known[] = { "id", "nonce", NULL };
	const char *s;
	uint64_t n;
	bool t;
	uint8_t h[4];
	auto_buf b = { 0 };
	if (!json_member_str(o, "id", 32, &s, NULL) ||
		!json_member_u64(o, "memory", 1, 1 << 30, &n, NULL) ||
		!json_member_bool_opt(o, "software", &t, NULL) ||
		!json_member_hex(o, "nonce", h, 4, NULL) ||
		!json_member_base64(o, "claims", 64, &b, NULL) ||
		!json_no_more(o, known, NULL))
		return;
}

/* The exact text of a member parses to that member. */
static void spans(struct bytes in, json_t *o)
{
	json_t *v = json_object_get(o, "a"), *part;
	struct bytes text;
	if (!json_is_object(o) || !json_span(in, "a", &text))
		return;
	if ((json_is_object(v) || json_is_array(v)) &&
		json_parse(text, 1 << 16, &part, NULL)) {
		must(json_equal(part, v));
		json_decref(part);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *v, *again;
	struct err e = { 0 };
	if (!json_parse(bytes_of(data, size), 4096, &v, &e)) {
		must(e.kind != ERR_NONE && e.text[0]);
		return 0;
	}
	members(v);
	spans(bytes_of(data, size), v);
	auto_buf out = { 0 };
	if (json_print(v, &out, &e)) {
		must(json_parse(buf_bytes(&out), 1 << 20, &again, &e));
		must(json_equal(v, again));
		json_decref(again);
	}
	json_decref(v);
	return 0;
}
