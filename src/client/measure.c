/* SPDX-License-Identifier: Apache-2.0 */
#include "client/measure.h"

#include "attest/launch.h"
#include "repository/repository.h"

enum { MAX_DESCRIPTION = 1 << 20, MAX_FILE = 64 << 20 };

/* ctx: the description's own path. */
static bool read_beside(void *ctx, const char *path, struct buf *out,
	struct err *e)
{
	const char *file = ctx, *slash = strrchr(file, '/');
	auto_buf full = { 0 };
	if (path[0] == '/' || !slash)
		return repository_read_file(path, MAX_FILE, out, e);
	if (!buf_put(&full, bytes_of(file, (size_t)(slash - file) + 1)) ||
		!buf_str(&full, path))
		return err_fail(e, ERR_LIMIT, "no memory");
	return repository_read_file(buf_cstr(&full), MAX_FILE, out, e);
}

bool client_measure_launch(const char *file, bool verbose, bool json,
	struct buf *out, struct err *e)
{
	struct attest_launch l;
	auto_buf text = { 0 };
	char path[4096];
	if (strlen(file) >= sizeof path)
		return err_fail(e, ERR_INPUT, "path too long");
	memcpy(path, file, strlen(file) + 1);
	const struct attest_launch_config cfg = { .read = read_beside,
		.ctx = path,
		.trace = verbose && !json ? out : NULL };
	if (!repository_read_file(file, MAX_DESCRIPTION, &text, e) ||
		!attest_launch_measure(buf_bytes(&text), file, &cfg, &l, e))
		return false;
	return attest_launch_print(&l, json, out) ||
		err_fail(e, ERR_LIMIT, "no memory");
}
