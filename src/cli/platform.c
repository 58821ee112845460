/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"
#include "cli/say.h"
#include "client/list.h"

int cli_platform_info(const struct cli_args *a)
{
	const struct client_host host = { .url = cli_host(a),
		.ca_file = a->value[CLI_HOST_CA],
		.token_file = a->value[CLI_TOKEN_FILE] };
	struct err e = { 0 };
	auto_buf out = { 0 };
	if (!client_list_platform(&host, a->value[CLI_IMAGES],
		    a->value[CLI_JSON], &out, &e))
		return cli_fail(&e);
	return cli_print(buf_bytes(&out));
}
