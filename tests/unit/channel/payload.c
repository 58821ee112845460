/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../test.h"
#include "channel/frame.h"

/* A parser that throws away what it found. */
typedef bool parser(struct bytes, struct err *);

static bool parse_hello(struct bytes in, struct err *e)
{
	enum frame_role x;
	return frame_hello_parse(in, &x, e);
}

static bool parse_config(struct bytes in, struct err *e)
{
	struct frame_config x;
	if (!frame_config_parse(in, &x, e))
		return false;
	frame_config_fini(&x);
	return true;
}

static bool parse_file(struct bytes in, struct err *e)
{
	struct frame_file x;
	return frame_file_parse(in, &x, e);
}

static bool parse_module(struct bytes in, struct err *e)
{
	struct frame_module x;
	return frame_module_parse(in, &x, e);
}

static bool parse_exit(struct bytes in, struct err *e)
{
	struct frame_exit x;
	return frame_exit_parse(in, &x, e);
}

static bool parse_status(struct bytes in, struct err *e)
{
	struct frame_status x;
	return frame_status_parse(in, &x, e);
}

/* Exact heap blocks, so that a read past the end is an address error. */
static bool parse_exact(parser *p, struct bytes in, struct err *e)
{
	uint8_t *copy = malloc(in.len ? in.len : 1);
	CHECK(copy != NULL);
	if (in.len)
		memcpy(copy, in.ptr, in.len);
	bool ok = p(bytes_of(copy, in.len), e);
	free(copy);
	return ok;
}

/* The whole is taken; every truncation and a trailing byte are not. */
static void check_edges(parser *p, struct buf *b)
{
	struct err e = { 0 };
	if (!parse_exact(p, buf_bytes(b), &e))
		fail_msg("%s", e.text);
	for (size_t n = 0; n < b->len; n++) {
		e = (struct err){ 0 };
		CHECK(!parse_exact(p, bytes_of(b->ptr, n), &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, "frame ");
	}
	buf_u8(b, 0);
	CHECK(!parse_exact(p, buf_bytes(b), &e));
	CHECK_INT(e.kind, ERR_INPUT);
}

/* --- CONFIG ------------------------------------------------------------- */

static struct bytes args[] = { { (const uint8_t *)"app", 3 },
	{ (const uint8_t *)"", 0 }, { (const uint8_t *)"--x=\xff", 5 } };
static struct bytes env[] = { { (const uint8_t *)"A=", 2 },
	{ (const uint8_t *)"PATH=/bin", 9 } };
static struct frame_mount mounts[] = {
	{ { (const uint8_t *)"/data", 5 }, true, true },
	{ { (const uint8_t *)".", 1 }, false, false },
	{ { (const uint8_t *)"/ro", 3 }, true, false },
};
static const struct frame_config config = { .memory_bytes = 1ull << 33,
	.file_bytes = 1 << 20,
	.time_ns = 5,
	.fuel = 6,
	.flags = FRAME_CONFIG_FLAGS,
	.threads = 7,
	.args = args,
	.arg_count = ARRAY_LEN(args),
	.env = env,
	.env_count = ARRAY_LEN(env),
	.mounts = mounts,
	.mount_count = ARRAY_LEN(mounts),
	.stdio = { 0, 1, 0 } };

static void check_strings(const struct bytes *a, const struct bytes *b,
	size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(bytes_equal(a[i], b[i]));
}

TEST(a_config_comes_back)
{
	struct frame_config c;
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_config_encode(&config, &b));
	CHECK(frame_config_parse(buf_bytes(&b), &c, &e));
	CHECK(c.memory_bytes == config.memory_bytes);
	CHECK(c.file_bytes == config.file_bytes);
	CHECK(c.time_ns == 5 && c.fuel == 6);
	CHECK_INT(c.flags, FRAME_CONFIG_FLAGS);
	CHECK_INT(c.threads, 7);
	CHECK_INT(c.arg_count, ARRAY_LEN(args));
	CHECK_INT(c.env_count, ARRAY_LEN(env));
	CHECK_INT(c.mount_count, ARRAY_LEN(mounts));
	check_strings(c.args, args, ARRAY_LEN(args));
	check_strings(c.env, env, ARRAY_LEN(env));
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		CHECK(bytes_equal(c.mounts[i].guest, mounts[i].guest));
		CHECK_INT(c.mounts[i].writable, mounts[i].writable);
		CHECK_INT(c.mounts[i].returned, mounts[i].returned);
	}
	CHECK_MEM(c.stdio, config.stdio, 3);
	frame_config_fini(&c);
	CHECK(!c.args && !c.env && !c.mounts);
}

