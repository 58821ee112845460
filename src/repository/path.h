/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that others chose for files: of tar entries, of layers.  A path is
 * relative, in UTF-8 without control characters, its components neither empty
 * nor "." nor ".."; so whoever makes it below a folder stays below it.
 */
#ifndef REPOSITORY_PATH_H
#define REPOSITORY_PATH_H

#include "base/buf.h"
#include "base/err.h"

enum { REPOSITORY_PATH_MAX = 1024 };

MUST_USE bool repository_path_ok(struct bytes path, struct err *e);
/* Appends the path with letters folded to one case: two paths that some file
 * system takes for one fold to the same. */
bool repository_path_fold(struct bytes path, struct buf *out);

#endif
