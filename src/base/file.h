/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written whole.  False: errno says why. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/bytes.h"

MUST_USE bool file_write(int fd, struct bytes text);
/* What is at the path stays until the new file is whole and on its disk. */
MUST_USE bool file_replace(const char *path, mode_t mode, struct bytes text);

/* A new file; EEXIST: one is there already, and stays. */
MUST_USE bool file_create(const char *path, mode_t mode, struct bytes text);

#endif