TEST(a_config_cut_anywhere_or_longer_is_refused)
{
	static const struct frame_config empty;
	auto_buf a = { 0 };
	auto_buf b = { 0 };
	CHECK(frame_config_encode(&config, &a));
	check_edges(parse_config, &a);
	CHECK(frame_config_encode(&empty, &b));
	CHECK_INT(b.len, 49);
	check_edges(parse_config, &b);
}

/* The empty CONFIG with bytes changed; offsets from docs/protocol.md. */
TEST(a_config_out_of_range_is_refused_naming_the_field)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *says;
	} cases[] = {
		{ 0, 2, "descriptors" }, /* version 2 goes on */
		{ 0, 3, "version 3" },
		{ 3, 1, "version" },
		{ 36, 0x40, "flags 0x40" },
		{ 37, 0x80, "flags" },
		{ 39, 0x80, "threads" },
		{ 40, 1, "entry 0 of arguments" }, /* takes env's count */
		{ 41, 0xff, "arguments" },
		{ 43, 0xff, "variables" },
		{ 44, 65, "65 mounts" },
		{ 45, 1, "256 mounts" },
		{ 46, 2, "stdio 0" },
		{ 47, 255, "stdio 1" },
		{ 48, 2, "stdio 2" },
	};
	static const struct frame_config empty;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		auto_buf b = { 0 };
		CHECK(frame_config_encode(&empty, &b));
		if (cases[i].at == 40)
			b.ptr[42] = 0xff;
		b.ptr[cases[i].at] = cases[i].value;
		CHECK(!parse_exact(parse_config, buf_bytes(&b), &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, "frame CONFIG: ");
		CHECK_HAS(e.text, cases[i].says);
	}
}

static void check_refused_config(const char *arg, size_t arg_len,
	const char *var, const char *guest, unsigned mount_flags,
	const char *says)
{
	struct err e = { 0 };
	auto_buf b = { 0 };
	static const uint8_t zeros[40] = { 1 };
	buf_put(&b, BYTES_ARRAY(zeros));
	buf_u16le(&b, arg != NULL);
	if (arg) {
		buf_u16le(&b, (uint16_t)arg_len);
		buf_put(&b, bytes_of(arg, arg_len));
	}
	buf_u16le(&b, var != NULL);
	if (var) {
		buf_u16le(&b, (uint16_t)strlen(var));
		buf_str(&b, var);
	}
	buf_u16le(&b, guest ? 2 : 0);
	for (int i = 0; guest && i < 2; i++) {
		buf_u16le(&b, (uint16_t)(i ? strlen(guest) : 1));
		buf_str(&b, i ? guest : "/");
		buf_u8(&b, (uint8_t)(i ? mount_flags : 0));
	}
	buf_put(&b, bytes_of(zeros + 1, 3));
	bool ok = parse_exact(parse_config, buf_bytes(&b), &e);
	CHECK(ok == !says);
	if (says)
		CHECK_HAS(e.text, says);
}

TEST(strings_that_no_program_could_be_given_are_refused)
{
	static char big[0x8001], path[4097];
	memset(big, 'a', sizeof big);
	memset(path, 'p', sizeof path - 1);
	check_refused_config("x", 1, "A=b", "/d", 3, NULL);
	check_refused_config("a\0b", 3, NULL, NULL, 0, "entry 0 of arguments");
	check_refused_config(big, 0x8000, NULL, NULL, 0, NULL);
	check_refused_config(big, 0x8001, NULL, NULL, 0,
		"entry 0 of arguments");
	check_refused_config(NULL, 0, "", NULL, 0, "entry 0 of variables");
	check_refused_config(NULL, 0, "A", NULL, 0, "entry 0 of variables");
	check_refused_config(NULL, 0, "=A", NULL, 0, "entry 0 of variables");
	check_refused_config(NULL, 0, NULL, "", 0, "mount 1");
	check_refused_config(NULL, 0, NULL, "/", 0, "mount 1");
	check_refused_config(NULL, 0, NULL, "/d", 4, "mount 1");
	check_refused_config(NULL, 0, NULL, "/d", 0x80, "mount 1");
	check_refused_config(NULL, 0, NULL, path, 0, NULL);
}

