/* SPDX-License-Identifier: Apache-2.0 */
#include "client/verify.h"
#include "cli/say.h"

int cli_verify(const struct cli_args *a)
{
	struct err e = { 0 };
	auto_buf out = { 0 };
	bool accepted;
	if (!client_verify_file(a->operands[0], a->value[CLI_POLICY],
		    a->value[CLI_IMAGES], a->value[CLI_JSON], &out, &accepted,
		    &e))
		return cli_fail(&e);
	if (a->value[CLI_JSON])
		buf_str(&out, "\n");
	int status = cli_print(buf_bytes(&out));
	return status || accepted ? status : ERR_STATUS(ERR_DENIED);
}
