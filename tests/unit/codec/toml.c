/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/toml.h"

#include <stdio.h>

#include "base/buf.h"

#include "../test.h"

static struct toml_doc *parsed(const char *text)
{
	struct toml_doc *d = NULL;
	struct err e = { 0 };
	if (!toml_parse(bytes_str(text), "f.toml", &d, &e))
		fail_msg("%s", e.text);
	return d;
}

TEST(toml_reads_each_kind)
{
	struct toml_doc *d = parsed("s = \"a\\u00e9\"\ni = -7\nf = 1.5\n"
				    "b = true\nd = 2026-01-02\n"
				    "a = [1, \"x\"]\n[t]\nk = 1\n");
	struct toml_node *r = toml_root(d);
	struct err e = { 0 };
	const char *s = NULL;
	struct bytes raw;
	int64_t i = 0;
	bool b = false;
	CHECK(toml_cstring(toml_get(r, "s"), &s, &e));
	CHECK_STR(s, "a\xc3\xa9");
	CHECK(toml_string(toml_get(r, "s"), &raw, &e));
	CHECK_INT(raw.len, 3);
	CHECK(toml_integer(toml_get(r, "i"), -7, 0, &i, &e));
	CHECK_INT(i, -7);
	CHECK(toml_bool(toml_get(r, "b"), &b, &e));
	CHECK(b);
	CHECK(toml_expect(toml_get(r, "f"), TOML_FLOAT, &e));
	CHECK(toml_expect(toml_get(r, "d"), TOML_DATE, &e));
	struct toml_node *a = toml_get(r, "a");
	CHECK_INT(toml_count(a), 2);
	CHECK(toml_kind(toml_at(a, 1)) == TOML_STRING);
	CHECK(toml_get(a, "s") == NULL);
	CHECK(toml_get(toml_get(r, "t"), "k") != NULL);
	CHECK(toml_get(r, "absent") == NULL);
	CHECK(toml_no_more(r, &e));
	toml_free(d);
}

TEST(toml_keeps_the_order_of_the_file)
{
	struct toml_doc *d = parsed("z = 1\na = 2\n[m]\n[b]\n");
	struct toml_node *r = toml_root(d);
	static const char *const keys[] = { "z", "a", "m", "b" };
	CHECK_INT(toml_count(r), 4);
	for (size_t i = 0; i < 4; i++)
		CHECK_STR(toml_key(r, i), keys[i]);
	toml_free(d);
}

TEST(toml_says_where_a_value_has_the_wrong_type)
{
	struct toml_doc *d = parsed("a = [1,\n  true]\n[t]\nk = \"\\u0000\"\n");
	struct toml_node *r = toml_root(d);
	struct err e = { 0 };
	const char *s;
	bool b;
	int64_t i;
	CHECK(!toml_cstring(toml_get(r, "a"), &s, &e));
	CHECK_STR(e.text, "f.toml:1:5: a must be a string, not an array");
	CHECK(!toml_integer(toml_at(toml_get(r, "a"), 1), 0, 9, &i, &e));
	CHECK_STR(e.text,
		"f.toml:2:3: item 2 of a must be an integer, not true or false");
	CHECK(!toml_integer(toml_at(toml_get(r, "a"), 0), 2, 9, &i, &e));
	CHECK_STR(e.text, "f.toml:1:6: item 1 of a is 1, expected 2 to 9");
	struct toml_node *k = toml_get(toml_get(r, "t"), "k");
	CHECK(!toml_bool(k, &b, &e));
	CHECK_STR(e.text, "f.toml:4:5: k must be true or false, not a string");
	CHECK(!toml_cstring(k, &s, &e));
	CHECK_STR(e.text, "f.toml:4:5: k must not hold a NUL");
	CHECK(!toml_expect(r, TOML_ARRAY, &e));
	CHECK_HAS(e.text, "f.toml:1:1: the document must be an array");
	CHECK_STR(toml_where(k), "f.toml:4:5");
	toml_free(d);
}

TEST(toml_no_more_names_the_first_unknown_key)
{
	struct toml_doc *d = parsed("known = 1\n\n  other = 2\n[t]\n  k = 1\n");
	struct toml_node *r = toml_root(d);
	struct err e = { 0 };
	CHECK(toml_get(r, "known") != NULL);
	CHECK(!toml_no_more(r, &e));
	CHECK_STR(e.text, "f.toml:3:3: other: nothing of that name is known");
	CHECK(!toml_no_more(toml_get(r, "t"), &e));
	CHECK_STR(e.text, "f.toml:5:3: k: nothing of that name is known in t");
	CHECK(!toml_no_more(toml_get(r, "known"), &e));
	toml_free(d);
}

