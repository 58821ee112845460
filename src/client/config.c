/* SPDX-License-Identifier: Apache-2.0 */
#include "client/config.h"

#include "base/fmt.h"
#include "codec/toml.h"
#include "repository/repository.h"

enum { MAX_FILE = 1 << 20 };

/* Puts the node's place before an error of client/workload.h. */
static bool at(const struct toml_node *n, bool ok, struct err *e)
{
	return ok || err_wrap(e, "%s", toml_where(n));
}

static bool read_args(struct toml_node *args, struct client_workload *w,
	struct err *e)
{
	if (!toml_expect(args, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(args); i++) {
		struct toml_node *n = toml_at(args, i);
		const char *text;
		if (!toml_cstring(n, &text, e) ||
			!at(n, client_workload_arg(w, text, e), e))
			return false;
	}
	return true;
}

static bool read_env(struct toml_node *env, struct client_workload *w,
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
		if (!at(n, client_workload_env(w, buf_cstr(&pair), e), e))
			return false;
	}
	return true;
}

static bool read_file(struct toml_node *file, size_t i,
	struct client_workload *w, struct err *e)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	const char *kind, *name;
	if (!toml_expect(file, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(file, "kind");
	if (!n)
		return err_fail(e, ERR_INPUT, "%s: [[files]] without a kind",
			toml_where(file));
	if (!toml_cstring(n, &kind, e))
		return false;
	if (i >= ARRAY_LEN(names))
		return err_fail(e, ERR_INPUT,
			"%s: this release knows [[files]] for descriptors 0, 1 "
			"and 2 only",
			toml_where(file));
	w->null_stdio[i] = !strcmp(kind, "null");
	if (!w->null_stdio[i] && strcmp(kind, names[i]) != 0)
		return err_fail(e, ERR_INPUT,
			"%s: kind \"%s\", want \"null\" or \"%s\" for "
			"descriptor %zu",
			toml_where(n), kind, names[i], i);
	/* Enarx's name of the descriptor: ours is always the kind's. */
	n = toml_get(file, "name");
	return (!n || toml_cstring(n, &name, e)) && toml_no_more(file, e);
}

static bool read_files(struct toml_node *files, struct client_workload *w,
	struct err *e)
{
	if (!toml_expect(files, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(w->null_stdio); i++)
		w->null_stdio[i] = i >= toml_count(files);
	for (size_t i = 0; i < toml_count(files); i++)
		if (!read_file(toml_at(files, i), i, w, e))
			return false;
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

static bool read_limits(struct toml_node *limits, struct client_workload *w,
	struct err *e)
{
	char text[64];
	int64_t fuel = 0;
	if (!toml_expect(limits, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(limits, "memory");
	if (n &&
		(!number_text(n, text, sizeof text, e) ||
			!at(n, client_workload_memory(w, text, e), e)))
		return false;
	n = toml_get(limits, "time");
	if (n &&
		(!number_text(n, text, sizeof text, e) ||
			!at(n, client_workload_time(w, text, e), e)))
		return false;
	n = toml_get(limits, "fuel");
	if (n && !toml_integer(n, 1, INT64_MAX, &fuel, e))
		return false;
	w->fuel = (uint64_t)fuel;
	return toml_no_more(limits, e);
}

static bool read_mount(struct toml_node *mount, struct client_workload *w,
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
		at(n,
			client_workload_mount(w, host, guest,
				!strcmp(mode, "rw"), e),
			e) &&
		toml_no_more(mount, e);
}

static bool read_mounts(struct toml_node *mounts, struct client_workload *w,
	struct err *e)
{
	if (!toml_expect(mounts, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(mounts); i++)
		if (!read_mount(toml_at(mounts, i), w, e))
			return false;
	return true;
}

/* repository/recipe.c is who needs it. */
static bool read_module(struct toml_node *module, struct client_workload *w,
	struct err *e)
{
	const char *text;
	(void)w;
	return toml_cstring(module, &text, e);
}

static bool read_root(struct toml_node *root, struct client_workload *w,
	struct err *e)
{
	static const struct {
		const char *key;
		bool (*read)(struct toml_node *, struct client_workload *,
			struct err *);
	} members[] = { { "args", read_args }, { "env", read_env },
		{ "files", read_files }, { "limits", read_limits },
		{ "module", read_module }, { "mounts", read_mounts } };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct toml_node *n = toml_get(root, members[i].key);
		if (n && !members[i].read(n, w, e))
			return false;
	}
	return toml_no_more(root, e);
}

bool client_config_parse(struct bytes toml, const char *file,
	struct client_workload *w, struct err *e)
{
	struct toml_doc *d;
	if (!toml_parse(toml, file, &d, e))
		return false;
	bool ok = read_root(toml_root(d), w, e);
	toml_free(d);
	return ok;
}

bool client_config_read(const char *path, struct client_workload *w,
	struct err *e)
{
	auto_buf text = { 0 };
	return repository_read_file(path, MAX_FILE, &text, e) &&
		client_config_parse(buf_bytes(&text), path, w, e);
}

const char *client_config_template(void)
{
	return "# How `donjon run --config Donjon.toml` and `donjon deploy "
	       "--config\n"
	       "# Donjon.toml` run a program.  Options of the command line "
	       "count more\n"
	       "# than what stands here.  See donjon(1).\n"
	       "\n"
	       "# The module of a package; else main.wasm, or the only one.\n"
	       "# module = \"main.wasm\"\n"
	       "\n"
	       "# Arguments of the program, without its name.\n"
	       "args = []\n"
	       "\n"
	       "# Its whole environment: nothing of yours is passed on "
	       "unasked.\n"
	       "[env]\n"
	       "# GREETING = \"hello\"\n"
	       "\n"
	       "# Descriptors 0, 1 and 2: the stream of that name, or "
	       "\"null\".\n"
	       "[[files]]\n"
	       "kind = \"stdin\"\n"
	       "[[files]]\n"
	       "kind = \"stdout\"\n"
	       "[[files]]\n"
	       "kind = \"stderr\"\n"
	       "\n"
	       "# Folders of the package, as the program sees them.\n"
	       "# [[mounts]]\n"
	       "# host = \"data\"\n"
	       "# guest = \"/data\"\n"
	       "# mode = \"ro\"\n"
	       "\n"
	       "[limits]\n"
	       "# memory = \"256 MiB\"\n"
	       "# time = 60           # seconds\n"
	       "# fuel = 1000000000   # instructions\n";
}
