/* SPDX-License-Identifier: Apache-2.0 */
/* References: what is taken says the same thing when it is shown and read
 * again, and its parts are what the specification allows. */
#include <stdlib.h>

#include "base/must.h"
#include "repository/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct repository_reference *r)
{
	struct repository_reference b;
	char shown[1024] = "oci://";
	repository_reference_show(r, shown + 6, sizeof shown - 6);
	must(repository_reference_parse(shown, &b, NULL));
	must(!strcmp(r->host, b.host) && !strcmp(r->name, b.name));
	must(!strcmp(r->tag, b.tag) && r->pinned == b.pinned);
	must(!memcmp(r->digest, b.digest, sizeof b.digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repository_reference r;
	struct err e;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (repository_reference_parse(text, &r, &e) &&
		r.kind == REPOSITORY_OCI) {
		must(repository_is_host(r.host));
		must(repository_is_name(r.name));
		must(!r.tag[0] || repository_is_tag(r.tag));
		again(&r);
	}
	free(text);
	return 0;
}
