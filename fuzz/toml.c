/* SPDX-License-Identifier: Apache-2.0 */
/* Walks whatever was accepted with every accessor. */
#include "codec/toml.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_DEPTH = 65 };

static void look(struct toml_node *n)
{
	struct bytes s;
	const char *c;
	int64_t i;
	bool b;
	struct err e = { 0 };
	must(toml_where(n)[0]);
	bool ok = toml_string(n, &s, NULL) || toml_integer(n, 0, 9, &i, NULL);
	ok = toml_bool(n, &b, NULL) || toml_cstring(n, &c, NULL) || ok;
	if (!ok && toml_kind(n) == TOML_TABLE && toml_count(n))
		must(!toml_no_more(n, &e) && e.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct toml_doc *d;
	struct err e = { 0 };
	if (!toml_parse(bytes_of(data, size), "f", &d, &e)) {
		must(e.kind != ERR_NONE && e.text[0]);
		return 0;
	}
	struct toml_node *path[MAX_DEPTH + 1] = { toml_root(d) };
	size_t next[MAX_DEPTH + 1] = { 0 };
	look(path[0]);
	for (size_t depth = 0;;) {
		if (next[depth] < toml_count(path[depth])) {
			must(depth < MAX_DEPTH);
			path[depth + 1] = toml_at(path[depth], next[depth]++);
			next[++depth] = 0;
			look(path[depth]);
		} else if (depth-- == 0) {
			break;
		}
	}
	toml_free(d);
	return 0;
}
