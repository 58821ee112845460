/* SPDX-License-Identifier: Apache-2.0 */
#include "client/examine.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attest/bundle.h"
#include "attest/time.h"
#include "client/files.h"
#include "client/paths.h"
#include "client/verify.h"
#include "codec/hex.h"
#include "net/peer.h"
#include "repository/repository.h"

enum { TIMEOUT_S = 20, REPORT_DATA = 64 };

/* All that one examination needs; large. */
struct desk {
	const struct client_examination *x;
	struct attest_bundle bundle;
	struct attest_verdict verdict;
	struct client_files files;
	struct bytes spans[CLIENT_FILES_MAX];
	uint8_t report_data[REPORT_DATA];
	size_t report_data_len;
	int64_t now;
};

static bool read_time(struct desk *d, struct err *e)
{
	const char *text = d->x->time;
	d->now = (int64_t)time(NULL);
	if (!text || attest_time_parse(text, &d->now))
		return true;
	return err_fail(e, ERR_INPUT,
		"--time: expected a time like 2025-06-25T12:00:00Z");
}

/* Fewer bytes than the evidence holds mean zeros behind. */
static bool read_report_data(struct desk *d, struct err *e)
{
	const char *text = d->x->report_data;
	if (!text)
		return true;
	size_t n = strlen(text) / 2;
	if (n > REPORT_DATA ||
		!hex_decode(bytes_str(text), d->report_data, n, NULL))
		return err_fail(e, ERR_INPUT,
			"--report-data: expected at most %d bytes in "
			"hexadecimal",
			REPORT_DATA);
	d->report_data_len = REPORT_DATA;
	return true;
}

static bool read_subject(struct desk *d, struct err *e)
{
	const char *subject = d->x->subject;
	auto_buf text = { 0 };
	if (access(subject, F_OK) != 0 && net_peer_is_address(subject)) {
		if (!net_peer_certificate(subject, TIMEOUT_S, &text, e))
			return false;
	} else if (!repository_read_file(subject, ATTEST_BUNDLE_MAX, &text,
			   e)) {
		return false;
	}
	return attest_bundle_read(buf_bytes(&text), &d->bundle, e) ||
		err_wrap(e, "%s", subject);
}

/* Files that were named must fit; the cache may have nothing of use. */
static bool endorse(struct desk *d, struct err *e)
{
	const struct client_examination *x = d->x;
	struct stat st;
	for (size_t i = 0; i < x->endorsement_count; i++)
		if (!client_files_add(&d->files, x->endorsements[i], e))
			return err_wrap(e, "--endorsements");
	if (x->cache && stat(x->cache, &st) == 0 &&
		!client_files_add(&d->files, x->cache, e))
		return err_wrap(e, "cache");
	client_files_spans(&d->files, d->spans);
	/* What is missing, or does not fit, is the verifier's to refuse. */
	struct err why = { 0 };
	if (!attest_bundle_endorse(&d->bundle, d->spans, d->files.count, d->now,
		    &why) &&
		why.kind == ERR_LIMIT)
		return err_fail(e, ERR_LIMIT, "%s", why.text);
	return true;
}

/* Evidence of others can be judged where no Keep is installed. */
static bool verifier_init(struct client_verifier *v,
	const struct client_examination *x, struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	if (x->policy || x->images || client_path_images(NULL, dir, NULL))
		return client_verifier_init(v, "auto", x->images, x->policy, e);
	*v = (struct client_verifier){ 0 };
	return attest_policy_default(NULL, 0, &v->policy, e);
}

static bool judge(struct desk *d, struct buf *out, bool *accepted,
	struct err *e)
{
	const struct client_examination *x = d->x;
	struct client_verifier v;
	struct attest_input in = attest_bundle_input(&d->bundle);
	in.now = d->now;
	in.padded = x->padded;
	in.report_data = bytes_of(d->report_data, d->report_data_len);
	if (!verifier_init(&v, x, e))
		return false;
	bool ok = attest_verify(&in, v.policy, &d->verdict, e);
	client_verifier_fini(&v);
	if (!ok)
		return false;
	*accepted = d->verdict.accepted;
	return (x->json ? attest_print_json(&d->verdict, out) :
			  attest_print_text(&d->verdict, out)) ||
		err_fail(e, ERR_LIMIT, "no memory");
}

bool client_examine(const struct client_examination *x, struct buf *out,
	bool *accepted, struct err *e)
{
	struct desk *d = calloc(1, sizeof *d);
	if (!d)
		return err_fail(e, ERR_LIMIT, "no memory");
	d->x = x;
	bool ok = read_time(d, e) && read_report_data(d, e) &&
		read_subject(d, e) && endorse(d, e) &&
		judge(d, out, accepted, e);
	attest_bundle_fini(&d->bundle);
	client_files_fini(&d->files);
	free(d);
	return ok;
}
