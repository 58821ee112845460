/* SPDX-License-Identifier: Apache-2.0 */
/* Archives: what is listed was unpacked, in order, under safe names. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"
#include "repository/path.h"
#include "repository/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repository_tar t;
	struct err e;
	uint64_t total = 0;
	const struct repository_source s = { -1, bytes_of(data, size), size };
	int fd = memfd_create("zip", 0);
	must(fd >= 0);
	if (repository_zip_unpack(&s, fd, 1 << 20, &t, &e)) {
		for (size_t i = 0; i < t.count; i++) {
			const struct repository_tar_entry *x = &t.entries[i];
			must(repository_path_ok(bytes_str(x->path), NULL));
			must(!i || strcmp(t.entries[i - 1].path, x->path) < 0);
			total += x->size;
		}
		must(total <= 1 << 20);
		must(lseek(fd, 0, SEEK_END) >= (off_t)total);
		repository_tar_fini(&t);
	}
	close(fd);
	return 0;
}
