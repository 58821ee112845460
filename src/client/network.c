/* SPDX-License-Identifier: Apache-2.0 */
/* A workload's descriptors, rules and TLS profiles. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "client/network_priv.h"
#include "net/rule.h"

/* --- lists ---------------------------------------------------------------- */

/* Room for one more, zeroed; the old place is the new one's first part. */
static void *grow(void *list, size_t *count, size_t most, size_t each,
	const char *what, struct err *e)
{
	if (*count == most) {
		err_put(e, ERR_LIMIT, "more than %zu %s", most, what);
		return NULL;
	}
	uint8_t *p = realloc(list, (*count + 1) * each);
	if (!p) {
		err_put(e, ERR_LIMIT, "no memory");
		return NULL;
	}
	memset(p + *count * each, 0, each);
	++*count;
	return p;
}

struct client_file *client_workload_file(struct client_workload *w,
	struct err *e)
{
	struct client_file *p = grow(w->files, &w->file_count, FRAME_MAX_FDS,
		sizeof *p, "descriptors", e);
	if (!p)
		return NULL;
	w->files = p;
	return &p[w->file_count - 1];
}

struct client_item *client_workload_item(struct client_workload *w,
	struct err *e)
{
	struct client_item *p = grow(w->items, &w->item_count, 4096, sizeof *p,
		"single files", e);
	if (!p)
		return NULL;
	w->items = p;
	return &p[w->item_count - 1];
}

struct client_rule *client_workload_rule(struct client_workload *w,
	bool connect, struct err *e)
{
	struct client_rule **list = connect ? &w->connects : &w->listens;
	size_t *count = connect ? &w->connect_count : &w->listen_count;
	struct client_rule *p =
		grow(*list, count, FRAME_MAX_RULES, sizeof *p, "rules", e);
	if (!p)
		return NULL;
	*list = p;
	return &p[*count - 1];
}

struct client_tls *client_workload_profile(struct client_workload *w,
	struct err *e)
{
	struct client_tls *p = grow(w->profiles, &w->profile_count,
		FRAME_MAX_PROFILES, sizeof *p, "kinds of TLS", e);
	if (!p)
		return NULL;
	w->profiles = p;
	return &p[w->profile_count - 1];
}

bool client_network_default(struct client_workload *w, size_t *profile,
	struct err *e)
{
	*profile = 0;
	return w->profile_count || client_workload_profile(w, e);
}

void client_workload_no_files(struct client_workload *w)
{
	for (size_t i = 0; i < w->file_count; i++) {
		free(w->files[i].name);
		free(w->files[i].host);
		free(w->files[i].address);
	}
	free(w->files);
	w->files = NULL;
	w->file_count = 0;
	for (size_t i = 0; i < w->item_count; i++) {
		free(w->items[i].guest);
		free(w->items[i].source);
		free(w->items[i].variable);
	}
	free(w->items);
	w->items = NULL;
	w->item_count = 0;
}

void client_workload_no_rules(struct client_workload *w, bool connect)
{
	struct client_rule **list = connect ? &w->connects : &w->listens;
	size_t *count = connect ? &w->connect_count : &w->listen_count;
	for (size_t i = 0; i < *count; i++)
		free((*list)[i].host);
	free(*list);
	*list = NULL;
	*count = 0;
}

void client_network_fini(struct client_workload *w)
{
	for (size_t i = 0; i < w->profile_count; i++) {
		struct client_tls *t = &w->profiles[i];
		/* A key may stand in the configuration itself. */
		if (t->key)
			explicit_bzero(t->key, strlen(t->key));
		free(t->where);
		free(t->folder);
		free(t->ca);
		free(t->certificate);
		free(t->key);
		free(t->policy);
		buf_fini(&t->pins);
		buf_fini(&t->alpn);
		buf_fini(&t->owners);
		buf_fini(&t->trust);
		buf_fini(&t->chain);
		buf_wipe(&t->pkcs8);
		buf_fini(&t->policy_wire);
	}
	free(w->profiles);
	w->profiles = NULL;
	w->profile_count = 0;
}

/* --- small languages --------------------------------------------------------
 */

const char *client_network_scheme(const char *text, enum frame_prot *prot)
{
	if (!strncmp(text, "tls://", 6))
		*prot = FRAME_PROT_TLS;
	else if (!strncmp(text, "tcp://", 6))
		*prot = FRAME_PROT_TCP;
	else
		return text;
	return text + 6;
}

