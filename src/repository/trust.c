/* SPDX-License-Identifier: Apache-2.0 */
/* [[signatures]] of a policy: who must have signed what. */
#include <fnmatch.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "codec/toml.h"
#include "repository/sign.h"

enum { MAX_KEY_FILE = 16 << 10 };

static bool read_key(struct repository_rule *rule, struct bytes pem,
	const char *where, struct err *e)
{
	if (rule->key_count == REPOSITORY_MAX_KEYS)
		return err_fail(e, ERR_LIMIT, "%s: more than %d keys", where,
			REPOSITORY_MAX_KEYS);
	if (!repository_key_parse(pem, &rule->keys[rule->key_count], e))
		return err_wrap(e, "%s", where);
	rule->key_count++;
	return true;
}

static bool read_key_file(struct repository_rule *rule, const char *path,
	struct err *e)
{
	auto_buf pem = { 0 };
	return repository_read_file(path, MAX_KEY_FILE, &pem, e) &&
		read_key(rule, buf_bytes(&pem), path, e);
}

/* PEM as it stands, or a file beside the policy. */
static bool read_one_key(struct repository_rule *rule,
	const struct toml_node *n, const char *file, struct err *e)
{
	const char *text, *slash = strrchr(file, '/');
	char path[1024];
	if (!toml_cstring(n, &text, e))
		return false;
	if (strstr(text, "-----BEGIN"))
		return read_key(rule, bytes_str(text), toml_where(n), e);
	fmt(path, sizeof path, "%.*s%s",
		slash && text[0] != '/' ? (int)(slash - file) + 1 : 0, file,
		text);
	return read_key_file(rule, path, e) || err_wrap(e, "%s", toml_where(n));
}

static bool read_keys(struct repository_rule *rule, struct toml_node *keys,
	const char *file, struct err *e)
{
	if (!toml_expect(keys, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(keys); i++)
		if (!read_one_key(rule, toml_at(keys, i), file, e))
			return false;
	return true;
}

static bool read_pattern(const struct toml_node *n, char out[256],
	struct err *e)
{
	const char *text;
	if (!toml_cstring(n, &text, e))
		return false;
	if (!*text || strlen(text) > 255)
		return err_fail(e, ERR_INPUT, "%s: not a pattern of names",
			toml_where(n));
	fmt(out, 256, "%s", text);
	return true;
}

static bool read_rule(struct repository_rule *rule, struct toml_node *table,
	const char *file, struct err *e)
{
	if (!toml_expect(table, TOML_TABLE, e))
		return false;
	struct toml_node *name = toml_get(table, "name");
	struct toml_node *identity = toml_get(table, "identity");
	struct toml_node *keys = toml_get(table, "keys");
	struct toml_node *un = toml_get(table, "unsigned");
	if (!name)
		return err_fail(e, ERR_INPUT,
			"%s: [[signatures]] without a "
			"name",
			toml_where(table));
	if (!read_pattern(name, rule->name, e) ||
		(identity && !read_pattern(identity, rule->identity, e)) ||
		(keys && !read_keys(rule, keys, file, e)) ||
		(un && !toml_bool(un, &rule->unsigned_, e)) ||
		!toml_no_more(table, e))
		return false;
	if (rule->unsigned_ == (rule->key_count > 0))
		return err_fail(e, ERR_INPUT,
			"%s: [[signatures]] wants keys, or unsigned = true",
			toml_where(table));
	return true;
}

bool repository_trust_parse(struct bytes toml, const char *file,
	struct repository_trust *out, struct err *e)
{
	struct toml_doc *d;
	struct repository_trust t = { 0 };
	if (!toml_parse(toml, file, &d, e))
		return false;
	struct toml_node *list = toml_get(toml_root(d), "signatures");
	bool ok = !list || toml_expect(list, TOML_ARRAY, e);
	size_t n = ok && list ? toml_count(list) : 0;
	if (ok && n > REPOSITORY_MAX_RULES)
		ok = err_fail(e, ERR_LIMIT, "%s: more than %d [[signatures]]",
			file, REPOSITORY_MAX_RULES);
	/* Two more: repository_trust_key's, and an empty one at the end. */
	t.rules = ok ? calloc(n + 2, sizeof *t.rules) : NULL;
	if (ok && !t.rules)
		ok = err_fail(e, ERR_LIMIT, "no memory");
	for (; ok && t.count < n; t.count++)
		ok = read_rule(&t.rules[t.count], toml_at(list, t.count), file,
			e);
	toml_free(d);
	if (ok)
		*out = t;
	else
		repository_trust_fini(&t);
	return ok;
}

bool repository_trust_key(struct repository_trust *t, const char *key_file,
	const char *identity, struct err *e)
{
	if (!t->rules)
		t->rules = calloc(2, sizeof *t->rules);
	if (!t->rules)
		return err_fail(e, ERR_LIMIT, "no memory");
	memmove(t->rules + 1, t->rules, t->count * sizeof *t->rules);
	t->count++;
	t->rules[0] = (struct repository_rule){ .name = "*" };
	if (identity)
		fmt(t->rules[0].identity, sizeof t->rules[0].identity, "%s",
			identity);
	return read_key_file(&t->rules[0], key_file, e);
}

void repository_trust_fini(struct repository_trust *t)
{
	/* A rule that failed half-way is not counted, but has keys. */
	for (size_t i = 0; t->rules && i <= t->count; i++) {
		for (size_t k = 0; k < t->rules[i].key_count; k++)
			crypto_key_free(t->rules[i].keys[k]);
		if (i == t->count || !t->rules[i].name[0])
			break;
	}
	free(t->rules);
	*t = (struct repository_trust){ 0 };
}

const struct repository_rule *repository_trust_find(
	const struct repository_trust *t, const char *name, bool *refused)
{
	*refused = false;
	if (!t || !t->count)
		return NULL;
	for (size_t i = 0; i < t->count; i++)
		if (!fnmatch(t->rules[i].name, name, 0))
			return &t->rules[i];
	*refused = true;
	return NULL;
}
