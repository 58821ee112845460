/* SPDX-License-Identifier: Apache-2.0 */
#include "client/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "attest/bundle.h"
#include "repository/repository.h"

enum { MAX_DEPTH = 4 };

static bool add_file(struct client_files *f, const char *path, bool must_be,
	struct err *e)
{
	struct buf *b = &f->file[f->count];
	if (f->count == CLIENT_FILES_MAX)
		return err_fail(e, ERR_LIMIT, "%s: more than %d files", path,
			CLIENT_FILES_MAX);
	if (!repository_read_file(path, CLIENT_FILE_BYTES, b, e))
		return must_be || (e && e->kind != ERR_LIMIT) ? false : true;
	if (attest_bundle_is_endorsement(buf_bytes(b))) {
		f->count++;
		return true;
	}
	buf_fini(b);
	return !must_be ||
		err_fail(e, ERR_INPUT,
			"%s: neither certificate, revocation list nor signed "
			"document",
			path);
}

static bool add_any(struct client_files *f, const char *path, unsigned depth,
	struct err *e);

static bool add_folder(struct client_files *f, const char *path, unsigned depth,
	struct err *e)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort);
	bool ok = n >= 0 ||
		err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		auto_buf sub = { 0 };
		if (ok && names[i]->d_name[0] != '.')
			ok = (buf_fmt(&sub, "%s/%s", path, names[i]->d_name) ||
				     err_fail(e, ERR_LIMIT, "no memory")) &&
				add_any(f, buf_cstr(&sub), depth + 1, e);
		free(names[i]);
	}
	free(names);
	return ok;
}

static bool add_any(struct client_files *f, const char *path, unsigned depth,
	struct err *e)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return depth > MAX_DEPTH || add_folder(f, path, depth, e);
	/* What lies in a folder by chance need not be read. */
	if (depth && (!S_ISREG(st.st_mode) || st.st_size > CLIENT_FILE_BYTES))
		return true;
	return add_file(f, path, depth == 0, e);
}

bool client_files_add(struct client_files *f, const char *path, struct err *e)
{
	return add_any(f, path, 0, e);
}

void client_files_spans(const struct client_files *f, struct bytes *spans)
{
	for (size_t i = 0; i < f->count; i++)
		spans[i] = buf_bytes(&f->file[i]);
}

void client_files_fini(struct client_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		buf_fini(&f->file[i]);
	f->count = 0;
}
