/* SPDX-License-Identifier: Apache-2.0 */
/* [[files]]: the program's descriptors in their order, and what is put into
 * its file system. */
#include <stdlib.h>

#include "client/config_priv.h"
#include "net/rule.h"

enum kind {
	KIND_NULL,
	KIND_STDIN,
	KIND_STDOUT,
	KIND_STDERR,
	KIND_DIR,
	KIND_LISTEN,
	KIND_CONNECT,
	KIND_FILE,
	KIND_SECRET,
	KINDS,
};
static const char *const kinds[KINDS] = { "null", "stdin", "stdout", "stderr",
	"dir", "listen", "connect", "file", "secret" };
static const char KINDS_TEXT[] =
	"null, stdin, stdout, stderr, listen, connect, dir, file or secret";

static bool required(struct toml_node *table, const char *key, const char *kind,
	const char **out, struct err *e)
{
	if (!config_text(table, key, out, e))
		return false;
	return *out ||
		err_fail(e, ERR_INPUT, "%s: kind \"%s\" wants %s",
			toml_where(table), kind, key);
}

/* --- sockets
 * ------------------------------------------------------------------ */

static bool read_prot(struct toml_node *n, struct client_file *f, struct err *e)
{
	const char *text;
	if (!config_text(n, "prot", &text, e))
		return false;
	f->prot = FRAME_PROT_TLS;
	if (!text || !strcmp(text, "tls"))
		return true;
	f->prot = FRAME_PROT_TCP;
	return !strcmp(text, "tcp") ||
		err_fail(e, ERR_INPUT,
			"%s: prot \"%s\", want \"tls\" or \"tcp\"",
			toml_where(toml_get(n, "prot")), text);
}

static bool read_terms(const struct config *c, struct toml_node *n,
	struct client_file *f, struct err *e)
{
	struct toml_node *own = toml_get(n, "tls");
	size_t profile, at = (size_t)(f - c->w->files);
	if (own && f->prot != FRAME_PROT_TLS)
		return err_fail(e, ERR_INPUT, "%s: tls beside prot \"tcp\"",
			toml_where(own));
	if (f->prot != FRAME_PROT_TLS)
		return true;
	if (!client_network_default(c->w, &profile, e))
		return false;
	if (own) {
		struct client_tls *t = client_workload_profile(c->w, e);
		if (!t || !config_profile(c, own, t, e))
			return false;
		profile = c->w->profile_count - 1;
	}
	c->w->files[at].profile = profile;
	return true;
}

static bool read_socket(const struct config *c, struct toml_node *n,
	struct client_file *f, struct err *e)
{
	int64_t port = 443;
	struct toml_node *p = toml_get(n, "port");
	if (!read_prot(n, f, e) ||
		(p && !toml_integer(p, 1, UINT16_MAX, &port, e)) ||
		!config_flag(n, "nonblock", &f->nonblock, e))
		return false;
	f->port = (uint16_t)port;
	return read_terms(c, n, f, e);
}

static bool read_listen(const struct config *c, struct toml_node *n,
	struct client_file *f, struct err *e)
{
	struct net_address a;
	const char *text, *name;
	if (!required(n, "name", "listen", &name, e) ||
		!config_text(n, "addr", &text, e))
		return false;
	if (text && !net_address_parse(bytes_str(text), &a))
		return err_fail(e, ERR_INPUT,
			"%s: addr \"%s\", want an address as in \"127.0.0.1\"",
			toml_where(toml_get(n, "addr")), text);
	bool any = !text || bytes_all_zero(BYTES_ARRAY(a.ip));
	if (!config_copy(any ? "" : text, &f->address, e))
		return false;
	return read_socket(c, n, f, e);
}

static bool read_connect(const struct config *c, struct toml_node *n,
	struct client_file *f, struct err *e)
{
	const char *host;
	if (!required(n, "host", "connect", &host, e))
		return false;
	if (!net_host_ok(bytes_str(host)))
		return err_fail(e, ERR_INPUT,
			"%s: host \"%.60s\", want a name or an address",
			toml_where(toml_get(n, "host")), host);
	return config_copy(host, &f->host, e) && read_socket(c, n, f, e);
}

/* --- the file system
 * ------------------------------------------------------------ */

static bool read_dir(const struct config *c, struct toml_node *n,
	struct client_file *f, struct err *e)
{
	const char *path, *source, *mode;
	char *host = NULL;
	size_t at = (size_t)(f - c->w->files);
	if (!required(n, "path", "dir", &path, e) ||
		!config_text(n, "source", &source, e) ||
		!config_text(n, "mode", &mode, e))
		return false;
	bool rw = mode && !strcmp(mode, "rw");
	bool scratch = mode && !strcmp(mode, "scratch");
	bool out = mode && !strcmp(mode, "out");
	rw |= out;
	if (mode && !rw && !scratch && strcmp(mode, "ro") != 0)
		return err_fail(e, ERR_INPUT,
			"%s: mode \"%s\", want \"ro\", \"rw\", \"out\" or "
			"\"scratch\"",
			toml_where(toml_get(n, "mode")), mode);
	if (rw && !source)
		return err_fail(e, ERR_INPUT,
			"%s: mode \"%s\" comes back to a source: name one, or "
			"say \"scratch\"",
			toml_where(n), mode);
	if (out && c->packaged && !config_not_packaged(c, n, e))
		return false;
	if (source && !c->packaged && !config_path(c, source, &host, e))
		return false;
	bool ok = config_at(toml_get(n, "path"),
		source && !c->packaged ?
			client_workload_folder(c->w, host, path, rw, scratch,
				e) :
			client_workload_mount(c->w, source ? source : "", path,
				rw || scratch, e),
		e);
	free(host);
	if (ok) {
		c->w->files[at].mount = c->w->mount_count - 1;
		c->w->mounts[c->w->mount_count - 1].empty = out;
	}
	return ok;
}

