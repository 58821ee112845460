/* SPDX-License-Identifier: Apache-2.0 */
#include "esm/blob.h"

#include "../test.h"

static struct crypto_wrap *machine;
static struct esm_digests digests;

static void seal(struct buf *out)
{
	if (!machine)
		CHECK(crypto_wrap_generate(&machine, NULL));
	CHECK(esm_digest(BYTES_LIT("rtas"), BYTES_LIT("kernel"),
		BYTES_LIT("initrd"), BYTES_NONE, &digests, NULL));
	CHECK(esm_seal(machine, &digests, "a-file", BYTES_LIT("a secret"), out,
		NULL));
}

TEST(blob_opens_on_the_machine_that_it_was_sealed_to)
{
	uint8_t key[ESM_SYMKEY_BYTES];
	struct esm_digests d = { 0 };
	auto_buf blob = { .len = 0 }, file = { .len = 0 };
	struct err e = { 0 };
	seal(&blob);
	if (!esm_open(buf_bytes(&blob), machine, key, &d, &e))
		fail_msg("%s", e.text);
	CHECK_MEM(&d, &digests, sizeof d);
	CHECK_INT(d.kernel_bytes, 6);
	CHECK(esm_file(buf_bytes(&blob), key, "a-file", &file, &e));
	CHECK(bytes_equal(buf_bytes(&file), BYTES_LIT("a secret")));
	CHECK(!esm_file(buf_bytes(&blob), key, "b-file", &file, &e));
	CHECK_INT(e.kind, ERR_INPUT);
}

TEST(blob_of_another_machine_stays_shut)
{
	uint8_t key[ESM_SYMKEY_BYTES];
	struct crypto_wrap *other;
	struct esm_digests d;
	auto_buf blob = { .len = 0 };
	struct err e = { 0 };
	seal(&blob);
	CHECK(crypto_wrap_generate(&other, NULL));
	CHECK(!esm_open(buf_bytes(&blob), other, key, &d, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	crypto_wrap_free(other);
}

/* Nothing of it says something else than what was sealed, whoever changes it:
 * what is not under a seal is a name, or padding. */
TEST(blob_that_was_changed_never_says_something_else)
{
	auto_buf blob = { .len = 0 };
	seal(&blob);
	size_t opened = 0;
	for (size_t i = 0; i < blob.len; i += 3) {
		uint8_t key[ESM_SYMKEY_BYTES];
		struct esm_digests d;
		auto_wipe_buf file = { .len = 0 };
		blob.ptr[i] ^= 1;
		bool ok = esm_open(buf_bytes(&blob), machine, key, &d, NULL);
		if (ok)
			CHECK_MEM(&d, &digests, sizeof d);
		if (ok &&
			esm_file(buf_bytes(&blob), key, "a-file", &file, NULL))
			CHECK(bytes_equal(buf_bytes(&file),
				BYTES_LIT("a secret")));
		opened += ok;
		blob.ptr[i] ^= 1;
	}
	CHECK(opened > 0 && opened < blob.len / 3);
}

TEST(blob_names_an_image_by_all_of_its_parts)
{
	uint8_t one[ESM_IMAGE_BYTES], two[ESM_IMAGE_BYTES];
	auto_buf blob = { .len = 0 };
	seal(&blob);
	CHECK(esm_image(&digests, one, NULL));
	uint8_t *parts[] = { digests.rtas, digests.kernel, digests.initrd,
		digests.bootargs };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		parts[i][63] ^= 1;
		CHECK(esm_image(&digests, two, NULL));
		CHECK(memcmp(one, two, sizeof one) != 0);
		parts[i][63] ^= 1;
	}
	crypto_wrap_free(machine);
	machine = NULL;
}
