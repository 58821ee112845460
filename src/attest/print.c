/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"
#include "attest/time.h"
#include "codec/hex.h"
#include "codec/json.h"

static const char *result(const struct attest_check *c)
{
	if (c->skipped)
		return "skipped";
	return c->passed ? "passed" : "failed";
}

static void put_facts(const struct attest_verdict *v, struct buf *out)
{
	char time[ATTEST_TIME_TEXT];
	if (v->tcb_status[0])
		buf_fmt(out, "  TCB status: %s%s%s\n", v->tcb_status,
			v->advisories[0] ? ", " : "", v->advisories);
	if (v->expires) {
		attest_time_print(v->expires, time);
		buf_fmt(out, "  holds until %s at most\n", time);
	}
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
		if (!c->skipped && c->required[0])
			buf_fmt(out, "\n%28srequired %s", "", c->required);
		buf_str(out, "\n");
	}
	put_facts(v, out);
	return buf_ok(out);
}

static int put_check(json_t *list, const struct attest_check *c)
{
	return json_array_append_new(list,
		json_pack("{s:s,s:s,s:s,s:s}", "name", c->name, "result",
			result(c), "observed", c->observed, "required",
			c->required));
}

/* "INTEL-SA-00615,INTEL-SA-00657" as a list. */
static json_t *advisories(const struct attest_verdict *v)
{
	json_t *list = json_array();
	const char *p = v->advisories;
	while (list && *p) {
		size_t n = strcspn(p, ",");
		if (json_array_append_new(list, json_stringn(p, n))) {
			json_decref(list);
			return NULL;
		}
		p += n + (p[n] == ',');
	}
	return list;
}

static bool fill(json_t *o, const struct attest_verdict *v)
{
	char time[ATTEST_TIME_TEXT];
	char hex[2 * sizeof v->measurement + 1];
	hex_encode(bytes_of(v->measurement, v->measurement_len), hex);
	json_t *failed = json_array(), *checks = json_array();
	int bad = json_object_set_new(o, "verdict",
		json_string(v->accepted ? "accepted" : "refused"));
	bad |= json_object_set_new(o, "technology", json_string(v->technology));
	bad |= json_object_set_new(o, "confidential",
		json_boolean(v->confidential));
	bad |= json_object_set_new(o, "measurement", json_string(hex));
	bad |= json_object_set_new(o, "tcb_status",
		v->tcb_status[0] ? json_string(v->tcb_status) : json_null());
	bad |= json_object_set_new(o, "advisories", advisories(v));
	attest_time_print(v->expires, time);
	bad |= json_object_set_new(o, "expires",
		v->expires ? json_string(time) : json_null());
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