bool client_network_ports(const char *text, uint16_t *first, uint16_t *last)
{
	char *end;
	if (!strcmp(text, "*")) {
		*first = 1;
		*last = UINT16_MAX;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	unsigned long a = strtoul(text, &end, 10), b = a;
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		b = strtoul(end + 1, &end, 10);
	if (*end || !a || a > b || b > UINT16_MAX)
		return false;
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return true;
}

static bool no_memory(struct err *e)
{
	return err_fail(e, ERR_LIMIT, "no memory");
}

bool client_workload_streams(struct client_workload *w, struct err *e)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	for (size_t i = w->file_count; i < ARRAY_LEN(names); i++) {
		struct client_file *f = client_workload_file(w, e);
		if (!f)
			return false;
		f->kind = (enum frame_fd_kind)(FRAME_FD_STDIN + i);
		f->name = strdup(names[i]);
		if (!f->name)
			return no_memory(e);
	}
	return true;
}

/* "NAME=", if it is there, and the scheme; what is left is returned. */
static const char *begin(struct client_workload *w, const char *text,
	enum frame_fd_kind kind, const char *name, struct client_file **out,
	struct err *e)
{
	const char *equal = strchr(text, '=');
	struct client_file *f = NULL;
	size_t profile;
	if (!client_network_default(w, &profile, e) ||
		!client_workload_streams(w, e))
		return NULL;
	f = client_workload_file(w, e);
	if (!f)
		return NULL;
	f->kind = kind;
	f->prot = FRAME_PROT_TLS;
	f->profile = profile;
	f->name = equal ? strndup(text, (size_t)(equal - text)) : strdup(name);
	*out = f;
	if (!f->name || strchr(f->name, ':')) {
		err_put(e, ERR_INPUT, "%s: a name has no ':'", text);
		return NULL;
	}
	return client_network_scheme(equal ? equal + 1 : text, &f->prot);
}

bool client_workload_listen(struct client_workload *w, const char *text,
	struct err *e)
{
	struct client_file *f;
	struct net_address any;
	const char *rest = begin(w, text, FRAME_FD_LISTEN, "listen", &f, e);
	if (!rest)
		return false;
	if (!net_endpoint_parse(rest, &any, &f->port, e))
		return err_fail(e, ERR_INPUT,
			"%s: want [NAME=][tls://|tcp://][ADDRESS:]PORT", text);
	const char *colon = strrchr(rest, ':');
	f->address = strndup(rest, colon ? (size_t)(colon - rest) : 0);
	return f->address || no_memory(e);
}

bool client_workload_connect(struct client_workload *w, const char *text,
	struct err *e)
{
	struct client_file *f;
	uint16_t last;
	const char *rest = begin(w, text, FRAME_FD_CONNECT, "connect", &f, e);
	if (!rest)
		return false;
	const char *colon = strrchr(rest, ':');
	size_t n = colon ? (size_t)(colon - rest) : 0;
	if (n > 2 && rest[0] == '[' && rest[n - 1] == ']') {
		rest++;
		n -= 2;
	}
	if (!net_host_ok(bytes_of(rest, n)) ||
		!client_network_ports(colon + 1, &f->port, &last) ||
		f->port != last)
		return err_fail(e, ERR_INPUT,
			"%s: want [NAME=][tls://|tcp://]HOST:PORT", text);
	f->host = strndup(rest, n);
	return f->host || no_memory(e);
}

static bool add_rule(struct client_workload *w, bool connect, struct bytes host,
	const struct client_rule *like, struct err *e)
{
	struct client_rule *r = client_workload_rule(w, connect, e);
	if (!r)
		return false;
	*r = *like;
	r->host = strndup((const char *)host.ptr, host.len);
	return r->host || no_memory(e);
}

static bool allow_connect(struct client_workload *w, const char *text,
	struct client_rule *like, struct err *e)
{
	static const char *const all[] = { "*", "0.0.0.0/0", "::/0" };
	struct net_rule r;
	if (!net_rule_parse(text, &r, e))
		return false;
	like->first = r.first;
	like->last = r.last;
	if (r.kind != NET_RULE_ANY) {
		size_t n = (size_t)(strrchr(text, ':') - text);
		bool six = text[0] == '[';
		struct bytes host = bytes_of(text, n);
		auto_buf plain = { 0 };
		/* Brackets, which an ADDRESS/BITS has in its middle, go. */
		for (size_t i = 0; i < host.len; i++)
			if (!six || (text[i] != '[' && text[i] != ']'))
				buf_u8(&plain, host.ptr[i]);
		return buf_ok(&plain) ?
			add_rule(w, true, buf_bytes(&plain), like, e) :
			no_memory(e);
	}
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!add_rule(w, true, bytes_str(all[i]), like, e))
			return false;
	return true;
}