TEST(a_config_beyond_a_limit_is_not_encoded)
{
	static struct bytes many[FRAME_MAX_ARGS + 1];
	static uint8_t text[FRAME_MAX_STRING + 1];
	struct bytes one = bytes_of(text, sizeof text);
	struct frame_mount m[FRAME_MAX_MOUNTS + 1] = { 0 };
	struct frame_config c = { .args = many, .arg_count = FRAME_MAX_ARGS };
	auto_buf b = { 0 };
	memset(text, 'x', sizeof text);
	CHECK(frame_config_encode(&c, &b));
	CHECK(parse_config(buf_bytes(&b), NULL));
	buf_clear(&b);
	CHECK(buf_str(&b, "before"));
	c.arg_count++;
	CHECK(!frame_config_encode(&c, &b));
	c = (struct frame_config){ .env = &one, .env_count = 1 };
	CHECK(!frame_config_encode(&c, &b));
	c = (struct frame_config){ .mounts = m,
		.mount_count = FRAME_MAX_MOUNTS + 1 };
	CHECK(!frame_config_encode(&c, &b));
	/* Each within its limit, together more than a frame. */
	one.len--;
	for (size_t i = 0; i < 4; i++)
		many[i] = one;
	c = (struct frame_config){ .args = many, .arg_count = 4 };
	CHECK(!frame_config_encode(&c, &b));
	CHECK_STR(buf_cstr(&b), "before");
	memset(many, 0, sizeof many);
}

/* --- FILE, MODULE ------------------------------------------------------- */

static struct frame_file file_make(const char *path)
{
	struct frame_file f = { .mount = 3,
		.mtime_ns = 7,
		.size = 1ull << 40,
		.path = bytes_str(path) };
	memset(f.sha256, 0xab, sizeof f.sha256);
	return f;
}

TEST(a_file_comes_back)
{
	struct frame_file f = file_make("a/b.txt"), g;
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_file_encode(&f, &b));
	CHECK(frame_file_parse(buf_bytes(&b), &g, &e));
	CHECK(g.mount == 3 && !g.directory && g.mtime_ns == 7);
	CHECK(g.size == 1ull << 40);
	CHECK_MEM(g.sha256, f.sha256, 32);
	CHECK(bytes_equal(g.path, f.path));
	check_edges(parse_file, &b);
	f.directory = true;
	buf_clear(&b);
	CHECK(!frame_file_encode(&f, &b));
	f.size = 0;
	CHECK(frame_file_encode(&f, &b));
	CHECK(frame_file_parse(buf_bytes(&b), &g, &e));
	CHECK(g.directory);
}

TEST(a_path_that_could_leave_its_folder_is_refused)
{
	static const char *const bad[] = { "/", "/etc/passwd", "..", "../x",
		"a/..", "a/../b", ".", "./a", "a/./b", "a/.", "a//b", "a/",
		"//" };
	static const char *const good[] = { "a", "...", "..a", "a..", ".a",
		"a/..b/c", "-", " ", "\xff\xfe", "a\\..\\b" };
	for (size_t i = 0; i < ARRAY_LEN(bad) + ARRAY_LEN(good); i++) {
		bool fine = i >= ARRAY_LEN(bad);
		const char *path = fine ? good[i - ARRAY_LEN(bad)] : bad[i];
		struct frame_file f = file_make("x");
		struct err e = { 0 };
		auto_buf b = { 0 };
		CHECK(frame_file_encode(&f, &b));
		b.len -= 3;
		buf_u16le(&b, (uint16_t)strlen(path));
		buf_str(&b, path);
		CHECK(parse_exact(parse_file, buf_bytes(&b), &e) == fine);
		if (!fine)
			CHECK_STR(e.text, "frame FILE: path");
		f.path = bytes_str(path);
		buf_clear(&b);
		CHECK(frame_file_encode(&f, &b) == fine);
	}
}

TEST(a_path_with_nul_or_too_long_is_refused)
{
	static char path[FRAME_MAX_PATH + 1];
	struct frame_file f = file_make("x");
	auto_buf b = { 0 };
	f.path = bytes_of("a\0b", 3);
	CHECK(!frame_file_encode(&f, &b));
	memset(path, 'p', sizeof path);
	f.path = bytes_of(path, FRAME_MAX_PATH);
	CHECK(frame_file_encode(&f, &b));
	CHECK(parse_exact(parse_file, buf_bytes(&b), NULL));
	f.path.len++;
	buf_clear(&b);
	CHECK(!frame_file_encode(&f, &b));
}

