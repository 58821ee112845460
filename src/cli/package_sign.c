/* SPDX-License-Identifier: Apache-2.0 */
/* `donjon package`: sign, verify, yank, keygen. */
#include <stdio.h>

#include "cli/package.h"
#include "cli/say.h"
#include "repository/yank.h"

int cli_package_sign(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	uint8_t digest[32];
	char text[REPOSITORY_DIGEST_TEXT];
	bool added;
	if (!a->value[CLI_KEY])
		return cli_misuse("package sign", "wants --key FILE");
	bool ok = cli_repository_open(a, &c, &e) &&
		repository_sign(c.r, a->operands[0], a->value[CLI_KEY],
			a->annotations, a->annotation_count, digest, &added,
			&e);
	int status = cli_repository_close(&c, ok, &e);
	if (status || a->value[CLI_QUIET])
		return status;
	repository_digest_show(digest, text);
	printf("%s %s\n", added ? "signed" : "signed already", text);
	return cli_print(BYTES_NONE);
}

int cli_package_verify(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	uint8_t digest[32], signer[32] = { 0 };
	char text[REPOSITORY_DIGEST_TEXT], key[REPOSITORY_DIGEST_TEXT];
	if (!a->value[CLI_KEY] && !a->value[CLI_POLICY])
		return cli_misuse("package verify",
			"wants --key FILE or --policy FILE");
	bool ok = cli_repository_open(a, &c, &e) &&
		(!a->value[CLI_KEY] ||
			repository_trust_key(&c.trust, a->value[CLI_KEY],
				a->value[CLI_IDENTITY], &e)) &&
		repository_verify(c.r, a->operands[0], &c.trust, digest, signer,
			&e);
	int status = cli_repository_close(&c, ok, &e);
	if (status || a->value[CLI_QUIET])
		return status;
	repository_digest_show(digest, text);
	repository_digest_show(signer, key);
	printf("%s signed by key %s\n", text, key);
	return cli_print(BYTES_NONE);
}

int cli_package_yank(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	uint8_t digest[32];
	char text[REPOSITORY_DIGEST_TEXT];
	bool changed, undo = a->value[CLI_UNDO];
	if (undo && a->value[CLI_REASON])
		return cli_misuse("package yank", "--undo needs no --reason");
	bool ok = cli_repository_open(a, &c, &e) &&
		repository_yank(c.r, a->operands[0], a->value[CLI_REASON], undo,
			digest, &changed, &e);
	int status = cli_repository_close(&c, ok, &e);
	if (status || a->value[CLI_QUIET])
		return status;
	repository_digest_show(digest, text);
	printf("%s %s\n",
		undo ? changed ? "not yanked any more" : "not yanked" :
			changed ? "yanked" :
				  "yanked already",
		text);
	return cli_print(BYTES_NONE);
}

int cli_package_keygen(const struct cli_args *a)
{
	struct err e = { 0 };
	if (!repository_keygen(a->operands[0], &e))
		return cli_fail(&e);
	if (!a->value[CLI_QUIET])
		fprintf(stderr, "%s: keep it to yourself; give away %s.pub\n",
			a->operands[0], a->operands[0]);
	return 0;
}
