/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "codec/hex.h"

enum { MAX_DEPTH = 64, MAX_SIGNS = 1 << 17, SHOWN_KEY = 48 };
/* Digits of a binary64 that any decimal of so many goes through unchanged, and
 * that any binary64 does. */
enum { SHORT = 15, EXACT = 17 };

/* Counted before parsing: jansson itself allows 2048 levels, and two bytes of
 * text can cost two hundred of memory. */
static bool shape_ok(struct bytes in, struct err *e)
{
	size_t depth = 0, signs = 0;
	bool string = false;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.ptr[i];
		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '[' || c == '{'))
			depth++, signs++;
		else if (!string && (c == ']' || c == '}') && depth)
			depth--;
		else if (!string && c == ',')
			signs++;
		if (depth > MAX_DEPTH)
			return err_fail(e, ERR_INPUT,
				"json: more than %d levels deep", MAX_DEPTH);
		if (signs > MAX_SIGNS)
			return err_fail(e, ERR_LIMIT, "json: too many values");
	}
	return true;
}

void json_seed(uint64_t seed)
{
	json_object_seed((size_t)(seed | 1)); /* 0: one of its own */
}

/* Our own words: jansson's quote the input, which may hold anything. */
static const char *parse_problem(const json_error_t *je)
{
	switch (json_error_code(je)) {
	case json_error_out_of_memory:
		return "out of memory";
	case json_error_premature_end_of_input:
		return "ends too early";
	case json_error_end_of_input_expected:
		return "more than one value";
	case json_error_invalid_utf8:
		return "not UTF-8";
	case json_error_duplicate_key:
		return "a key stands twice in one object";
	case json_error_numeric_overflow:
		return "a number is out of range";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "a NUL in a string";
	default:
		return "not JSON";
	}
}

bool json_parse(struct bytes in, size_t max, json_t **out, struct err *e)
{
	if (in.len > max)
		return err_fail(e, ERR_LIMIT,
			"json: %zu bytes, at most %zu are allowed", in.len,
			max);
	if (!shape_ok(in, e))
		return false;
	json_error_t je = { 0 };
	json_t *v = json_loadb(in.len ? (const char *)in.ptr : "", in.len,
		JSON_REJECT_DUPLICATES, &je);
	if (!v)
		return err_fail(e, ERR_INPUT, "json: line %d column %d: %s",
			je.line, je.column, parse_problem(&je));
	*out = v;
	return true;
}

/* The text from `at` to the end of the value that begins there, without what
 * follows; the text is well formed. */
static size_t value_end(struct bytes in, size_t at)
{
	size_t depth = 0;
	bool string = false;
	for (; at < in.len; at++) {
		uint8_t c = in.ptr[at];
		if (string && c == '\\') {
			at++;
		} else if (c == '"') {
			string = !string;
		} else if (string) {
			continue;
		} else if (c == '[' || c == '{') {
			depth++;
		} else if (depth && (c == ']' || c == '}')) {
			depth--;
		} else if (!depth && (c == ',' || c == ']' || c == '}')) {
			break;
		}
	}
	while (at && at <= in.len && strchr(" \t\r\n", in.ptr[at - 1]))
		at--;
	return at;
}

static size_t skip_space(struct bytes in, size_t at)
{
	while (at < in.len && in.ptr[at] && strchr(" \t\r\n", in.ptr[at]))
		at++;
	return at;
}

bool json_span(struct bytes object, const char *key, struct bytes *value)
{
	struct bytes in = object;
	size_t at = skip_space(in, 0), n = strlen(key);
	if (at >= in.len || in.ptr[at] != '{')
		return false;
	for (at++; at < in.len; at++) {
		at = skip_space(in, at);
		size_t name = at + 1, name_end = name;
		while (name_end < in.len && in.ptr[name_end] != '"')
			name_end += in.ptr[name_end] == '\\' ? 2 : 1;
		at = skip_space(in, name_end + 1);
		if (at >= in.len || in.ptr[at] != ':')
			return false;
		at = skip_space(in, at + 1);
		size_t end = value_end(in, at);
		if (end < at || end > in.len)
			return false;
		if (name_end - name == n && !memcmp(in.ptr + name, key, n)) {
			*value = bytes_of(in.ptr + at, end - at);
			return true;
		}
		at = skip_space(in, end);
	}
	return false;
}

static int put_text(const char *text, size_t len, void *to)
{
	return buf_put(to, bytes_of(text, len)) ? 0 : -1;
}

/* Whether a number in v needs more than SHORT digits to be read back the
 * same. */
static bool long_number(const json_t *v)
{
	/* jansson's iterators are not const-correct; they change nothing. */
	json_t *walk = (json_t *)(uintptr_t)v, *part;
	const char *key;
	size_t i;
	json_array_foreach(walk, i, part) if (long_number(part)) return true;
	json_object_foreach(walk, key, part) if (long_number(part)) return true;
	if (!json_is_real(v))
		return false;
	char text[32];
	(void)snprintf(text, sizeof text, "%.*g", SHORT, json_real_value(v));
	return strtod(text, NULL) < json_real_value(v) ||
		strtod(text, NULL) > json_real_value(v);
}

