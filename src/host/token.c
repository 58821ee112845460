/* SPDX-License-Identifier: Apache-2.0 */
#include "host/token.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool check_file(int fd, const char *path, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st))
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_fail(e, ERR_INPUT, "%s: not a file", path);
	if (st.st_mode & 077)
		return err_fail(e, ERR_INPUT,
			"%s: others may read it: chmod 600", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_fail(e, ERR_INPUT, "%s: belongs to somebody else",
			path);
	return true;
}

bool token_read(const char *path, struct token *out, struct err *e)
{
	auto_wipe(char, text, TOKEN_MOST + 2);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	if (!check_file(fd, path, e))
		return false;
	ssize_t got = read(fd, text, sizeof text);
	if (got < 0)
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	size_t len = (size_t)got;
	if (len && text[len - 1] == '\n')
		len--;
	bool ok = len >= TOKEN_LEAST && len <= TOKEN_MOST;
	for (size_t i = 0; i < len; i++)
		ok = ok && text[i] > ' ' && text[i] <= '~';
	if (!ok)
		return err_fail(e, ERR_INPUT,
			"%s: not one line of %d to %d visible characters", path,
			TOKEN_LEAST, TOKEN_MOST);
	memcpy(out->text, text, len);
	out->len = len;
	return true;
}

bool token_equal(const struct token *t, const char *given)
{
	size_t len = strlen(given);
	volatile uint8_t differ = len != t->len;
	for (size_t i = 0; i < t->len; i++)
		differ = (uint8_t)(differ |
			((uint8_t)t->text[i] ^
				(uint8_t)(i < len ? given[i] : 0)));
	return !differ;
}
