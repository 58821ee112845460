/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/manifest.h"

#include <stdio.h>

#include "../test.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define D(t) \
	"{\"mediaType\":\"" t "\",\"digest\":\"sha256:" HEX "\",\"size\":7}"
#define CONFIG "\"config\":" D(MEDIA_WASM_CONFIG)
#define M(layers)                                                           \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_MANIFEST "\"," CONFIG \
	",\"layers\":[" layers "]}"
#define INDEX(list)                                         \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX \
	"\",\"manifests\":[" list "]}"
#define P(os, arch)                                                      \
	"{\"mediaType\":\"" MEDIA_MANIFEST "\",\"digest\":\"sha256:" HEX \
	"\",\"size\":7,\"platform\":{\"os\":\"" os                       \
	"\",\"architecture\":\"" arch "\"}}"

static struct repository_manifest m;
static struct err e;

static bool parse(const char *text, const char *type)
{
	e = (struct err){ 0 };
	return repository_manifest_parse(bytes_str(text), type, &m, &e);
}

static void refuses(const char *text, const char *type, const char *why)
{
	if (parse(text, type)) {
		repository_manifest_fini(&m);
		fail_msg("taken: %s", text);
	}
	CHECK_HAS(e.text, why);
}

static bool layers(const char *text, struct repository_layers *l)
{
	if (!parse(text, NULL))
		return false;
	bool ok = repository_manifest_layers(&m, l, &e);
	repository_manifest_fini(&m);
	return ok;
}

TEST(a_package_of_ours_has_its_parts_found)
{
	struct repository_layers l;
	CHECK(layers(M(D(MEDIA_WASM) "," D(MEDIA_TOML) "," D(MEDIA_DATA) "," D(
			     MEDIA_SPDX)),
		&l));
	CHECK_INT(l.module, 0);
	CHECK_INT(l.toml, 1);
	CHECK_INT(l.data, 2);
}

TEST(modules_of_other_tools_are_found)
{
	struct repository_layers l;
	CHECK(layers(M(D("application/vnd.wasm.content.layer.v1+wasm")), &l));
	CHECK_INT(l.module, 0);
	CHECK_INT(l.toml, -1);
	CHECK(layers(M("{\"mediaType\":\"application/vnd.oci.image.layer.v1."
		       "tar\",\"digest\":\"sha256:" HEX
		       "\",\"size\":7,\"annotations\":{\"org.opencontainers."
		       "image.title\":\"app.wasm\"}}"),
		&l));
}

TEST(layers_that_do_not_run_are_refused_by_their_type)
{
	struct repository_layers l;
	CHECK(!layers(M(D(MEDIA_WASM) "," D("application/x-evil")), &l));
	CHECK_HAS(e.text, "application/x-evil");
	CHECK(!layers(M(D("application/vnd.oci.image.layer.v1.tar+gzip")), &l));
	CHECK(!layers(M(D(MEDIA_TOML)), &l));
	CHECK_HAS(e.text, "no layer is a module");
	CHECK(!layers(M(D(MEDIA_WASM) "," D(MEDIA_WASM)), &l));
	CHECK_HAS(e.text, "two layers");
}

TEST(titles_stay_below_a_folder)
{
	static const char *const bad[] = { "../a.wasm", "/a.wasm", "a/../b",
		"a\\u0000b", "a\\nb", "..", "a\\\\b" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[1024];
		snprintf(text, sizeof text,
			M("{\"mediaType\":\"application/wasm\",\"digest\":"
			  "\"sha256:" HEX
			  "\",\"size\":7,\"annotations\":{\"org."
			  "opencontainers.image.title\":\"%s\"}}"),
			bad[i]);
		if (parse(text, NULL))
			fail_msg("taken: %s", bad[i]);
	}
}

TEST(what_it_says_and_what_the_server_says_must_agree)
{
	CHECK(parse(M(""), MEDIA_MANIFEST "; charset=utf-8"));
	repository_manifest_fini(&m);
	CHECK(parse(M(""), "application/json"));
	repository_manifest_fini(&m);
	refuses(M(""), MEDIA_INDEX, "served as");
	refuses(M(""), MEDIA_DOCKER, "served as");
	refuses("{\"schemaVersion\":2," CONFIG ",\"layers\":[]}", MEDIA_INDEX,
		"");
}

