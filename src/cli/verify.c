/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"
#include "client/examine.h"
#include "client/paths.h"
#include "client/receipt.h"

static int finish(const struct cli_args *a, struct buf *out, bool accepted)
{
	if (a->value[CLI_JSON])
		buf_str(out, "\n");
	int status = cli_print(buf_bytes(out));
	return status || accepted ? status : ERR_STATUS(ERR_DENIED);
}

static int receipt(const struct cli_args *a)
{
	struct err e = { 0 };
	auto_buf out = { 0 };
	bool accepted;
	if (!client_receipt_check(a->operands[1], a->value[CLI_POLICY],
		    a->value[CLI_IMAGES], a->value[CLI_JSON], &out, &accepted,
		    &e))
		return cli_fail(&e);
	return finish(a, &out, accepted);
}

int cli_verify(const struct cli_args *a)
{
	char cache[CLIENT_PATH_MAX];
	struct err e = { 0 };
	auto_buf out = { 0 };
	bool accepted;
	struct client_examination x = {
		.subject = a->operands[0],
		.endorsements = a->endorsements,
		.endorsement_count = a->endorsement_count,
		.policy = a->value[CLI_POLICY],
		.images = a->value[CLI_IMAGES],
		.time = a->value[CLI_TIME],
		.report_data = a->value[CLI_REPORT_DATA],
		.json = a->value[CLI_JSON],
		.padded = a->value[CLI_PADDED],
		.cache = a->value[CLI_CACHE],
	};
	if (a->operand_count == 2)
		return strcmp(a->operands[0], "receipt") ?
			cli_misuse("verify",
				"wants FILE, HOST:PORT or "
				"receipt FILE") :
			receipt(a);
	/* Who has no home has no cache. */
	if (!x.cache && client_path_collateral(cache, NULL))
		x.cache = cache;
	if (!client_examine(&x, &out, &accepted, &e))
		return cli_fail(&e);
	return finish(a, &out, accepted);
}
