/* SPDX-License-Identifier: Apache-2.0 */
/* Endorsements in files and folders. */
#ifndef CLIENT_FILES_H
#define CLIENT_FILES_H

#include "base/buf.h"
#include "base/err.h"

enum { CLIENT_FILES_MAX = 256, CLIENT_FILE_BYTES = 1 << 20 };

/* Owned contents; all-zero is empty. */
struct client_files {
	struct buf file[CLIENT_FILES_MAX];
	size_t count;
};

/*
 * Adds a file, or those of a folder (and of folders in it, a few levels) that
 * can be endorsements; a file that can't is an error, in a folder it is passed
 * over.
 */
MUST_USE bool client_files_add(struct client_files *f, const char *path,
	struct err *e);
/* spans: CLIENT_FILES_MAX of them. */
void client_files_spans(const struct client_files *f, struct bytes *spans);
void client_files_fini(struct client_files *f);

#endif
