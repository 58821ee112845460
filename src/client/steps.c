/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "base/fmt.h"
#include "client/run_priv.h"
#include "codec/hex.h"
#include "repository/repository.h"

enum { SHORT_ID = 8, SHORT_DIGEST = 16 };

static void say(const struct client_run *run, enum client_step step,
	struct buf *text, uint64_t at)
{
	if (run->job->on_step)
		run->job->on_step(run->job->ctx, step, buf_cstr(text),
			at - run->times.begin);
}

static void put_digest(struct buf *b, const uint8_t digest[32])
{
	char hex[65];
	hex_encode(bytes_of(digest, 32), hex);
	buf_fmt(b, "sha256:%.*s...", SHORT_DIGEST, hex);
}

void client_steps_package(const struct client_run *run)
{
	const struct repository_package *p = &run->package.package;
	auto_buf text = { 0 };
	put_digest(&text, p->digest);
	buf_str(&text, ", module ");
	put_digest(&text, run->deliver.module_sha256);
	if (p->toml >= 0) {
		buf_str(&text, ", config ");
		put_digest(&text, p->blobs[p->toml].digest);
	}
	say(run, CLIENT_STEP_PACKAGE, &text, client_now());
}

void client_steps_asked(const struct client_run *run)
{
	auto_buf text = { 0 };
	buf_fmt(&text, "%s Keep %.*s... on %s", run->keep.tee, SHORT_ID,
		run->keep.id, net_http_name(run->http));
	say(run, CLIENT_STEP_ASKED, &text, run->times.attested);
}

static bool is_release(const struct client_run *run)
{
	struct bytes got = bytes_of(run->verdict->measurement,
		run->verdict->measurement_len);
	for (size_t i = 0; i < run->verifier.reference_count; i++) {
		const struct attest_reference *r = &run->verifier.reference[i];
		if (!strcmp(r->technology, run->verdict->technology) &&
			bytes_equal(bytes_of(r->measurement, r->len), got))
			return true;
	}
	return false;
}

void client_steps_measured(const struct client_run *run)
{
	auto_buf text = { 0 };
	char hex[2 * sizeof run->verdict->measurement + 1];
	hex_encode(bytes_of(run->verdict->measurement,
			   run->verdict->measurement_len),
		hex);
	/* As `donjon measure` has it. */
	buf_fmt(&text, "%s %.*s... = ", run->verdict->technology, SHORT_DIGEST,
		hex);
	if (is_release(run))
		buf_fmt(&text, "this release's Keep (%s)", DONJON_VERSION);
	else
		buf_str(&text, "one that the policy names");
	say(run, CLIENT_STEP_MEASURED, &text, run->times.verified);
}

/* The fingerprint of the root that the evidence ends in, short: whatever its
 * format, the verifier has looked at it. */
static void root_name(const struct client_run *run, char out[SHORT_DIGEST + 1])
{
	const struct attest_verdict *v = run->verdict;
	out[0] = '\0';
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->checks[i].name, "software root") ||
			!strcmp(v->checks[i].name, "vendor root"))
			fmt(out, SHORT_DIGEST + 1, "%.*s", SHORT_DIGEST,
				v->checks[i].observed);
}

/* "no debug", unless a policy allows it. */
static const char *debug_of(const struct attest_verdict *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->checks[i].name, "debug"))
			return v->checks[i].observed;
	return "debug unknown";
}

void client_steps_verified(const struct client_run *run)
{
	auto_buf text = { 0 };
	char root[SHORT_DIGEST + 1];
	root_name(run, root);
	if (run->verdict->tee == ATTEST_SOFTWARE)
		buf_fmt(&text, "software root %s...", root);
	else
		buf_str(&text, run->verdict->technology);
	buf_fmt(&text, ", %s, fresh (nonce), key and owner bound",
		debug_of(run->verdict));
	say(run, CLIENT_STEP_VERIFIED, &text, run->times.verified);
	if (run->verdict->confidential)
		return;
	buf_clear(&text);
	if (*root)
		buf_fmt(&text,
			"software root %s... proves what this host says, "
			"it hides nothing from it",
			root);
	else
		buf_str(&text,
			"the host plays this technology, and hides nothing "
			"from itself");
	say(run, CLIENT_STEP_WARNING, &text, run->times.verified);
}

static void put_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t u = 0;
	uint64_t tenths = bytes * 10;
	while (tenths >= 10000 && u + 1 < ARRAY_LEN(units)) {
		tenths = (tenths + 500) / 1000;
		u++;
	}
	if (tenths >= 100 || !u)
		buf_fmt(b, "%llu %s", (unsigned long long)tenths / 10,
			units[u]);
	else
		buf_fmt(b, "%llu.%llu %s", (unsigned long long)tenths / 10,
			(unsigned long long)tenths % 10, units[u]);
}

