/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdlib.h>

struct input {
	const char *at, *end;
};

static void *must_have(void *p)
{
	if (!p)
		abort();
	return p;
}

static void space(struct input *in)
{
	while (in->at < in->end && strchr(" \t\r\n", *in->at))
		in->at++;
}

static bool eat(struct input *in, char c)
{
	space(in);
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static size_t utf8(uint32_t v, char *out)
{
	size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = n; i-- > 1; v >>= 6)
		out[i] = (char)(0x80 | (v & 0x3f));
	out[0] = (char)(lead[n] | v);
	return n;
}

static uint32_t hex4(struct input *in)
{
	char digits[5] = { 0 };
	for (int i = 0; i < 4 && in->at < in->end; i++)
		digits[i] = *in->at++;
	return (uint32_t)strtoul(digits, NULL, 16);
}

static size_t escape(struct input *in, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	char c = in->at < in->end ? *in->at++ : 0;
	const char *p = strchr(from, c);
	if (c != 'u') {
		*out = c && p ? to[p - from] : c;
		return 1;
	}
	uint32_t v = hex4(in);
	if (v >= 0xd800 && v < 0xdc00 && in->end - in->at > 6) {
		in->at += 2;
		v = 0x10000 + ((v - 0xd800) << 10) + hex4(in) - 0xdc00;
	}
	return utf8(v, out);
}

/* After the opening quote. */
static char *string(struct input *in, size_t *len)
{
	const char *end = in->at;
	while (end < in->end && *end != '"')
		end += *end == '\\' ? 2 : 1;
	/* Decoded it is no longer than encoded. */
	char *out = must_have(malloc((size_t)(end - in->at) + 1));
	size_t n = 0;
	while (in->at < in->end && *in->at != '"') {
		char c = *in->at++;
		if (c == '\\')
			n += escape(in, out + n);
		else
			out[n++] = c;
	}
	in->at += in->at < in->end;
	out[n] = '\0';
	*len = n;
	return out;
}

static struct json *value(struct input *in);

static bool add(struct json *v, char *key, struct json *item)
{
	if (!item) {
		free(key);
		return false;
	}
	if (!(v->count & (v->count + 1))) {
		size_t room = (v->count + 1) * 2;
		v->items = must_have(
			realloc(v->items, room * sizeof(struct json *)));
		v->keys = must_have(realloc(v->keys, room * sizeof(char *)));
	}
	v->keys[v->count] = key;
	v->items[v->count++] = item;
	return true;
}

static bool members(struct input *in, struct json *v, char end)
{
	if (eat(in, end))
		return true;
	do {
		char *key = NULL;
		size_t len;
		if (v->type == JSON_OBJECT) {
			if (!eat(in, '"'))
				return false;
			key = string(in, &len);
			if (!eat(in, ':')) {
				free(key);
				return false;
			}
		}
		if (!add(v, key, value(in)))
			return false;
	} while (eat(in, ','));
	return eat(in, end);
}

static struct json *value(struct input *in)
{
	struct json *v = must_have(calloc(1, sizeof *v));
	bool ok = true;
	if (eat(in, '{')) {
		v->type = JSON_OBJECT;
		ok = members(in, v, '}');
	} else if (eat(in, '[')) {
		v->type = JSON_ARRAY;
		ok = members(in, v, ']');
	} else if (eat(in, '"')) {
		v->type = JSON_STRING;
		v->text = string(in, &v->len);
	} else {
		const char *from = in->at;
		while (in->at < in->end && !strchr(",]} \t\r\n", *in->at))
			in->at++;
		v->len = (size_t)(in->at - from);
		v->text = must_have(strndup(from, v->len));
		ok = v->len > 0;
	}
	if (ok)
		return v;
	json_free(v);
	return NULL;
}

struct json *json_read(const char *text, size_t len)
{
	struct input in = { text, text + len };
	return value(&in);
}

void json_free(struct json *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->count; i++) {
		free(v->keys[i]);
		json_free(v->items[i]);
	}
	free(v->keys);
	free(v->items);
	free(v->text);
	free(v);
}

const struct json *json_get(const struct json *v, const char *key)
{
	for (size_t i = 0; v && v->type == JSON_OBJECT && i < v->count; i++)
		if (!strcmp(v->keys[i], key))
			return v->items[i];
	return NULL;
}

const char *json_text(const struct json *v, const char *key)
{
	const struct json *m = json_get(v, key);
	return m && m->type == JSON_STRING ? m->text : "";
}
