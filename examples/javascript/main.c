/* SPDX-License-Identifier: Apache-2.0 */
/*
 * javascript FILE [ARGUMENT...]: runs a script that finds `args`, env(NAME),
 * read(FILE) and print(TEXT...).
 */
#include <stdio.h>
#include <stdlib.h>

#include "duktape.h"

static duk_ret_t js_print(duk_context *ctx)
{
	duk_push_string(ctx, " ");
	duk_insert(ctx, 0);
	duk_join(ctx, duk_get_top(ctx) - 1);
	puts(duk_to_string(ctx, -1));
	return 0;
}

static duk_ret_t js_env(duk_context *ctx)
{
	const char *value = getenv(duk_require_string(ctx, 0));
	if (!value)
		return 0;
	duk_push_string(ctx, value);
	return 1;
}

static void push_file(duk_context *ctx, const char *path)
{
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;
	duk_idx_t parts = duk_get_top(ctx);
	if (!f)
		(void)duk_error(ctx, DUK_ERR_ERROR, "%s: can't be read", path);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		duk_push_lstring(ctx, part, n);
	fclose(f);
	duk_concat(ctx, duk_get_top(ctx) - parts);
}

static duk_ret_t js_read(duk_context *ctx)
{
	push_file(ctx, duk_require_string(ctx, 0));
	return 1;
}

static duk_ret_t run(duk_context *ctx, void *path)
{
	push_file(ctx, path);
	duk_push_string(ctx, path);
	duk_compile(ctx, 0);
	duk_call(ctx, 0);
	return 0;
}

int main(int argc, char **argv)
{
	duk_context *ctx = duk_create_heap_default();
	if (argc < 2 || !ctx)
		return 2;
	duk_push_array(ctx);
	for (int i = 2; i < argc; i++) {
		duk_push_string(ctx, argv[i]);
		duk_put_prop_index(ctx, -2, (duk_uarridx_t)(i - 2));
	}
	duk_put_global_string(ctx, "args");
	duk_push_c_function(ctx, js_print, DUK_VARARGS);
	duk_put_global_string(ctx, "print");
	duk_push_c_function(ctx, js_env, 1);
	duk_put_global_string(ctx, "env");
	duk_push_c_function(ctx, js_read, 1);
	duk_put_global_string(ctx, "read");
	int failed = duk_safe_call(ctx, run, argv[1], 0, 1);
	if (failed)
		fprintf(stderr, "%s\n", duk_safe_to_stacktrace(ctx, -1));
	duk_destroy_heap(ctx);
	return failed != 0;
}
