/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/web_note.h"

#include <strings.h>

#include "base/fmt.h"
#include "codec/json.h"
#include "repository/reference.h"

enum { MAX_NOTE = 4 << 10 };

/* Copies a validator that can go into a header. */
static bool copy(const char *text, char *out, size_t size)
{
	size_t n = text ? strlen(text) : 0;
	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	if (!n || n >= size)
		return false;
	fmt(out, size, "%s", text);
	return true;
}

bool repository_web_note_take(const struct net_web_answer *a,
	struct repository_web_note *out)
{
	struct repository_web_note n = { .etag = "" };
	const char *control = net_web_header(a, "cache-control");
	if (control && strcasestr(control, "no-store"))
		return false;
	bool etag = copy(net_web_header(a, "etag"), n.etag, sizeof n.etag);
	bool modified = copy(net_web_header(a, "last-modified"), n.modified,
		sizeof n.modified);
	*out = n;
	return etag || modified;
}

bool repository_web_note_parse(struct bytes in, struct repository_web_note *out,
	struct err *e)
{
	struct repository_web_note n = { .etag = "" };
	const char *digest = NULL, *etag = "", *modified = "";
	json_t *o;
	if (!json_parse(in, MAX_NOTE, &o, e))
		return false;
	bool ok = json_member_str(o, "digest", 80, &digest, e) &&
		json_member_str_opt(o, "etag", sizeof n.etag - 1, &etag, e) &&
		json_member_str_opt(o, "modified", sizeof n.modified - 1,
			&modified, e) &&
		repository_digest_parse(digest, n.digest, e);
	if (ok) {
		bool any = copy(etag, n.etag, sizeof n.etag);
		any = copy(modified, n.modified, sizeof n.modified) || any;
		ok = any || err_fail(e, ERR_INPUT, "no validator");
	}
	json_decref(o);
	if (ok)
		*out = n;
	return ok;
}

bool repository_web_note_print(const struct repository_web_note *n,
	struct buf *out, struct err *e)
{
	char digest[REPOSITORY_DIGEST_TEXT];
	repository_digest_show(n->digest, digest);
	json_t *o = json_pack("{s:s, s:s, s:s}", "digest", digest, "etag",
		n->etag, "modified", n->modified);
	bool ok = o && json_print(o, out, NULL);
	json_decref(o);
	return ok || err_fail(e, ERR_LIMIT, "no memory");
}

void repository_web_note_header(const struct repository_web_note *n,
	char out[300])
{
	if (n->etag[0])
		fmt(out, 300, "If-None-Match: %s", n->etag);
	else
		fmt(out, 300, "If-Modified-Since: %s", n->modified);
}
