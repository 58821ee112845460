/* SPDX-License-Identifier: Apache-2.0 */
/* [network] and [tls]. */
#include <stdlib.h>

#include "client/config_priv.h"
#include "codec/hex.h"

enum { HASH = 32 };

/* --- [network]
 * -------------------------------------------------------------------- */

static bool read_rules(const struct config *c, struct toml_node *table,
	const char *key, bool connect, struct err *e)
{
	struct toml_node *list = toml_get(table, key);
	if (!list)
		return true;
	if (!toml_expect(list, TOML_ARRAY, e))
		return false;
	client_workload_no_rules(c->w, connect);
	for (size_t i = 0; i < toml_count(list); i++) {
		struct toml_node *n = toml_at(list, i);
		const char *text;
		if (!toml_cstring(n, &text, e) ||
			!config_at(n,
				client_workload_allow(c->w, connect, text, e),
				e))
			return false;
	}
	return true;
}

bool config_network(const struct config *c, struct toml_node *n, struct err *e)
{
	return toml_expect(n, TOML_TABLE, e) &&
		read_rules(c, n, "connect", true, e) &&
		read_rules(c, n, "listen", false, e) && toml_no_more(n, e);
}

/* --- [tls]
 * -------------------------------------------------------------------------- */

/* A list in place of what `out` had. */
static bool begin_list(struct toml_node *list, int most, struct buf *out,
	struct err *e)
{
	if (!toml_expect(list, TOML_ARRAY, e))
		return false;
	buf_clear(out);
	return toml_count(list) <= (size_t)most ||
		err_fail(e, ERR_LIMIT, "%s: more than %d", toml_where(list),
			most);
}

/* Hashes of 64 hex digits, one after the other; unchanged without the key. */
static bool read_hashes(struct toml_node *table, const char *key,
	struct buf *out, struct err *e)
{
	struct toml_node *list = toml_get(table, key);
	uint8_t raw[HASH];
	struct bytes text;
	if (!list)
		return true;
	if (!begin_list(list, FRAME_MAX_PINS, out, e))
		return false;
	for (size_t i = 0; i < toml_count(list); i++) {
		struct toml_node *n = toml_at(list, i);
		if (!toml_string(n, &text, e))
			return false;
		if (!hex_decode(text, raw, HASH, NULL))
			return err_fail(e, ERR_INPUT,
				"%s: want 64 hex digits, the SHA-256 of a "
				"public key",
				toml_where(n));
		if (!buf_put(out, BYTES_ARRAY(raw)))
			return err_fail(e, ERR_LIMIT, "no memory");
	}
	return true;
}

static bool read_alpn(struct toml_node *table, struct buf *out, struct err *e)
{
	struct toml_node *list = toml_get(table, "alpn");
	struct bytes text;
	if (!list)
		return true;
	if (!begin_list(list, FRAME_MAX_ALPN, out, e))
		return false;
	for (size_t i = 0; i < toml_count(list); i++) {
		struct toml_node *n = toml_at(list, i);
		if (!toml_string(n, &text, e))
			return false;
		if (!text.len || text.len > UINT8_MAX)
			return err_fail(e, ERR_INPUT,
				"%s: want the name of a protocol, as in "
				"\"http/1.1\"",
				toml_where(n));
		if (!buf_u8(out, (uint8_t)text.len) || !buf_put(out, text))
			return err_fail(e, ERR_LIMIT, "no memory");
	}
	return true;
}

/* A file, or PEM that stands here; unchanged without the key. */
static bool read_pem(const struct config *c, struct toml_node *table,
	const char *key, char **out, struct err *e)
{
	const char *text;
	struct toml_node *n = toml_get(table, key);
	if (!n)
		return true;
	if (!toml_cstring(n, &text, e))
		return false;
	free(*out);
	*out = NULL;
	if (!strncmp(text, "-----BEGIN ", 11))
		return config_copy(text, out, e);
	return config_not_packaged(c, n, e) && config_path(c, text, out, e);
}

static bool read_auth(struct toml_node *table, struct client_tls *t,
	struct err *e)
{
	const char *text;
	if (!config_text(table, "client_auth", &text, e))
		return false;
	if (!text)
		return true;
	t->require = !strcmp(text, "require");
	t->request = t->require || !strcmp(text, "request");
	return t->request || !strcmp(text, "none") ||
		err_fail(e, ERR_INPUT,
			"%s: client_auth \"%.40s\", want \"none\", \"request\" "
			"or \"require\"",
			toml_where(toml_get(table, "client_auth")), text);
}

/* true, a policy's file, or { policy, owners }. */
static bool read_attested(const struct config *c, struct toml_node *table,
	struct client_tls *t, struct err *e)
{
	const char *policy = "";
	struct toml_node *n = toml_get(table, "require_attested");
	if (!n)
		return true;
	t->attested = true;
	if (toml_kind(n) == TOML_BOOL) {
		if (!toml_bool(n, &t->attested, e))
			return false;
	} else if (toml_kind(n) == TOML_TABLE) {
		if (!config_text(n, "policy", &policy, e) ||
			!read_hashes(n, "owners", &t->owners, e) ||
			!toml_no_more(n, e))
			return false;
	} else if (!toml_cstring(n, &policy, e)) {
		return false;
	}
	free(t->policy);
	t->policy = NULL;
	if (!policy || !*policy)
		return config_copy("", &t->policy, e);
	return config_not_packaged(c, n, e) &&
		config_path(c, policy, &t->policy, e);
}

bool config_profile(const struct config *c, struct toml_node *n,
	struct client_tls *t, struct err *e)
{
	free(t->where);
	free(t->folder);
	t->where = t->folder = NULL;
	if (!toml_expect(n, TOML_TABLE, e) ||
		!config_copy(toml_where(n), &t->where, e) ||
		!config_copy(c->folder, &t->folder, e) ||
		!read_pem(c, n, "ca", &t->ca, e) ||
		!read_pem(c, n, "certificate", &t->certificate, e) ||
		!read_pem(c, n, "key", &t->key, e) ||
		!read_hashes(n, "pins", &t->pins, e) ||
		!read_alpn(n, &t->alpn, e) || !read_auth(n, t, e) ||
		!read_attested(c, n, t, e))
		return false;
	if (!t->certificate != !t->key)
		return err_fail(e, ERR_INPUT,
			"%s: certificate and key belong together",
			toml_where(n));
	if (t->request && !t->ca && !t->pins.len && !t->attested)
		return err_fail(e, ERR_INPUT,
			"%s: client_auth wants ca, pins or require_attested "
			"to know good clients by",
			toml_where(n));
	return toml_no_more(n, e);
}

bool config_tls(const struct config *c, struct toml_node *n, struct err *e)
{
	size_t profile;
	return client_network_default(c->w, &profile, e) &&
		config_profile(c, n, &c->w->profiles[profile], e);
}