TEST(what_is_two_things_at_once_is_refused)
{
	refuses("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_MANIFEST
		"\"," CONFIG ",\"layers\":[],\"manifests\":[]}",
		NULL, "both");
	refuses("{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX
		"\",\"layers\":[],\"manifests\":[]}",
		NULL, "both");
	refuses("{\"schemaVersion\":2,\"schemaVersion\":2}", NULL, "");
}

TEST(other_schemas_and_types_are_refused)
{
	refuses("{\"schemaVersion\":1}", NULL, "schema version 1");
	refuses("{\"schemaVersion\":2,\"mediaType\":\"application/x\"}", NULL,
		"application/x is unknown");
	refuses("[]", NULL, "not an object");
	refuses("null", NULL, "");
	refuses("", NULL, "");
}

TEST(descriptors_are_strict)
{
#define WITH(member)                                                     \
	M("{\"mediaType\":\"application/wasm\",\"digest\":\"sha256:" HEX \
	  "\",\"size\":7," member "}")
	refuses(WITH("\"urls\":[\"https://evil/\"]"), NULL, "other locations");
	refuses(WITH("\"annotations\":{\"a\":1}"), NULL, "not a string");
	refuses(WITH("\"annotations\":[]"), NULL, "annotations");
	refuses(M("{\"mediaType\":\"application/wasm\",\"digest\":\"sha256:12"
		  "\",\"size\":7}"),
		NULL, "digest");
	refuses(M("{\"mediaType\":\"application/wasm\",\"digest\":\"md5:" HEX
		  "\",\"size\":7}"),
		NULL, "digest");
	refuses(M("{\"mediaType\":\"application/wasm\",\"digest\":\"sha256:" HEX
		  "\",\"size\":-1}"),
		NULL, "size");
	refuses(M("{\"mediaType\":\"application/wasm\",\"digest\":\"sha256:" HEX
		  "\",\"size\":1e9}"),
		NULL, "size");
	refuses(M("{\"mediaType\":\"wasm\",\"digest\":\"sha256:" HEX
		  "\",\"size\":1}"),
		NULL, "not a media type");
	refuses(M("{\"mediaType\":\"a/b\\u001b[2J\",\"digest\":\"sha256:" HEX
		  "\",\"size\":1}"),
		NULL, "not a media type");
	refuses(M("7"), NULL, "not an object");
}

TEST(numbers_of_layers_are_bounded)
{
	auto_buf b = { 0 };
	buf_str(&b,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_MANIFEST
		"\"," CONFIG ",\"layers\":[");
	for (int i = 0; i <= REPOSITORY_MAX_LAYERS; i++)
		buf_fmt(&b, "%s%s", i ? "," : "", D(MEDIA_WASM));
	buf_str(&b, "]}");
	refuses(buf_cstr(&b), NULL, "more than 64");
}

TEST(an_index_gives_what_is_for_wasm_or_all_it_has)
{
	size_t at = 9;
	CHECK(parse(INDEX(P("linux", "amd64") "," P("wasip1", "wasm")), NULL));
	CHECK(m.index);
	CHECK(repository_manifest_choose(&m, &at, &e));
	CHECK_INT(at, 1);
	repository_manifest_fini(&m);
	CHECK(parse(INDEX(P("linux", "amd64")), NULL));
	CHECK(repository_manifest_choose(&m, &at, &e));
	CHECK_INT(at, 0);
	repository_manifest_fini(&m);
	CHECK(parse(INDEX(P("wasip1", "wasm") "," P("wasip2", "wasm")), NULL));
	CHECK(!repository_manifest_choose(&m, &at, &e));
	CHECK_HAS(e.text, "more than one");
	repository_manifest_fini(&m);
	CHECK(parse(INDEX(""), NULL));
	CHECK(!repository_manifest_choose(&m, &at, &e));
	repository_manifest_fini(&m);
}

TEST(every_truncation_is_refused)
{
	static const char text[] = M(D(MEDIA_WASM));
	for (size_t n = 0; n < sizeof text - 1; n++)
		CHECK(!repository_manifest_parse(bytes_of(text, n), NULL, &m,
			&e));
}
