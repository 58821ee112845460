/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fmt.h"
#include "codec/toml.h"
#include "repository/package.h"
#include "repository/path.h"

static bool read_module(struct toml_node *n, struct repository_recipe *r,
	struct err *e)
{
	const char *text;
	if (!toml_cstring(n, &text, e))
		return false;
	if (!repository_path_ok(bytes_str(text), e) ||
		strlen(text) >= sizeof r->module)
		return err_fail(e, ERR_INPUT,
			"%s: module must be a path below the package",
			toml_where(n));
	fmt(r->module, sizeof r->module, "%s", text);
	return true;
}

static bool read_mount(struct toml_node *mount, struct repository_recipe *r,
	struct err *e)
{
	const char *text;
	if (!toml_expect(mount, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(mount, "host");
	/* Without one the folder is empty: nothing of the package. */
	if (!n)
		return true;
	if (!toml_cstring(n, &text, e))
		return false;
	if (!repository_path_ok(bytes_str(text), e))
		return err_fail(e, ERR_INPUT,
			"%s: host must be a folder below the package",
			toml_where(n));
	r->folder_count++;
	return buf_put(&r->folders, bytes_of(text, strlen(text) + 1)) ||
		err_fail(e, ERR_LIMIT, "no memory");
}

/* A folder of [[files]], which the program gets as a descriptor. */
static bool read_file(struct toml_node *file, struct repository_recipe *r,
	struct err *e)
{
	const char *kind = "", *text;
	if (!toml_expect(file, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(file, "kind");
	if (n && !toml_cstring(n, &kind, e))
		return false;
	n = toml_get(file, "source");
	if (strcmp(kind, "dir") != 0 || !n)
		return true;
	if (!toml_cstring(n, &text, e))
		return false;
	if (!repository_path_ok(bytes_str(text), e))
		return err_fail(e, ERR_INPUT,
			"%s: source must be a folder below the package",
			toml_where(n));
	r->folder_count++;
	return buf_put(&r->folders, bytes_of(text, strlen(text) + 1)) ||
		err_fail(e, ERR_LIMIT, "no memory");
}

static bool read_files(struct toml_node *root, struct repository_recipe *r,
	struct err *e)
{
	struct toml_node *n = toml_get(root, "files");
	if (!n)
		return true;
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(n); i++)
		if (!read_file(toml_at(n, i), r, e))
			return false;
	return true;
}

static bool read_root(struct toml_node *root, struct repository_recipe *r,
	struct err *e)
{
	struct toml_node *n = toml_get(root, "module");
	if (n && !read_module(n, r, e))
		return false;
	if (!read_files(root, r, e))
		return false;
	n = toml_get(root, "mounts");
	if (!n)
		return true;
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(n); i++)
		if (!read_mount(toml_at(n, i), r, e))
			return false;
	return true;
}

bool repository_recipe_parse(struct bytes toml, const char *file,
	struct repository_recipe *out, struct err *e)
{
	struct toml_doc *d;
	struct repository_recipe r = { 0 };
	if (!toml_parse(toml, file, &d, e))
		return false;
	bool ok = read_root(toml_root(d), &r, e);
	toml_free(d);
	if (ok)
		*out = r;
	else
		buf_fini(&r.folders);
	return ok;
}
