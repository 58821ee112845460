/* SPDX-License-Identifier: Apache-2.0 */
#include "client/config.h"

#include <stdlib.h>

#include "base/fmt.h"
#include "client/config_priv.h"
#include "repository/repository.h"

enum { MAX_FILE = 1 << 20 };

bool config_at(const struct toml_node *n, bool ok, struct err *e)
{
	return ok || err_wrap(e, "%s", toml_where(n));
}

bool config_text(struct toml_node *table, const char *key, const char **out,
	struct err *e)
{
	struct toml_node *n = toml_get(table, key);
	*out = NULL;
	return !n || toml_cstring(n, out, e);
}

bool config_flag(struct toml_node *table, const char *key, bool *out,
	struct err *e)
{
	struct toml_node *n = toml_get(table, key);
	return !n || toml_bool(n, out, e);
}

bool config_copy(const char *text, char **to, struct err *e)
{
	*to = strdup(text);
	return *to || err_fail(e, ERR_LIMIT, "no memory");
}

bool config_path(const struct config *c, const char *text, char **to,
	struct err *e)
{
	auto_buf path = { 0 };
	buf_fmt(&path, "%s%s", text[0] == '/' ? "" : c->folder, text);
	return config_copy(buf_cstr(&path), to, e);
}

bool config_not_packaged(const struct config *c, const struct toml_node *n,
	struct err *e)
{
	return !c->packaged ||
		err_fail(e, ERR_INPUT,
			"%s: a package can't name what is the tenant's; give "
			"--config a file that does",
			toml_where(n));
}

static bool read_args(const struct config *c, struct toml_node *args,
	struct err *e)
{
	if (!toml_expect(args, TOML_ARRAY, e))
		return false;
	client_workload_no_args(c->w);
	for (size_t i = 0; i < toml_count(args); i++) {
		struct toml_node *n = toml_at(args, i);
		const char *text;
		if (!toml_cstring(n, &text, e) ||
			!config_at(n, client_workload_arg(c->w, text, e), e))
			return false;
	}
	return true;
}

static bool read_env(const struct config *c, struct toml_node *env,
	struct err *e)
{
	if (!toml_expect(env, TOML_TABLE, e))
		return false;
	for (size_t i = 0; i < toml_count(env); i++) {
		const char *key = toml_key(env, i), *value;
		struct toml_node *n = toml_at(env, i);
		auto_buf pair = { 0 };
		if (!toml_cstring(n, &value, e))
			return false;
		if (strchr(key, '='))
			return err_fail(e, ERR_INPUT,
				"%s: a variable's name has no '='",
				toml_where(n));
		buf_fmt(&pair, "%s=%s", key, value);
		if (!config_at(n, client_workload_env(c->w, buf_cstr(&pair), e),
			    e))
			return false;
	}
	return true;
}

/* A number, or a text with a unit; handed on as text. */
static bool number_text(struct toml_node *n, char *out, size_t size,
	struct err *e)
{
	const char *text;
	int64_t number;
	if (toml_kind(n) == TOML_INTEGER) {
		if (!toml_integer(n, 0, INT64_MAX, &number, e))
			return false;
		fmt(out, size, "%lld", (long long)number);
		return true;
	}
	if (!toml_cstring(n, &text, e))
		return false;
	if (fmt(out, size, "%s", text) != strlen(text))
		return err_fail(e, ERR_INPUT, "%s: not a quantity",
			toml_where(n));
	return true;
}