TEST(toml_refuses_what_is_not_toml_and_says_where)
{
	static const struct {
		const char *text, *where;
	} t[] = {
		{ "a = ", "f.toml:1:" },
		{ "ok = 1\na = 1\na = 2\n", "f.toml:3:" },
		{ "ok = 1\n[t\n", "f.toml:2:" },
		{ "a = \"\xff\"", "f.toml:1:" },
		{ "a = 99999999999999999999", "f.toml:1:" },
		{ "a = 1 b = 2", "f.toml:1:" },
		{ "[t]\n[t]\n", "f.toml:2:" },
		{ "= 1", "f.toml:1:" },
		{ "a.\n", "f.toml" }, /* toml++ 3.3 asserts here */
		{ "\xef\xbb\xbd = 1", "f.toml:1:" },
		{ "\xc3\xa9 = 1", "f.toml:1:" },
		{ "a = \"\x1b\"", "f.toml:1:" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct toml_doc *d = NULL;
		struct err e = { 0 };
		CHECK(!toml_parse(bytes_str(t[i].text), "f.toml", &d, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, t[i].where);
		CHECK(strchr(e.text, '\x1b') == NULL);
	}
}

TEST(toml_survives_every_truncation)
{
	static const char text[] =
		"a = [1, { b = \"c\" }]\n[t.u]\nd = '''x'''\n"
		"e = 2026-01-02T03:04:05Z # f\n";
	for (size_t n = 0; n < sizeof text; n++) {
		struct toml_doc *d = NULL;
		struct err e = { 0 };
		if (toml_parse(bytes_of(text, n), "f.toml", &d, &e))
			toml_free(d);
		else
			CHECK(e.text[0]);
	}
}

TEST(toml_limits_depth_and_size)
{
	auto_buf b = { 0 };
	struct toml_doc *d = NULL;
	struct err e = { 0 };
	CHECK(buf_str(&b, "a = "));
	for (int i = 0; i < 100; i++)
		CHECK(buf_u8(&b, '['));
	for (int i = 0; i < 100; i++)
		CHECK(buf_u8(&b, ']'));
	CHECK(!toml_parse(buf_bytes(&b), "f.toml", &d, &e));
	CHECK_HAS(e.text, "f.toml:1:6");
	/* Neither a table's name nor an array is too deep, but both are. */
	buf_clear(&b);
	CHECK(buf_str(&b, "[a.b.c.d.e.f.g.h]\nx = "));
	for (int i = 0; i < 60; i++)
		CHECK(buf_u8(&b, '['));
	for (int i = 0; i < 60; i++)
		CHECK(buf_u8(&b, ']'));
	CHECK(!toml_parse(buf_bytes(&b), "f.toml", &d, &e));
	CHECK_STR(e.text, "f.toml:2:61: more than 64 levels deep");
	buf_clear(&b);
	CHECK(buf_str(&b, "x = 1\n a"));
	for (int i = 0; i < 200000; i++)
		CHECK(buf_str(&b, i % 2 ? ".a" : " . \"b.\""));
	CHECK(buf_str(&b, " = 1\n"));
	CHECK(!toml_parse(buf_bytes(&b), "f.toml", &d, &e));
	CHECK_HAS(e.text, "f.toml:2:");
	CHECK_HAS(e.text, "at most 16 parts");
	buf_clear(&b);
	CHECK(buf_str(&b, "a = \""));
	for (int i = 0; i < 1000; i++)
		CHECK(buf_u8(&b, '.'));
	CHECK(buf_str(&b, "\" # ................................\n"));
	CHECK(toml_parse(buf_bytes(&b), "f.toml", &d, &e));
	toml_free(d);
	buf_clear(&b);
	uint8_t *p = buf_reserve(&b, (1 << 20) + 1);
	CHECK(p != NULL);
	memset(p, ' ', (1 << 20) + 1);
	CHECK(!toml_parse(bytes_of(p, (1 << 20) + 1), "f.toml", &d, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK(toml_parse(bytes_of(p, 1 << 20), "f.toml", &d, &e));
	toml_free(d);
}

/* As many values of that kind as there may be, and one more. */
static void limit(const char *open, const char *one, size_t each)
{
	auto_buf b = { 0 };
	struct toml_doc *d = NULL;
	struct err e = { 0 };
	CHECK(buf_str(&b, open));
	for (size_t n = 0; n + each <= 65000; n += each)
		CHECK(buf_str(&b, one));
	CHECK(buf_str(&b, "]\n"));
	CHECK(toml_parse(buf_bytes(&b), "f.toml", &d, &e));
	toml_free(d);
	b.len -= 2;
	for (size_t n = 0; n < 1000; n += each)
		CHECK(buf_str(&b, one));
	CHECK(buf_str(&b, "]\n"));
	CHECK(!toml_parse(buf_bytes(&b), "f.toml", &d, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_HAS(e.text, "f.toml:2:");
	CHECK_HAS(e.text, ": at most 65536 values are allowed");
}

TEST(toml_limits_the_number_of_values)
{
	limit("b = 1\na = [", "1,", 1);
	limit("b = 1\na = [", "[[[[]]]],", 5);
	limit("b = 1\na = [", "{x.y=1},", 4);
	limit("b = 1\na = [", "\"[,=]\",", 1);
}

TEST(toml_names_an_item_by_its_way)
{
	struct toml_doc *d = NULL;
	struct err e = { 0 };
	struct bytes s;
	CHECK(toml_parse(bytes_str("[t]\na = [1, [2, 3]]\n"), "f.toml", &d,
		&e));
	struct toml_node *a = toml_get(toml_get(toml_root(d), "t"), "a");
	CHECK(!toml_string(toml_at(toml_at(a, 1), 1), &s, &e));
	CHECK_STR(e.text,
		"f.toml:2:13: item 2 of item 2 of a must be a string, not an "
		"integer");
	CHECK_STR(toml_where(toml_root(d)), "f.toml:1:1");
	CHECK(!toml_string(toml_root(d), &s, &e));
	CHECK_HAS(e.text, "f.toml:1:1: the document must be a string");
	toml_free(d);
}
