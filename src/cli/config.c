/* SPDX-License-Identifier: Apache-2.0 */
#include "client/config.h"

#include <stdio.h>

#include "cli/say.h"

int cli_config_init(const struct cli_args *a)
{
	const char *path = a->operand_count ? a->operands[0] : "Donjon.toml";
	const char *text = client_config_template();
	return cli_write_new(a, path, bytes_of(text, strlen(text)));
}

int cli_config_check(const struct cli_args *a)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	bool ok = client_config_read(a->operands[0], &w, &e) &&
		client_workload_settle(&w, &e);
	for (size_t i = 0; ok && i < w.notes.count && !a->value[CLI_QUIET]; i++)
		fprintf(stderr, "%s: note: %s\n", a->operands[0],
			w.notes.ptr[i]);
	client_workload_fini(&w);
	if (!ok)
		return cli_fail(&e);
	if (!a->value[CLI_QUIET])
		fprintf(stderr, "%s: a good configuration\n", a->operands[0]);
	return 0;
}
