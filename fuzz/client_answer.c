/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile host agent may answer: a Keep, a list of them, a platform.
 * What comes through is fit to be shown and to be put into a path. */
#include <stdlib.h>

#include "client/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '/')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct client_keep k, *list;
	struct client_platform p;
	size_t count;
	struct err e;
	if (client_keep_parse(in, size % 2, &k, &e)) {
		if (strlen(k.id) != 32)
			abort();
		must_be_plain(k.id);
		must_be_plain(k.tee);
		must_be_plain(k.state);
		client_keep_fini(&k);
	}
	if (client_keeps_parse(in, &list, &count, &e))
		client_keeps_free(list, count);
	if (client_platform_parse(in, &p, &e))
		client_platform_fini(&p);
	return 0;
}
