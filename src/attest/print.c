/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"
#include "codec/hex.h"
#include "codec/json.h"

static const char *result(const struct attest_check *c)
{
	if (c->skipped)
		return "skipped";
	return c->passed ? "passed" : "failed";
}

bool attest_print_text(const struct attest_verdict *v, struct buf *out)
{
	buf_fmt(out, "%s: %s, %s\n", v->accepted ? "accepted" : "refused",
		v->technology,
		v->confidential ? "confidential" : "NOT CONFIDENTIAL");
	for (size_t i = 0; i < v->count; i++) {
		const struct attest_check *c = &v->checks[i];
		buf_fmt(out, "  %-7s  %-15s  %s", result(c), c->name,
			c->observed);
		if (!c->passed && !c->skipped)
			buf_fmt(out, "\n%28srequired %s", "", c->required);
		buf_str(out, "\n");
	}
	return buf_ok(out);
}

static int put_check(json_t *list, const struct attest_check *c)
{
	return json_array_append_new(list,
		json_pack("{s:s,s:s,s:s,s:s}", "name", c->name, "result",
			result(c), "observed", c->observed, "required",
			c->required));
}

static bool fill(json_t *o, const struct attest_verdict *v)
{
	char hex[2 * sizeof v->measurement + 1];
	hex_encode(bytes_of(v->measurement, v->measurement_len), hex);
	json_t *failed = json_array(), *checks = json_array();
	int bad = json_object_set_new(o, "verdict",
		json_string(v->accepted ? "accepted" : "refused"));
	bad |= json_object_set_new(o, "technology", json_string(v->technology));
	bad |= json_object_set_new(o, "confidential",
		json_boolean(v->confidential));
	bad |= json_object_set_new(o, "measurement", json_string(hex));
	if (v->tcb_status[0]) {
		bad |= json_object_set_new(o, "tcb_status",
			json_string(v->tcb_status));
		bad |= json_object_set_new(o, "advisories",
			json_string(v->advisories));
	}
	if (v->expires)
		bad |= json_object_set_new(o, "expires",
			json_integer(v->expires));
	bad |= json_object_set_new(o, "failed", failed);
	bad |= json_object_set_new(o, "checks", checks);
	for (size_t i = 0; i < v->count && !bad; i++) {
		const struct attest_check *c = &v->checks[i];
		if (!c->passed && !c->skipped)
			bad |= json_array_append_new(failed,
				json_string(c->name));
		bad |= put_check(checks, c);
	}
	return !bad;
}

bool attest_print_json(const struct attest_verdict *v, struct buf *out)
{
	json_t *o = json_object();
	bool ok = o && fill(o, v) && json_print(o, out, NULL);
	json_decref(o);
	return ok;
}
