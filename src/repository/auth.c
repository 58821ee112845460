/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "repository/repository.h"

enum { MAX_FILE = 1 << 20, PATH_LEN = 1024 };

#define HUB_KEY "https://index.docker.io/v1/"

void repository_login_fini(struct repository_login *l)
{
	if (l->secret)
		explicit_bzero(l->secret, strlen(l->secret));
	free(l->secret);
	*l = (struct repository_login){ 0 };
}

bool repository_login_basic(const struct repository_login *l, struct buf *out,
	struct err *e)
{
	auto_wipe_buf pair = { 0 };
	buf_fmt(&pair, "%s:%s", l->user, l->secret);
	if (!buf_ok(&pair) || !buf_str(out, "Basic ") ||
		!base64_encode(buf_bytes(&pair), out))
		return err_fail(e, ERR_LIMIT, "no memory");
	return true;
}

const char *repository_login_key(const char *host)
{
	return !strcmp(host, "docker.io") ? HUB_KEY : host;
}

/* --- Docker's config.json ----------------------------------------------- */

static bool config_path(char out[PATH_LEN], struct err *e)
{
	const char *docker = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	size_t n;
	if (docker && docker[0])
		n = fmt(out, PATH_LEN, "%s/config.json", docker);
	else if (home && home[0])
		n = fmt(out, PATH_LEN, "%s/.docker/config.json", home);
	else
		return err_fail(e, ERR_INPUT,
			"logins: neither DOCKER_CONFIG nor HOME is set");
	return n < PATH_LEN - 32 || err_fail(e, ERR_LIMIT, "path too long");
}

/* An empty object when there is no such file. */
static bool load(const char *path, json_t **out, struct err *e)
{
	auto_wipe_buf text = { 0 };
	if (access(path, F_OK)) {
		*out = json_object();
		return *out || err_fail(e, ERR_LIMIT, "no memory");
	}
	if (!repository_read_file(path, MAX_FILE, &text, e))
		return false;
	if (!json_parse(buf_bytes(&text), MAX_FILE, out, e))
		return err_wrap(e, "%s", path);
	if (json_is_object(*out))
		return true;
	json_decref(*out);
	return err_fail(e, ERR_INPUT, "%s: not an object", path);
}

