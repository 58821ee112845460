/* SPDX-License-Identifier: Apache-2.0 */
/* An ESM blob, whose lockbox nobody can open here: the device trees, and what
 * is sealed under a key that is known. */
#include "esm/blob.h"
#include "esm/fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/", "/lockboxes/lockbox-1",
		"/digest/digests-fdt", "/file", "/chosen", "/rtas" };
	static const char *const names[] = { "encrypted-symkey", "ciphertext",
		"files-fdt", "bootargs", "iv" };
	static const uint8_t key[ESM_SYMKEY_BYTES];
	struct bytes in = bytes_of(data, size), v;
	auto_wipe_buf file = { .len = 0 };
	struct fdt t;
	uint64_t n;
	if (fdt_open(in, &t, NULL))
		for (size_t i = 0; i < ARRAY_LEN(paths); i++)
			for (size_t k = 0; k < ARRAY_LEN(names); k++) {
				if (fdt_find(&t, paths[i], names[k], &v) &&
					v.len &&
					(v.ptr < data ||
						v.ptr + v.len > data + size))
					__builtin_trap();
				(void)fdt_number(&t, paths[i], names[k], &n);
			}
	(void)!esm_file(in, key, "donjon-key", &file, NULL);
	return 0;
}