bool client_workload_allow(struct client_workload *w, bool connect,
	const char *text, struct err *e)
{
	struct client_rule like = { .prot = FRAME_PROT_TCP };
	const char *rest = client_network_scheme(text, &like.prot);
	if (like.prot == FRAME_PROT_TLS &&
		!client_network_default(w, &like.profile, e))
		return false;
	if (connect)
		return allow_connect(w, rest, &like, e);
	if (!client_network_ports(rest, &like.first, &like.last))
		return err_fail(e, ERR_INPUT,
			"%s: want [tls://|tcp://]PORT, FIRST-LAST or *", text);
	return add_rule(w, false, BYTES_LIT(""), &like, e);
}

bool client_workload_connects(const struct client_workload *w)
{
	bool any = w->connect_count;
	for (size_t i = 0; i < w->file_count; i++)
		any |= w->files[i].kind == FRAME_FD_CONNECT;
	return any;
}

/* --- settling
 * ----------------------------------------------------------------- */

/* The length of a mount's name that the path is below; 0: it is not. */
static size_t covers(const char *mount, const char *path)
{
	size_t n = strlen(mount);
	if (!strcmp(mount, "/"))
		return path[0] == '/';
	if (strncmp(mount, path, n) != 0 || path[n] != '/')
		return 0;
	return n + 1;
}

/* Below the mount whose name is longest, or one of its own. */
static bool settle_item(struct client_workload *w, struct client_item *x,
	struct err *e)
{
	size_t best = 0, n;
	for (size_t i = 0; i < w->mount_count; i++) {
		n = covers(w->mounts[i].guest, x->guest);
		if (n > best) {
			best = n;
			x->mount = i;
		}
	}
	if (!best) {
		char *slash = strrchr(x->guest, '/');
		auto_free char *parent = strndup(x->guest,
			slash == x->guest ? 1 : (size_t)(slash - x->guest));
		if (!parent)
			return no_memory(e);
		if (!client_workload_mount(w, "", parent, false, e))
			return false;
		x->mount = w->mount_count - 1;
		best = covers(parent, x->guest);
	}
	const struct client_mount *m = &w->mounts[x->mount];
	if (x->secret && m->writable && !m->packaged)
		return err_fail(e, ERR_INPUT,
			"%s: a secret below %s would come back with it",
			x->guest, m->guest);
	x->path = x->guest + best;
	return true;
}

static bool has_file(const struct client_workload *w, size_t mount)
{
	for (size_t i = 0; i < w->file_count; i++)
		if (w->files[i].kind == FRAME_FD_MOUNT &&
			w->files[i].mount == mount)
			return true;
	return false;
}

/* Mounts that no [[files]] named come behind all others. */
static bool settle_mounts(struct client_workload *w, struct err *e)
{
	for (size_t i = 0; i < w->mount_count; i++) {
		if (has_file(w, i))
			continue;
		struct client_file *f = client_workload_file(w, e);
		if (!f)
			return false;
		f->kind = FRAME_FD_MOUNT;
		f->mount = i;
		f->name = strdup(w->mounts[i].guest);
		if (!f->name)
			return no_memory(e);
	}
	return true;
}

static bool has_variable(const struct client_workload *w, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < w->env.count; i++)
		if (!strncmp(w->env.ptr[i], name, n) && w->env.ptr[i][n] == '=')
			return true;
	return false;
}

/* As Enarx tells its programs. */
static bool settle_names(struct client_workload *w, struct err *e)
{
	auto_buf count = { 0 }, names = { 0 };
	buf_fmt(&count, "FD_COUNT=%zu", w->file_count);
	buf_str(&names, "FD_NAMES=");
	for (size_t i = 0; i < w->file_count; i++)
		buf_fmt(&names, "%s%s", i ? ":" : "", w->files[i].name);
	if (!buf_ok(&count) || !buf_ok(&names))
		return no_memory(e);
	return (has_variable(w, "FD_COUNT") ||
		       client_workload_env(w, buf_cstr(&count), e)) &&
		(has_variable(w, "FD_NAMES") ||
			client_workload_env(w, buf_cstr(&names), e));
}

bool client_workload_settle(struct client_workload *w, struct err *e)
{
	bool listed = w->file_count;
	for (size_t i = 0; i < w->item_count; i++)
		if (!settle_item(w, &w->items[i], e))
			return false;
	/* Rules need descriptors to stand beside. */
	if (!listed && !w->connect_count && !w->listen_count)
		return true;
	return client_workload_streams(w, e) && settle_mounts(w, e) &&
		(!listed || settle_names(w, e));
}
