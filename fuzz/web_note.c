/* SPDX-License-Identifier: Apache-2.0 */
/* Notes of the cache; what they say becomes a header. */
#include "repository/web_note.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repository_web_note n, again;
	char header[300];
	auto_buf text = { 0 };
	struct err e;
	if (!repository_web_note_parse(bytes_of(data, size), &n, &e))
		return 0;
	repository_web_note_header(&n, header);
	for (const char *p = header; *p; p++)
		must(*p >= ' ' && *p <= '~');
	must(repository_web_note_print(&n, &text, &e));
	must(repository_web_note_parse(buf_bytes(&text), &again, &e));
	must(!memcmp(n.digest, again.digest, sizeof n.digest) &&
		!strcmp(n.etag, again.etag) &&
		!strcmp(n.modified, again.modified));
	return 0;
}