bool json_print(const json_t *v, struct buf *out, struct err *e)
{
	size_t digits = long_number(v) ? EXACT : SHORT;
	if (json_dump_callback(v, put_text, out,
		    JSON_COMPACT | JSON_ENCODE_ANY |
			    JSON_REAL_PRECISION(digits)))
		return err_fail(e, ERR_LIMIT, "json: value can't be printed");
	return true;
}

/* *v: the member, or NULL when it is absent. */
static bool member(const json_t *o, const char *key, const json_t **v,
	struct err *e)
{
	if (!json_is_object(o))
		return err_fail(e, ERR_INPUT,
			"json: %s: looked for in what is not an object", key);
	*v = json_object_get(o, key);
	return true;
}

static bool missing(const char *key, struct err *e)
{
	return err_fail(e, ERR_INPUT, "json: %s: missing", key);
}

static bool take_str(const json_t *v, const char *key, size_t max,
	const char **out, struct err *e)
{
	if (!json_is_string(v))
		return err_fail(e, ERR_INPUT, "json: %s: not a string", key);
	if (json_string_length(v) > max)
		return err_fail(e, ERR_INPUT,
			"json: %s: %zu bytes, at most %zu are allowed", key,
			json_string_length(v), max);
	*out = json_string_value(v);
	return true;
}

static bool take_u64(const json_t *v, const char *key, uint64_t min,
	uint64_t max, uint64_t *out, struct err *e)
{
	if (!json_is_integer(v))
		return err_fail(e, ERR_INPUT, "json: %s: not an integer", key);
	json_int_t i = json_integer_value(v);
	if (i < 0 || (uint64_t)i < min || (uint64_t)i > max)
		return err_fail(e, ERR_INPUT,
			"json: %s: %lld is not within %llu and %llu", key, i,
			(unsigned long long)min, (unsigned long long)max);
	*out = (uint64_t)i;
	return true;
}

bool json_member_str(const json_t *o, const char *key, size_t max,
	const char **out, struct err *e)
{
	const json_t *v;
	if (!member(o, key, &v, e))
		return false;
	return v ? take_str(v, key, max, out, e) : missing(key, e);
}

bool json_member_str_opt(const json_t *o, const char *key, size_t max,
	const char **out, struct err *e)
{
	const json_t *v;
	if (!member(o, key, &v, e))
		return false;
	return !v || take_str(v, key, max, out, e);
}

bool json_member_u64(const json_t *o, const char *key, uint64_t min,
	uint64_t max, uint64_t *out, struct err *e)
{
	const json_t *v;
	if (!member(o, key, &v, e))
		return false;
	return v ? take_u64(v, key, min, max, out, e) : missing(key, e);
}

bool json_member_u64_opt(const json_t *o, const char *key, uint64_t min,
	uint64_t max, uint64_t *out, struct err *e)
{
	const json_t *v;
	if (!member(o, key, &v, e))
		return false;
	return !v || take_u64(v, key, min, max, out, e);
}

bool json_member_bool_opt(const json_t *o, const char *key, bool *out,
	struct err *e)
{
	const json_t *v;
	if (!member(o, key, &v, e))
		return false;
	if (!v)
		return true;
	if (!json_is_boolean(v))
		return err_fail(e, ERR_INPUT, "json: %s: not true or false",
			key);
	*out = json_is_true(v);
	return true;
}

bool json_member_hex(const json_t *o, const char *key, uint8_t *out, size_t len,
	struct err *e)
{
	const char *s;
	if (!json_member_str(o, key, 2 * len, &s, e))
		return false;
	if (!hex_decode(bytes_str(s), out, len, e))
		return err_wrap(e, "json: %s", key);
	return true;
}

bool json_member_base64(const json_t *o, const char *key, size_t max,
	struct buf *out, struct err *e)
{
	const char *s;
	if (!json_member_str(o, key, max / 3 * 4 + 4, &s, e))
		return false;
	struct bytes text = bytes_str(s);
	size_t at = out->len;
	if (!base64_decode(text, out, e))
		return err_wrap(e, "json: %s", key);
	if (out->len - at > max) {
		out->len = at;
		return err_fail(e, ERR_INPUT, "json: %s: more than %zu bytes",
			key, max);
	}
	return true;
}

bool json_no_more(const json_t *o, const char *const *known, struct err *e)
{
	if (!json_is_object(o))
		return err_fail(e, ERR_INPUT, "json: not an object");
	/* jansson's iterator is not const-correct; it changes nothing. */
	json_t *walk = (json_t *)(uintptr_t)o;
	bool ok = true;
	for (void *i = json_object_iter(walk); i && ok;
		i = json_object_iter_next(walk, i)) {
		const char *key = json_object_iter_key(i);
		size_t k = 0;
		while (known[k] && strcmp(known[k], key) != 0)
			k++;
		if (known[k])
			continue;
		char shown[SHOWN_KEY];
		size_t n = 0;
		for (; key[n] && n < sizeof shown - 1; n++)
			shown[n] = key[n] < ' ' || key[n] > '~' ? '?' : key[n];
		shown[n] = '\0';
		ok = err_fail(e, ERR_INPUT,
			"json: \"%s\": nothing of that name is known", shown);
	}
	return ok;
}
