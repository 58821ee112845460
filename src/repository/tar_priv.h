/* SPDX-License-Identifier: Apache-2.0 */
/* What tar.c, tar_check.c and tar_write.c share. */
#ifndef REPOSITORY_TAR_PRIV_H
#define REPOSITORY_TAR_PRIV_H

#include "repository/path.h"
#include "repository/tar.h"

enum { TAR_BLOCK = 512 };

/* POSIX.1-2017 pax, "ustar Header Block". */
struct tar_head {
	uint8_t name[100];
	uint8_t mode[8], uid[8], gid[8];
	uint8_t size[12], mtime[12];
	uint8_t checksum[8];
	uint8_t type;
	uint8_t link[100];
	uint8_t magic[6], version[2];
	uint8_t user[32], group[32];
	uint8_t device_major[8], device_minor[8];
	uint8_t prefix[155];
	uint8_t reserved_1f4[12];
};
LAYOUT(struct tar_head, checksum, 148);
LAYOUT(struct tar_head, magic, 257);
LAYOUT(struct tar_head, prefix, 345);
LAYOUT_SIZE(struct tar_head, TAR_BLOCK);

/* Brings the entries into the order of paths and refuses those that cannot
 * be files of one folder together. */
MUST_USE bool repository_tar_check(struct repository_tar *t, struct err *e);

#endif
