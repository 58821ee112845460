/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is an archive: tar, tar with gzip, or zip, by its contents. */
#ifndef REPOSITORY_ARCHIVE_H
#define REPOSITORY_ARCHIVE_H

#include "repository/tar.h"

struct repository_archive {
	int fd; /* what the index speaks of; without a name when unpacked */
	struct repository_tar index;
};

MUST_USE bool repository_archive_open(const char *path,
	struct repository_archive *out, struct err *e);
void repository_archive_close(struct repository_archive *a);

#endif