TEST(a_file_out_of_range_is_refused_naming_the_field)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *says;
	} cases[] = { { 0, 64, "mount 64" }, { 3, 1, "mount" },
		{ 4, 1, "mode 0x1" }, { 5, 0x20, "mode 0x2000" },
		{ 5, 0xc0, "mode 0xc000" },
		{ 5, 0x40, "directory with a size" } };
	struct frame_file f = file_make("x");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		auto_buf b = { 0 };
		CHECK(frame_file_encode(&f, &b));
		b.ptr[cases[i].at] = cases[i].value;
		CHECK(!parse_file(buf_bytes(&b), &e));
		CHECK_HAS(e.text, cases[i].says);
	}
}

TEST(a_module_comes_back)
{
	struct frame_module m = { .size = 123456789012 }, n;
	struct err e;
	auto_buf b = { 0 };
	memset(m.sha256, 0xcd, sizeof m.sha256);
	CHECK(frame_module_encode(&m, &b));
	CHECK(frame_module_parse(buf_bytes(&b), &n, &e));
	CHECK(n.size == m.size);
	CHECK_MEM(n.sha256, m.sha256, 32);
	check_edges(parse_module, &b);
}

TEST(a_hello_comes_back)
{
	for (uint32_t role = 0; role < FRAME_ROLE_COUNT; role++) {
		enum frame_role r;
		struct err e;
		auto_buf b = { 0 };
		CHECK(frame_hello_encode(role, &b));
		CHECK(frame_hello_parse(buf_bytes(&b), &r, &e));
		CHECK_INT(r, role);
		check_edges(parse_hello, &b);
	}
}

/* --- PACKAGE, RECEIPT ------------------------------------------------------
 */

static bool parse_package(struct bytes in, struct err *e)
{
	struct frame_package p;
	return frame_package_parse(in, &p, e);
}

static bool parse_receipt(struct bytes in, struct err *e)
{
	struct frame_receipt r;
	return frame_receipt_parse(in, &r, e);
}

TEST(a_package_comes_back)
{
	struct frame_package p = { FRAME_PART_POLICY, FRAME_PART_MAX,
		{ 1, 2, 3 } },
			     q;
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_package_encode(&p, &b));
	CHECK_INT(b.len, 44);
	CHECK(frame_package_parse(buf_bytes(&b), &q, &e));
	CHECK(q.part == p.part && q.size == p.size);
	CHECK_MEM(p.sha256, q.sha256, 32);
	check_edges(parse_package, &b);
}

TEST(a_part_that_is_none_or_too_large_is_refused)
{
	static const struct frame_package bad[] = { { .part = 0 },
		{ .part = 4 }, { .part = 1, .size = FRAME_PART_MAX + 1 },
		{ .part = 1, .size = UINT64_MAX } };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		auto_buf b = { 0 };
		CHECK(frame_package_encode(&bad[i], &b));
		CHECK(!parse_package(buf_bytes(&b), &e));
		CHECK_HAS(e.text, "frame PACKAGE");
	}
}

TEST(a_receipt_comes_back)
{
	struct frame_receipt r = { BYTES_LIT("said"), BYTES_LIT("signed") }, s;
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_receipt_encode(&r, &b));
	CHECK(frame_receipt_parse(buf_bytes(&b), &s, &e));
	CHECK(bytes_equal(r.statement, s.statement));
	CHECK(bytes_equal(r.signature, s.signature));
	check_edges(parse_receipt, &b);
}

/* --- EXIT, STATUS, ERROR ------------------------------------------------ */

TEST(an_exit_comes_back)
{
	struct frame_exit x = { 134, FRAME_END_TRAPPED, 1, 2, 3, 4, 5,
		"unreachable\n\tat main" },
			  y;
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_exit_encode(&x, &b));
	CHECK(frame_exit_parse(buf_bytes(&b), &y, &e));
	CHECK(y.status == 134 && y.end == FRAME_END_TRAPPED);
	CHECK(y.run_ns == 1 && y.memory_peak == 2 && y.stdin_bytes == 3);
	CHECK(y.stdout_bytes == 4 && y.stderr_bytes == 5);
	CHECK_STR(y.text, x.text);
	check_edges(parse_exit, &b);
}

