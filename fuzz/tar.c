/* SPDX-License-Identifier: Apache-2.0 */
/* Archives: what is listed lies inside, in order, under safe names. */
#include "repository/tar.h"
#include "base/must.h"
#include "repository/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repository_tar t;
	struct err e;
	const struct repository_source s = { -1, bytes_of(data, size), size };
	if (!repository_tar_index(&s, &t, &e))
		return 0;
	for (size_t i = 0; i < t.count; i++) {
		const struct repository_tar_entry *x = &t.entries[i];
		must(x->at <= size && x->size <= size - x->at);
		must(repository_path_ok(bytes_str(x->path), NULL));
		must(!i || strcmp(t.entries[i - 1].path, x->path) < 0);
		must(repository_tar_find(&t, x->path) == x);
	}
	repository_tar_fini(&t);
	return 0;
}