static bool read_limits(const struct config *c, struct toml_node *limits,
	struct err *e)
{
	char text[64];
	int64_t fuel = 0, threads = 0;
	if (!toml_expect(limits, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(limits, "memory");
	if (n &&
		(!number_text(n, text, sizeof text, e) ||
			!config_at(n, client_workload_memory(c->w, text, e),
				e)))
		return false;
	n = toml_get(limits, "time");
	if (n &&
		(!number_text(n, text, sizeof text, e) ||
			!config_at(n, client_workload_time(c->w, text, e), e)))
		return false;
	n = toml_get(limits, "files");
	if (n &&
		(!number_text(n, text, sizeof text, e) ||
			!config_at(n,
				client_workload_files_limit(c->w, text, e), e)))
		return false;
	n = toml_get(limits, "fuel");
	if (n && !toml_integer(n, 1, INT64_MAX, &fuel, e))
		return false;
	if (n)
		c->w->fuel = (uint64_t)fuel;
	n = toml_get(limits, "threads");
	if (n && !toml_integer(n, 1, FRAME_MAX_THREADS, &threads, e))
		return false;
	c->w->threads = (uint16_t)threads;
	return toml_no_more(limits, e);
}

static bool read_mount(const struct config *c, struct toml_node *mount,
	struct err *e)
{
	const char *host = "", *guest = NULL, *mode = "ro";
	if (!toml_expect(mount, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(mount, "host");
	if (n && !toml_cstring(n, &host, e))
		return false;
	n = toml_get(mount, "mode");
	if (n && !toml_cstring(n, &mode, e))
		return false;
	if (strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
		return err_fail(e, ERR_INPUT,
			"%s: mode \"%s\", want \"ro\" or \"rw\"", toml_where(n),
			mode);
	n = toml_get(mount, "guest");
	if (!n)
		return err_fail(e, ERR_INPUT, "%s: [[mounts]] without a guest",
			toml_where(mount));
	return toml_cstring(n, &guest, e) &&
		config_at(n,
			client_workload_mount(c->w, host, guest,
				!strcmp(mode, "rw"), e),
			e) &&
		toml_no_more(mount, e);
}

static bool read_mounts(const struct config *c, struct toml_node *mounts,
	struct err *e)
{
	if (!toml_expect(mounts, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(mounts); i++)
		if (!read_mount(c, toml_at(mounts, i), e))
			return false;
	return true;
}

/* repository/recipe.c is who needs it. */
static bool read_module(const struct config *c, struct toml_node *module,
	struct err *e)
{
	const char *text;
	(void)c;
	return toml_cstring(module, &text, e);
}

static bool read_engine(const struct config *c, struct toml_node *n,
	struct err *e)
{
	const char *name;
	return toml_cstring(n, &name, e) &&
		config_at(n, client_workload_engine(c->w, name, e), e);
}

/* Enarx asked a service for its Keeps' certificates. */
static bool read_steward(const struct config *c, struct toml_node *n,
	struct err *e)
{
	const char *text;
	return toml_cstring(n, &text, e) &&
		client_workload_note(c->w,
			"steward is not asked for certificates: a Keep's own "
			"carries its evidence (docs/config.md)",
			e);
}

static bool read_root(const struct config *c, struct toml_node *root,
	struct err *e)
{
	/* [tls] first: others lean on it. */
	static const struct {
		const char *key;
		bool (*read)(const struct config *, struct toml_node *,
			struct err *);
	} members[] = { { "tls", config_tls }, { "args", read_args },
		{ "engine", read_engine }, { "env", read_env },
		{ "files", config_files }, { "limits", read_limits },
		{ "module", read_module }, { "mounts", read_mounts },
		{ "network", config_network }, { "steward", read_steward } };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct toml_node *n = toml_get(root, members[i].key);
		if (n && !members[i].read(c, n, e))
			return false;
	}
	return toml_no_more(root, e);
}

static bool parse(const struct config *c, struct bytes toml, const char *file,
	struct err *e)
{
	struct toml_doc *d;
	if (!toml_parse(toml, file, &d, e))
		return false;
	bool ok = read_root(c, toml_root(d), e);
	toml_free(d);
	return ok;
}

bool client_config_parse(struct bytes toml, const char *file, bool packaged,
	struct client_workload *w, struct err *e)
{
	const char *slash = packaged ? NULL : strrchr(file, '/');
	auto_buf folder = { 0 };
	if (!buf_put(&folder,
		    bytes_of(file, slash ? (size_t)(slash + 1 - file) : 0)))
		return err_fail(e, ERR_LIMIT, "no memory");
	const struct config c = { w, buf_cstr(&folder), packaged };
	return parse(&c, toml, file, e);
}

bool client_config_read(const char *path, struct client_workload *w,
	struct err *e)
{
	auto_buf text = { 0 };
	return repository_read_file(path, MAX_FILE, &text, e) &&
		client_config_parse(buf_bytes(&text), path, false, w, e);
}

/* What would make a key stand in the middle of a document is refused by the
 * one key that a --set has. */
bool client_config_set(const char *text, struct client_workload *w,
	struct err *e)
{
	const struct config c = { w, "", false };
	size_t n = strcspn(text, "=");
	if (!text[n] || memchr(text, '\n', n) || memchr(text, '#', n) ||
		memchr(text, '[', n))
		return err_fail(e, ERR_INPUT,
			"%s: want KEY=VALUE, as in limits.files=\"1 GiB\"",
			text);
	return parse(&c, bytes_str(text), "--set", e);
}
