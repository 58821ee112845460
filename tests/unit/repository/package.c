/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/package.h"

#include "../test.h"
#include "base/fmt.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A package with a config, a module and a bill of materials of such sizes. */
static bool takes(const uint64_t sizes[3], struct err *e)
{
	static const char *const types[] = { MEDIA_WASM_CONFIG, MEDIA_WASM,
		MEDIA_SPDX };
	struct repository_package p = { .module = -1,
		.toml = -1,
		.data = -1,
		.data_fd = -1 };
	char part[3][256], text[1024];
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		fmt(part[i], sizeof part[i],
			"{\"mediaType\":\"%s\",\"digest\":\"sha256:" HEX
			"\",\"size\":%llu}",
			types[i], (unsigned long long)sizes[i]);
	fmt(text, sizeof text,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_MANIFEST
		"\",\"config\":%s,\"layers\":[%s,%s]}",
		part[0], part[1], part[2]);
	bool ok = repository_package_manifest(&p, bytes_str(text), NULL, e);
	repository_package_fini(&p);
	return ok;
}

TEST(no_part_of_a_package_may_fill_the_disk)
{
	const uint64_t most = REPOSITORY_MAX_DATA;
	struct err e = { 0 };
	CHECK(takes((uint64_t[]){ most, 9, most }, &e));
	for (size_t i = 0; i < 3; i++) {
		uint64_t sizes[3] = { 9, 9, 9 };
		sizes[i] = most + 1;
		CHECK(!takes(sizes, &e));
		CHECK_INT(e.kind, ERR_LIMIT);
		CHECK_HAS(e.text, "larger than");
	}
}