static void put_count(struct buf *b, size_t n, const char *what)
{
	buf_fmt(b, ", %zu %s%s", n, what, n == 1 ? "" : "s");
}

void client_steps_notes(const struct client_run *run)
{
	auto_buf text = { 0 };
	if (run->deliver.skipped) {
		buf_fmt(&text,
			"%zu links or special files in the directories stay "
			"here",
			run->deliver.skipped);
		say(run, CLIENT_STEP_NOTE, &text, client_now());
	}
	const struct client_workload *w = &run->workload;
	for (size_t i = 0; run->job->detach && i < w->mount_count; i++) {
		const struct client_mount *m = &w->mounts[i];
		if (!m->host || !m->writable || m->scratch || m->packaged)
			continue;
		buf_clear(&text);
		buf_fmt(&text, "%s does not come back: --detach", m->host);
		say(run, CLIENT_STEP_NOTE, &text, client_now());
	}
	for (size_t i = 0; i < w->notes.count; i++) {
		buf_clear(&text);
		buf_str(&text, w->notes.ptr[i]);
		say(run, CLIENT_STEP_NOTE, &text, client_now());
	}
	for (size_t i = 0; i < w->mount_count && run->job->detach; i++)
		if (w->mounts[i].writable && !w->mounts[i].packaged &&
			!w->mounts[i].scratch) {
			buf_clear(&text);
			buf_fmt(&text,
				"%s does not come back from a detached Keep",
				w->mounts[i].guest);
			say(run, CLIENT_STEP_NOTE, &text, client_now());
		}
}

void client_steps_running(const struct client_run *run)
{
	const struct client_workload *w = &run->workload;
	struct bytes name = repository_name(w->module);
	auto_buf text = { 0 };
	buf_fmt(&text, "%.*s (", (int)size_min(name.len, 80),
		(const char *)name.ptr);
	put_size(&text, run->deliver.module_bytes);
	buf_str(&text, ")");
	if (run->deliver.files) {
		put_count(&text, run->deliver.files, "file");
		buf_str(&text, " (");
		put_size(&text, run->deliver.file_bytes);
		buf_str(&text, ")");
	}
	if (run->deliver.secrets)
		put_count(&text, run->deliver.secrets, "secret");
	if (w->args.count)
		put_count(&text, w->args.count, "argument");
	if (w->env.count)
		put_count(&text, w->env.count, "variable");
	buf_fmt(&text, " under the key of Keep %.*s...", SHORT_ID,
		run->keep.id);
	say(run, CLIENT_STEP_SEALED, &text, run->times.delivered);
	buf_clear(&text);
	if (run->job->detach)
		buf_str(&text, "detached");
	say(run, CLIENT_STEP_RUNNING, &text, run->times.started);
}

/* The Keep's words on why the program ended; one copy that may be shown. */
static void put_reason(struct client_report *r, const struct frame_exit *x)
{
	static const char *const ends[FRAME_END_COUNT] = {
		[FRAME_END_EXITED] = "",
		[FRAME_END_TRAPPED] = "the program trapped",
		[FRAME_END_STOPPED] = "the program was stopped",
		[FRAME_END_TIMEOUT] = "the program's time was up",
		[FRAME_END_LIMIT] = "the program reached a limit",
		[FRAME_END_REFUSED] = "the Keep does not take this program",
		[FRAME_END_NETWORK] = "no network as configured",
	};
	const char *end = x->end < FRAME_END_COUNT ? ends[x->end] : "";
	fmt(r->reason, sizeof r->reason, "%s%s%s", end,
		end[0] && x->text[0] ? ": " : "", end[0] ? x->text : "");
	for (char *p = r->reason; *p; p++)
		if ((*p > 0 && *p < ' ' && *p != '\n') || *p == 0x7f)
			*p = '?';
}

void client_steps_outcome(struct client_run *run)
{
	const struct client_outcome *o = &run->outcome;
	if (o->exited) {
		run->r->status = (int)(o->exit.status & 0xff);
		put_reason(run->r, &o->exit);
	}
	if (o->left_by && (!o->exited || o->left_by == SIGPIPE)) {
		run->r->status = 128 + o->left_by;
		run->r->reason[0] = '\0';
	}
	if (o->detached)
		run->r->status = 0;
	if (!o->exited)
		return;
	auto_buf text = { 0 };
	buf_fmt(&text, "status %d, ran %llu.%03llu ms, memory ", run->r->status,
		(unsigned long long)o->exit.run_ns / 1000000,
		(unsigned long long)o->exit.run_ns / 1000 % 1000);
	put_size(&text, o->exit.memory_peak);
	say(run, CLIENT_STEP_ENDED, &text, run->times.exit);
}
