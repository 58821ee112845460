/* SPDX-License-Identifier: Apache-2.0 */
#include "client/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fmt.h"

static bool put(char out[CLIENT_PATH_MAX], const char *a, const char *b,
	struct err *e)
{
	if (fmt(out, CLIENT_PATH_MAX, "%s%s", a, b) != strlen(a) + strlen(b))
		return err_fail(e, ERR_INPUT, "path too long: %s", a);
	return true;
}

static const char *home(void)
{
	const char *h = getenv("HOME");
	if (h && h[0] == '/')
		return h;
	const struct passwd *pw = getpwuid(getuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

/* XDG base directory specification: a relative value counts as none. */
static bool xdg(const char *variable, const char *below_home, const char *name,
	char out[CLIENT_PATH_MAX], struct err *e)
{
	char base[CLIENT_PATH_MAX];
	const char *dir = getenv(variable);
	if (dir && dir[0] == '/')
		return put(out, dir, name, e);
	const char *h = home();
	if (!h)
		return err_fail(e, ERR_INPUT, "no home directory; set $%s",
			variable);
	return put(base, h, below_home, e) && put(out, base, name, e);
}

bool client_path_owner(char out[CLIENT_PATH_MAX], struct err *e)
{
	return xdg("XDG_CONFIG_HOME", "/.config", "/donjon/owner.pem", out, e);
}

bool client_path_keeps(char out[CLIENT_PATH_MAX], struct err *e)
{
	return xdg("XDG_STATE_HOME", "/.local/state", "/donjon/keeps", out, e);
}

bool client_path_collateral(char out[CLIENT_PATH_MAX], struct err *e)
{
	return xdg("XDG_CACHE_HOME", "/.cache", "/donjon/collateral", out, e);
}

static bool own_folder(char out[CLIENT_PATH_MAX], struct err *e)
{
	return file_own_folder(out, CLIENT_PATH_MAX) ||
		err_fail(e, ERR_HOST, "/proc/self/exe: %s", strerror(errno));
}

bool client_path_program(const char *name, char out[CLIENT_PATH_MAX],
	struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	size_t n = 0;
	if (!own_folder(dir, e) || !put(out, dir, "/", e))
		return false;
	n = strlen(out);
	if (fmt(out + n, CLIENT_PATH_MAX - n, "%s", name) != strlen(name))
		return err_fail(e, ERR_INPUT, "path too long: %s", dir);
	if (access(out, X_OK))
		return err_fail(e, ERR_HOST, "%s: %s", out, strerror(errno));
	return true;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool client_path_images(const char *given, char out[CLIENT_PATH_MAX],
	struct err *e)
{
	static const char *const places[] = { "/../keep",
		"/../lib/donjon/keep" };
	char dir[CLIENT_PATH_MAX];
	if (given) {
		if (!put(out, given, "", e))
			return false;
		return is_directory(out) ||
			err_fail(e, ERR_INPUT, "no Keep images in %s", given);
	}
	if (!own_folder(dir, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!put(out, dir, places[i], e))
			return false;
		if (is_directory(out))
			return true;
	}
	return err_fail(e, ERR_HOST, "no Keep images in %s/../keep or %s", dir,
		out);
}

bool client_path_make(const char *directory, struct err *e)
{
	char path[CLIENT_PATH_MAX];
	if (!put(path, directory, "", e))
		return false;
	for (char *p = path + 1;; p++) {
		char c = *p;
		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return err_fail(e, ERR_HOST, "make %s: %s", path,
				strerror(errno));
		*p = c;
		if (!c)
			return true;
	}
}