/* As a whole or not at all; nobody else may read it. */
static bool save(const char *path, const json_t *o, struct err *e)
{
	char folder[PATH_LEN];
	auto_wipe_buf text = { 0 };
	char *p = json_dumps(o, JSON_INDENT(8));
	if (!p)
		return err_fail(e, ERR_LIMIT, "no memory");
	bool copied = buf_str(&text, p) && buf_str(&text, "\n");
	explicit_bzero(p, strlen(p));
	free(p);
	fmt(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = '\0';
	if (mkdir(folder, 0700) && errno != EEXIST)
		return err_fail(e, ERR_HOST, "%s: %s", folder, strerror(errno));
	if (!copied)
		return err_fail(e, ERR_LIMIT, "no memory");
	return file_replace(path, 0600, buf_bytes(&text)) ||
		err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
}

/* The entry of a registry, under any of the keys that tools write. */
static json_t *entry(json_t *of, const char *host)
{
	static const char *const forms[] = { "%s", "https://%s", "http://%s",
		"https://%s/v1/", "https://%s/v2/", "https://%s/" };
	json_t *found = json_object_get(of, repository_login_key(host));
	for (size_t i = 0; !found && i < ARRAY_LEN(forms); i++) {
		char key[300];
		const char *percent = strstr(forms[i], "%s");
		fmt(key, sizeof key, "%.*s%s%s", (int)(percent - forms[i]),
			forms[i], host, percent + 2);
		found = json_object_get(of, key);
	}
	return found;
}

static const char *helper_of(json_t *config, const char *host)
{
	json_t *one = entry(json_object_get(config, "credHelpers"), host);
	const char *name = json_string_value(one);
	if (!name)
		name = json_string_value(json_object_get(config, "credsStore"));
	return name && name[0] ? name : NULL;
}

static bool fill(struct repository_login *l, const char *user,
	struct bytes secret, struct err *e)
{
	if (strlen(user) >= sizeof l->user ||
		secret.len > REPOSITORY_MAX_SECRET ||
		memchr(secret.ptr, 0, secret.len))
		return err_fail(e, ERR_INPUT, "login: cannot be used");
	fmt(l->user, sizeof l->user, "%s", user);
	l->secret = strndup((const char *)secret.ptr, secret.len);
	return l->secret || err_fail(e, ERR_LIMIT, "no memory");
}

/* "auth": base64 of "user:password". */
static bool from_auth(const char *text, struct repository_login *l,
	struct err *e)
{
	auto_wipe_buf pair = { 0 };
	char user[256];
	if (!base64_decode(bytes_str(text), &pair, NULL) || !pair.len)
		return err_fail(e, ERR_INPUT, "login: cannot be read");
	const uint8_t *colon = memchr(pair.ptr, ':', pair.len);
	size_t n = colon ? (size_t)(colon - pair.ptr) : pair.len;
	if (!colon || n >= sizeof user || memchr(pair.ptr, 0, n))
		return err_fail(e, ERR_INPUT, "login: cannot be read");
	memcpy(user, pair.ptr, n);
	user[n] = '\0';
	return fill(l, user, bytes_from(buf_bytes(&pair), n + 1), e);
}

static bool from_entry(json_t *o, struct repository_login *l, bool *found,
	struct err *e)
{
	const char *token =
		json_string_value(json_object_get(o, "identitytoken"));
	const char *auth = json_string_value(json_object_get(o, "auth"));
	const char *user = json_string_value(json_object_get(o, "username"));
	const char *password =
		json_string_value(json_object_get(o, "password"));
	*found = true;
	if (token && token[0]) {
		l->is_token = true;
		return fill(l, "", bytes_str(token), e);
	}
	if (auth && auth[0])
		return from_auth(auth, l, e);
	if (user && password)
		return fill(l, user, bytes_str(password), e);
	*found = false;
	return true;
}

static bool from_helper(const char *name, const char *host,
	struct repository_login *l, bool *found, struct err *e)
{
	auto_wipe_buf out = { 0 };
	json_t *o = NULL;
	if (!repository_helper(name, "get",
		    bytes_str(repository_login_key(host)), &out, found, e))
		return false;
	if (!*found)
		return true;
	if (!json_parse(buf_bytes(&out), MAX_FILE, &o, NULL))
		return err_fail(e, ERR_HOST, "docker-credential-%s: not JSON",
			name);
	const char *user = json_string_value(json_object_get(o, "Username"));
	const char *secret = json_string_value(json_object_get(o, "Secret"));
	bool ok = user && secret;
	if (ok) {
		l->is_token = !strcmp(user, "<token>");
		ok = fill(l, l->is_token ? "" : user, bytes_str(secret), e);
	} else {
		ok = err_fail(e, ERR_HOST,
			"docker-credential-%s: no user's name in its answer",
			name);
	}
	json_decref(o);
	return ok;
}

bool repository_login_find(const char *host, struct repository_login *out,
	bool *found, struct err *e)
{
	char path[PATH_LEN];
	struct repository_login l = { 0 };
	json_t *config;
	*found = false;
	if (!config_path(path, NULL))
		return true;
	if (!load(path, &config, e))
		return false;
	const char *helper = helper_of(config, host);
	json_t *mine = entry(json_object_get(config, "auths"), host);
	bool ok = !helper || from_helper(helper, host, &l, found, e);
	if (ok && !*found && mine)
		ok = from_entry(mine, &l, found, e);
	json_decref(config);
	if (ok && *found)
		*out = l;
	else
		repository_login_fini(&l);
	return ok;
}

static bool store_helper(const char *name, const char *host,
	const struct repository_login *l, struct err *e)
{
	auto_wipe_buf in = { 0 }, out = { 0 };
	bool yes;
	json_t *o = json_pack("{s:s, s:s, s:s}", "ServerURL",
		repository_login_key(host), "Username", l->user, "Secret",
		l->secret);
	bool ok = o && json_print(o, &in, NULL);
	json_decref(o);
	if (!ok)
		return err_fail(e, ERR_INPUT,
			"user's name or password: not UTF-8");
	if (!repository_helper(name, "store", buf_bytes(&in), &out, &yes, e))
		return false;
	return yes ||
		err_fail(e, ERR_HOST, "docker-credential-%s refused to store",
			name);
}

static bool store_here(json_t *config, const char *host,
	const struct repository_login *l, struct err *e)
{
	auto_wipe_buf basic = { 0 };
	if (!repository_login_basic(l, &basic, e))
		return false;
	json_t *auths = json_object_get(config, "auths");
	if (!json_is_object(auths)) {
		auths = json_object();
		if (!auths || json_object_set_new(config, "auths", auths))
			return err_fail(e, ERR_LIMIT, "no memory");
	}
	const char *text = buf_cstr(&basic) + strlen("Basic ");
	if (json_object_set_new(auths, repository_login_key(host),
		    json_pack("{s:s}", "auth", text)))
		return err_fail(e, ERR_LIMIT, "no memory");
	return true;
}

bool repository_login_store(const char *host, const struct repository_login *l,
	struct err *e)
{
	char path[PATH_LEN];
	json_t *config;
	if (!config_path(path, e) || !load(path, &config, e))
		return false;
	const char *helper = helper_of(config, host);
	bool ok = helper ?
		store_helper(helper, host, l, e) :
		store_here(config, host, l, e) && save(path, config, e);
	json_decref(config);
	return ok;
}

bool repository_login_erase(const char *host, bool *found, struct err *e)
{
	char path[PATH_LEN];
	json_t *config;
	auto_wipe_buf out = { 0 };
	bool ok = true, here;
	*found = false;
	if (!config_path(path, e) || !load(path, &config, e))
		return false;
	const char *helper = helper_of(config, host);
	if (helper)
		ok = repository_helper(helper, "erase",
			bytes_str(repository_login_key(host)), &out, found, e);
	json_t *auths = json_object_get(config, "auths");
	here = entry(auths, host) != NULL;
	if (ok && here) {
		static const char *const forms[] = { "", "https://",
			"http://" };
		static const char *const tails[] = { "", "/v1/", "/v2/", "/" };
		json_object_del(auths, repository_login_key(host));
		for (size_t i = 0; i < ARRAY_LEN(forms); i++)
			for (size_t k = 0; k < ARRAY_LEN(tails); k++) {
				char key[300];
				fmt(key, sizeof key, "%s%s%s", forms[i], host,
					tails[k]);
				json_object_del(auths, key);
			}
		*found = true;
		ok = save(path, config, e);
	}
	json_decref(config);
	return ok;
}
