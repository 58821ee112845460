/* SPDX-License-Identifier: Apache-2.0 */
#include "client/workload.h"

#include <errno.h>
#include <stdlib.h>

#include "client/network_priv.h"

static bool no_memory(struct err *e)
{
	return err_fail(e, ERR_LIMIT, "no memory");
}

static void strings_fini(struct client_strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->ptr[i]);
	free(s->ptr);
	*s = (struct client_strings){ 0 };
}

void client_workload_fini(struct client_workload *w)
{
	free(w->module);
	strings_fini(&w->args);
	strings_fini(&w->env);
	for (size_t i = 0; i < w->mount_count; i++) {
		free(w->mounts[i].host);
		free(w->mounts[i].guest);
	}
	free(w->mounts);
	strings_fini(&w->notes);
	client_workload_no_files(w);
	client_workload_no_rules(w, true);
	client_workload_no_rules(w, false);
	client_network_fini(w);
	*w = (struct client_workload){ 0 };
}

static bool check_string(const char *what, const char *text, struct err *e)
{
	if (strlen(text) > FRAME_MAX_STRING)
		return err_fail(e, ERR_LIMIT, "%s: longer than %d bytes", what,
			FRAME_MAX_STRING);
	return true;
}

/* Takes ownership of `text`. */
static bool strings_add(struct client_strings *s, char *text, const char *what,
	struct err *e)
{
	if (!text)
		return no_memory(e);
	if (s->count == FRAME_MAX_ARGS) {
		free(text);
		return err_fail(e, ERR_LIMIT, "%s: more than %d", what,
			FRAME_MAX_ARGS);
	}
	char **p = realloc(s->ptr, (s->count + 1) * sizeof *p);
	if (!p) {
		free(text);
		return no_memory(e);
	}
	s->ptr = p;
	s->ptr[s->count++] = text;
	return true;
}

bool client_workload_module(struct client_workload *w, const char *reference,
	struct err *e)
{
	char *copy = strdup(reference);
	if (!copy)
		return no_memory(e);
	free(w->module);
	w->module = copy;
	return true;
}

bool client_workload_arg(struct client_workload *w, const char *arg,
	struct err *e)
{
	return check_string("argument", arg, e) &&
		strings_add(&w->args, strdup(arg), "arguments", e);
}

void client_workload_no_args(struct client_workload *w)
{
	strings_fini(&w->args);
}

/* "KEY=value" from "KEY" and our own environment; NULL when it has none. */
static char *inherit(const char *key)
{
	const char *value = getenv(key);
	if (!value)
		return NULL;
	size_t k = strlen(key), v = strlen(value);
	char *pair = malloc(k + v + 2);
	if (!pair)
		return NULL;
	memcpy(pair, key, k);
	pair[k] = '=';
	memcpy(pair + k + 1, value, v + 1);
	return pair;
}

bool client_workload_env(struct client_workload *w, const char *text,
	struct err *e)
{
	size_t key = strcspn(text, "=");
	if (!key)
		return err_fail(e, ERR_INPUT, "environment: %s: want KEY=VALUE",
			text);
	char *pair = text[key] ? strdup(text) : inherit(text);
	if (!pair)
		return err_fail(e, ERR_INPUT,
			"environment: %s is not set here; give %s=VALUE", text,
			text);
	if (!check_string("environment", pair, e)) {
		free(pair);
		return false;
	}
	for (size_t i = 0; i < w->env.count; i++)
		if (!strncmp(w->env.ptr[i], pair, key + 1)) {
			free(w->env.ptr[i]);
			w->env.ptr[i] = pair;
			return true;
		}
	return strings_add(&w->env, pair, "environment", e);
}

/* The place of the separator between HOST and GUEST and its length; 0: not
 * there, or more than one way to read it. */
static size_t split(const char *text, size_t len, size_t *width)
{
	const char *p = strstr(text, "::");
	*width = 2;
	if (p && p + 2 <= text + len)
		return strstr(p + 1, "::") ? 0 : (size_t)(p - text);
	*width = 1;
	/* A relative name would be a mistyped mode. */
	p = memchr(text, ':', len);
	if (!p || p[1] != '/' ||
		memchr(p + 1, ':', len - (size_t)(p + 1 - text)))
		return 0;
	return (size_t)(p - text);
}

/* A ':' is more likely a mistyped mode than part of a name.  A relative name
 * is fine (programs compare names, "." is a common one); "." and ".." inside
 * one mean nothing where nothing is mounted yet. */
