/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written whole, and where this program's are.  False: errno
 * says why. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/bytes.h"

MUST_USE bool file_write(int fd, struct bytes text);
/* What is at the path stays until the new file is whole and on its disk. */
MUST_USE bool file_replace(const char *path, mode_t mode, struct bytes text);
/*
 * The same in two steps, for who does not have it all at once: a descriptor of
 * what will be the file, or -1, and its name until then, which is a little
 * longer than the path; then the file in its place, or nothing, if `whole` is
 * false (which is passed on, errno with it).
 */
int file_begin(const char *path, char *made, size_t size);
MUST_USE bool file_end(int fd, const char *made, bool whole, mode_t mode,
	const char *path);

/* A new file; EEXIST: one is there already, and stays. */
MUST_USE bool file_create(const char *path, mode_t mode, struct bytes text);

/* The folder of this very program, without a slash at its end. */
MUST_USE bool file_own_folder(char *out, size_t size);

#endif
