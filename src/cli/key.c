/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/say.h"
#include "client/enclave.h"
#include "client/sealed.h"

static int wrong(void)
{
	struct err e = { 0 };
	err_put(&e, ERR_INPUT,
		"key sgx: expected create KEY, or sign KEY FOLDER");
	return cli_fail(&e);
}

int cli_key_sgx(const struct cli_args *a)
{
	char signer[65];
	struct err e = { 0 };
	const char *what = a->operands[0], *key = a->operands[1];
	bool ok;
	if (!strcmp(what, "create") && a->operand_count == 2)
		ok = client_enclave_key(key, signer, &e);
	else if (!strcmp(what, "sign") && a->operand_count == 3)
		ok = client_enclave_sign(key, a->value[CLI_IMAGES],
			a->operands[2], signer, &e);
	else
		return wrong();
	if (!ok)
		return cli_fail(&e);
	printf("mrsigner %s\n", signer);
	return 0;
}

int cli_key_pef(const struct cli_args *a)
{
	char key[65];
	struct err e = { 0 };
	if (!client_sealed_key(a->operands[0], a->value[CLI_IMAGES],
		    a->operands[1], key, &e))
		return cli_fail(&e);
	printf("key %s\n", key);
	return 0;
}