static bool guest_ok(const char *path)
{
	if (!path[0] || strlen(path) > FRAME_MAX_PATH || strchr(path, ':'))
		return false;
	if (!strcmp(path, "."))
		return true;
	for (const char *p = path; *p;) {
		p += *p == '/';
		size_t n = strcspn(p, "/");
		if ((n == 1 && p[0] == '.') ||
			(n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
	}
	return true;
}

static bool check_mount(const struct client_workload *w,
	const struct client_mount *m, const char *text, struct err *e)
{
	if (!m->host || !m->guest)
		return no_memory(e);
	if (!guest_ok(m->guest))
		return err_fail(e, ERR_INPUT,
			"%s: the Keep's side must be a path without ':', "
			"\".\" and \"..\"",
			text);
	for (size_t i = 0; i < w->mount_count; i++)
		if (!strcmp(w->mounts[i].guest, m->guest))
			return err_fail(e, ERR_INPUT,
				"%s: another directory is there", text);
	if (w->mount_count == FRAME_MAX_MOUNTS)
		return err_fail(e, ERR_LIMIT, "more than %d directories",
			FRAME_MAX_MOUNTS);
	return true;
}

/* Takes over what m owns. */
static bool add_mount(struct client_workload *w, struct client_mount m,
	const char *text, struct err *e)
{
	struct client_mount *p = NULL;
	if (check_mount(w, &m, text, e)) {
		p = realloc(w->mounts, (w->mount_count + 1) * sizeof *p);
		if (!p)
			err_put(e, ERR_LIMIT, "no memory");
	}
	if (!p) {
		free(m.host);
		free(m.guest);
		return false;
	}
	w->mounts = p;
	w->mounts[w->mount_count++] = m;
	return true;
}

bool client_workload_mount(struct client_workload *w, const char *host,
	const char *guest, bool writable, struct err *e)
{
	const struct client_mount m = { .host = strdup(host),
		.guest = strdup(guest),
		.writable = writable,
		.packaged = true };
	return add_mount(w, m, guest, e);
}

bool client_workload_folder(struct client_workload *w, const char *host,
	const char *guest, bool writable, bool scratch, struct err *e)
{
	const struct client_mount m = { .host = strdup(host),
		.guest = strdup(guest),
		.writable = writable || scratch,
		.scratch = scratch };
	return add_mount(w, m, guest, e);
}

static bool add_dir(struct client_workload *w, const char *text, bool out,
	struct err *e)
{
	size_t len = strlen(text), width;
	struct client_mount m = { .writable = out, .empty = out };
	if (!out && len > 3 && text[len - 3] == ':' && text[len - 2] == 'r' &&
		(text[len - 1] == 'o' || text[len - 1] == 'w')) {
		m.writable = text[len - 1] == 'w';
		len -= 3;
	}
	size_t at = split(text, len, &width);
	if (!at || at + width >= len)
		return err_fail(e, ERR_INPUT, "%s: want HOST::GUEST%s", text,
			out ? "" : ", HOST::GUEST:ro or HOST::GUEST:rw");
	while (len > at + width + 1 && text[len - 1] == '/')
		len--;
	m.host = strndup(text, at);
	m.guest = strndup(text + at + width, len - at - width);
	return add_mount(w, m, text, e);
}

bool client_workload_dir(struct client_workload *w, const char *text,
	struct err *e)
{
	return add_dir(w, text, false, e);
}

bool client_workload_out(struct client_workload *w, const char *text,
	struct err *e)
{
	return add_dir(w, text, true, e);
}

bool client_workload_time(struct client_workload *w, const char *seconds,
	struct err *e)
{
	char *end;
	errno = 0;
	double s = strtod(seconds, &end);
	if (end != seconds && *end == 's')
		end++;
	/* The comparison also refuses what is not a number. */
	if (end == seconds || *end || errno || !(s >= 1e-3 && s <= 1e9))
		return err_fail(e, ERR_INPUT,
			"%s: want seconds, 0.001 to 1000000000", seconds);
	w->time_ns = (uint64_t)(s * 1e9);
	return true;
}

bool client_workload_engine(struct client_workload *w, const char *name,
	struct err *e)
{
	w->interpret = !strcmp(name, "interp");
	return w->interpret || !strcmp(name, "auto") ||
		err_fail(e, ERR_INPUT, "%s: want \"auto\" or \"interp\"", name);
}

static bool parse_bytes(const char *text, uint64_t least, uint64_t *out,
	struct err *e)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	bool ok = text[0] >= '0' && text[0] <= '9' && !errno;
	while (*end == ' ')
		end++;
	const char *unit = *end ? strchr(units, *end) : NULL;
	uint64_t bytes = n;
	if (unit) {
		ok = ok &&
			!__builtin_mul_overflow(n,
				UINT64_C(1024) << (10 * (unit - units)),
				&bytes);
		end++;
	}
	if (!strcmp(end, "iB") || !strcmp(end, "B"))
		end += strlen(end);
	if (!ok || *end || bytes < least || bytes > UINT64_C(1) << 48)
		return err_fail(e, ERR_INPUT,
			"%s: want bytes, at least %llu KiB: 67108864, "
			"\"64MiB\"",
			text, (unsigned long long)least / 1024);
	*out = bytes;
	return true;
}

bool client_workload_memory(struct client_workload *w, const char *text,
	struct err *e)
{
	return parse_bytes(text, 65536, &w->memory_bytes, e);
}

bool client_workload_files_limit(struct client_workload *w, const char *text,
	struct err *e)
{
	return parse_bytes(text, 4096, &w->file_bytes, e);
}

bool client_workload_note(struct client_workload *w, const char *text,
	struct err *e)
{
	return strings_add(&w->notes, strdup(text), "notes", e);
}