static bool item_path_ok(const char *path)
{
	size_t n = strlen(path);
	if (path[0] != '/' || path[n - 1] == '/' || n > FRAME_MAX_PATH)
		return false;
	for (const char *p = path; *p;) {
		size_t k = strcspn(++p, "/");
		if (!k || (k == 1 && p[0] == '.') ||
			(k == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += k;
	}
	return true;
}

static bool read_item(const struct config *c, struct toml_node *n, bool secret,
	struct err *e)
{
	const char *kind = secret ? "secret" : "file";
	const char *path, *source, *variable = NULL, *mode;
	struct client_item *x = client_workload_item(c->w, e);
	if (!x || !config_not_packaged(c, n, e) ||
		!required(n, "path", kind, &path, e) ||
		!config_text(n, "source", &source, e) ||
		!config_text(n, "env", &variable, e) ||
		!config_text(n, "mode", &mode, e))
		return false;
	if (!item_path_ok(path))
		return err_fail(e, ERR_INPUT,
			"%s: path \"%.60s\", want an absolute path of a file",
			toml_where(toml_get(n, "path")), path);
	if (mode && strcmp(mode, "ro") != 0)
		return err_fail(e, ERR_INPUT,
			"%s: mode \"%s\", want \"ro\": what is to be written "
			"is a dir",
			toml_where(toml_get(n, "mode")), mode);
	if (!source == !variable)
		return err_fail(e, ERR_INPUT,
			"%s: kind \"%s\" wants either source, a file, or env, a "
			"variable of yours",
			toml_where(n), kind);
	x->secret = secret;
	return config_copy(path, &x->guest, e) &&
		(source ? config_path(c, source, &x->source, e) :
			  config_copy(variable, &x->variable, e));
}

/* --- each
 * ------------------------------------------------------------------------ */

static bool read_kind(struct toml_node *file, enum kind *out, struct err *e)
{
	const char *text;
	struct toml_node *n = toml_get(file, "kind");
	if (!n)
		return err_fail(e, ERR_INPUT,
			"%s: [[files]] without a kind, want %s",
			toml_where(file), KINDS_TEXT);
	if (!toml_cstring(n, &text, e))
		return false;
	for (unsigned k = 0; k < KINDS; k++)
		if (!strcmp(text, kinds[k])) {
			*out = (enum kind)k;
			return true;
		}
	return err_fail(e, ERR_INPUT, "%s: kind \"%.40s\", want %s",
		toml_where(n), text, KINDS_TEXT);
}

static bool read_name(struct toml_node *n, enum kind kind,
	struct client_file *f, struct err *e)
{
	const char *text, *host = NULL;
	if (!config_text(n, "name", &text, e) ||
		(kind == KIND_CONNECT && !config_text(n, "host", &host, e)) ||
		(kind == KIND_DIR && !config_text(n, "path", &host, e)))
		return false;
	if (text && (!*text || strchr(text, ':')))
		return err_fail(e, ERR_INPUT,
			"%s: name \"%.40s\", want one without ':'",
			toml_where(toml_get(n, "name")), text);
	if (!text)
		text = host ? host : kinds[kind];
	return config_copy(text, &f->name, e);
}

static bool read_file(const struct config *c, struct toml_node *n,
	struct err *e)
{
	static const enum frame_fd_kind fds[] = { FRAME_FD_NULL, FRAME_FD_STDIN,
		FRAME_FD_STDOUT, FRAME_FD_STDERR, FRAME_FD_MOUNT,
		FRAME_FD_LISTEN, FRAME_FD_CONNECT };
	enum kind kind;
	if (!toml_expect(n, TOML_TABLE, e) || !read_kind(n, &kind, e))
		return false;
	if (kind >= KIND_FILE)
		return read_item(c, n, kind == KIND_SECRET, e) &&
			toml_no_more(n, e);
	struct client_file *f = client_workload_file(c->w, e);
	if (!f || !read_name(n, kind, f, e))
		return false;
	f->kind = fds[kind];
	if (kind == KIND_DIR && !read_dir(c, n, f, e))
		return false;
	if (kind == KIND_LISTEN && !read_listen(c, n, f, e))
		return false;
	if (kind == KIND_CONNECT && !read_connect(c, n, f, e))
		return false;
	return toml_no_more(n, e);
}

bool config_files(const struct config *c, struct toml_node *files,
	struct err *e)
{
	if (!toml_expect(files, TOML_ARRAY, e))
		return false;
	client_workload_no_files(c->w);
	for (size_t i = 0; i < toml_count(files); i++)
		if (!read_file(c, toml_at(files, i), e))
			return false;
	/* Files that are only put somewhere leave the streams as they are. */
	if (!c->w->file_count && toml_count(files))
		return true;
	while (c->w->file_count < 3) {
		struct client_file *f = client_workload_file(c->w, e);
		if (!f || !config_copy("null", &f->name, e))
			return false;
		f->kind = FRAME_FD_NULL;
	}
	return true;
}