TEST(the_longest_exit_text_fits_and_one_byte_more_does_not)
{
	struct frame_exit x = { 0 }, y;
	struct err e = { 0 };
	auto_buf b = { 0 };
	memset(x.text, 't', sizeof x.text); /* no NUL: cut */
	CHECK(frame_exit_encode(&x, &b));
	CHECK_INT(b.len, 50 + FRAME_EXIT_TEXT_MAX);
	CHECK(frame_exit_parse(buf_bytes(&b), &y, &e));
	CHECK_INT(strlen(y.text), FRAME_EXIT_TEXT_MAX);
	b.ptr[48] = 0;
	b.ptr[49] = 4;
	buf_u8(&b, 't');
	CHECK(!frame_exit_parse(buf_bytes(&b), &y, &e));
	CHECK_STR(e.text, "frame EXIT: text of 1024 bytes");
}

TEST(an_unknown_end_is_refused)
{
	struct frame_exit x = { .end = FRAME_END_COUNT };
	struct err e = { 0 };
	auto_buf b = { 0 };
	CHECK(frame_exit_encode(&x, &b));
	CHECK(!parse_exit(buf_bytes(&b), &e));
	CHECK_STR(e.text, "frame EXIT: end 7");
}

TEST(texts_cannot_command_a_terminal)
{
	struct frame_exit x = { .text = "a\x1b[2J\r\x7f\x9b\n\tz" }, y;
	struct err what, e;
	auto_buf b = { 0 };
	CHECK(frame_exit_encode(&x, &b));
	CHECK(frame_exit_parse(buf_bytes(&b), &y, &e));
	CHECK_STR(y.text, "a?[2J???\n\tz");
	buf_clear(&b);
	CHECK(frame_error_encode(ERR_DENIED, x.text, &b));
	CHECK(frame_error_parse(buf_bytes(&b), &what, &e));
	CHECK_STR(what.text, "a?[2J?????z");
}

TEST(a_status_comes_back)
{
	struct frame_status s = { FRAME_RUN_ENDED, 3, 4, 5, 6 }, t;
	struct err e = { 0 };
	auto_buf b = { 0 };
	CHECK(frame_status_encode(&s, &b));
	CHECK(frame_status_parse(buf_bytes(&b), &t, &e));
	CHECK_MEM(&s, &t, sizeof s);
	check_edges(parse_status, &b);
	s.state = FRAME_RUN_ENDED + 1;
	buf_clear(&b);
	CHECK(frame_status_encode(&s, &b));
	CHECK(!parse_status(buf_bytes(&b), &e));
	CHECK_STR(e.text, "frame STATUS: state 4");
	s = (struct frame_status){ .log_first = 2, .log_end = 1 };
	buf_clear(&b);
	CHECK(frame_status_encode(&s, &b));
	CHECK(!parse_status(buf_bytes(&b), &e));
	CHECK_STR(e.text, "frame STATUS: log offsets");
}

TEST(an_error_comes_back_and_a_long_one_is_cut)
{
	char text[400];
	struct err what, e = { 0 };
	auto_buf b = { 0 };
	for (unsigned k = ERR_INPUT; k <= ERR_LIMIT; k++) {
		buf_clear(&b);
		CHECK(frame_error_encode((enum err_kind)k, "no room", &b));
		CHECK(frame_error_parse(buf_bytes(&b), &what, &e));
		CHECK_INT(what.kind, k);
		CHECK_STR(what.text, "no room");
	}
	memset(text, 'e', sizeof text);
	text[sizeof text - 1] = 0;
	buf_clear(&b);
	CHECK(frame_error_encode(ERR_HOST, text, &b));
	CHECK_INT(b.len, 1 + FRAME_ERROR_TEXT_MAX);
	CHECK(frame_error_parse(buf_bytes(&b), &what, &e));
	CHECK_INT(strlen(what.text), FRAME_ERROR_TEXT_MAX);
	buf_u8(&b, 'e');
	CHECK(!frame_error_parse(buf_bytes(&b), &what, &e));
	CHECK_HAS(e.text, "length 253");
	CHECK(!frame_error_parse(BYTES_NONE, &what, &e));
	CHECK(!frame_error_parse(BYTES_LIT("\0x"), &what, &e));
	CHECK_HAS(e.text, "kind 0");
	CHECK(!frame_error_parse(BYTES_LIT("\5x"), &what, &e));
	CHECK(frame_error_parse(BYTES_LIT("\1"), &what, &e));
	CHECK_STR(what.text, "");
}
