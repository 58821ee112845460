/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/reference.h"

#include "../test.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct repository_reference r;
static struct err e;

static void check_shown(const char *text, const char *shown)
{
	char out[512];
	if (!repository_reference_parse(text, &r, &e))
		fail_msg("%s: %s", text, e.text);
	repository_reference_show(&r, out, sizeof out);
	CHECK_STR(out, shown);
}

TEST(paths_are_what_has_no_scheme)
{
	check_shown("app.wasm", "app.wasm");
	CHECK_INT(r.kind, REPOSITORY_PATH);
	check_shown("./a:b@sha256:c", "./a:b@sha256:c");
	CHECK_INT(r.kind, REPOSITORY_PATH);
	CHECK(!r.pinned);
	check_shown("file:///srv/app.wasm", "/srv/app.wasm");
	check_shown("-", "-");
}

TEST(registries_have_a_host_a_name_and_a_tag)
{
	check_shown("oci://registry.example/pay/roll:1.2",
		"registry.example/pay/roll:1.2");
	CHECK_INT(r.kind, REPOSITORY_OCI);
	CHECK_STR(r.host, "registry.example");
	CHECK_STR(r.name, "pay/roll");
	CHECK_STR(r.tag, "1.2");
	CHECK(!r.plain);
	check_shown("oci+http://127.0.0.1:5000/a", "127.0.0.1:5000/a:latest");
	CHECK(r.plain);
	check_shown("oci://[::1]:5000/a:t", "[::1]:5000/a:t");
}

TEST(a_digest_pins_with_and_without_a_tag)
{
	check_shown("oci://h/a@sha256:" HEX, "h/a@sha256:" HEX);
	CHECK(r.pinned);
	CHECK_STR(r.tag, "");
	CHECK_INT(r.digest[0], 0x00);
	CHECK_INT(r.digest[15], 0xff);
	check_shown("oci://h/a:1@sha256:" HEX, "h/a:1@sha256:" HEX);
	check_shown("https://h/a.wasm@sha256:" HEX, "h/a.wasm@sha256:" HEX);
	CHECK(r.pinned);
	CHECK_STR(r.where, "https://h/a.wasm");
}

TEST(what_is_asked_of_a_location_is_not_shown)
{
	check_shown("https://h:8443/x/a.wasm?key=secret", "h:8443/x/a.wasm");
	CHECK_STR(r.where, "https://h:8443/x/a.wasm?key=secret");
	CHECK(!repository_reference_parse("https://me:secret@h/a", &r, &e));
	CHECK(!strstr(e.text, "secret"));
	CHECK_HAS(e.text, "user's name");
	CHECK(!repository_reference_parse("oci://me:secret@h/a", &r, &e));
	CHECK(!strstr(e.text, "secret"));
}

TEST(an_at_sign_in_a_location_is_not_a_pin)
{
	check_shown("https://h/@scope/a.wasm", "h/@scope/a.wasm");
	CHECK(!r.pinned);
}

TEST(what_can_be_read_in_two_ways_is_refused)
{
	static const char *const bad[] = {
		"",
		"ftp://h/a",
		"https://",
		"https://h",
		"https:///a",
		"https://h:0/a",
		"https://h:99999/a",
		"https://h/a b",
		"https://h/a#sha256=" HEX,
		"https://h/a@sha256:12",
		"https://h/a@sha512:" HEX,
		"oci://",
		"oci://h",
		"oci://h/",
		"oci:///a",
		"oci://h/A",
		"oci://h/a//b",
		"oci://h/a/",
		"oci://h/-a",
		"oci://h/a..b",
		"oci://h/a___b",
		"oci://h/a:",
		"oci://h/a:.1",
		"oci://h/a:b:c",
		"oci://h/a:t/b",
		"oci://h/a@" HEX,
		"oci://h/a@sha256:" HEX "0",
		"oci://h/a@sha256:"
		"00112233445566778899AABBCCDDEEFF"
		"00112233445566778899aabbccddeeff",
		"oci://h:x/a",
		"oci://h:/a",
		"oci://-h/a",
		"oci://[::1/a",
		"oci://h/a%2fb",
		"oci://h/\xc3\xa4",
		"oci://h/../a",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (repository_reference_parse(bad[i], &r, &e))
			fail_msg("%s: was taken", bad[i]);
}

TEST(parts_that_are_too_long_are_refused)
{
	char text[4000] = "oci://h/";
	memset(text + 8, 'a', 256);
	CHECK(!repository_reference_parse(text, &r, &e));
	text[8 + 255] = '\0';
	CHECK(repository_reference_parse(text, &r, &e));
	memcpy(text, "oci://h/a:", 10);
	memset(text + 10, 't', 129);
	text[10 + 129] = '\0';
	CHECK(!repository_reference_parse(text, &r, &e));
	text[10 + 128] = '\0';
	CHECK(repository_reference_parse(text, &r, &e));
	memset(text, 'p', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	CHECK(!repository_reference_parse(text, &r, &e));
}

TEST(a_failure_changes_nothing)
{
	struct repository_reference before;
	check_shown("oci://h/a:1", "h/a:1");
	before = r;
	CHECK(!repository_reference_parse("oci://h/A", &r, &e));
	CHECK_MEM(&before, &r, sizeof r);
}
