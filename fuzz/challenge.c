/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate headers of registries. */
#include <stdlib.h>

#include "base/must.h"
#include "repository/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct repository_challenge c;
	struct err e;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (repository_challenge_parse(text, &c, &e))
		must(!c.bearer || c.realm[0]);
	free(text);
	return 0;
}
