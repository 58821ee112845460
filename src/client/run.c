/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"
#include "client/host.h"
#include "client/identity.h"
#include "client/receipt.h"
#include "client/record.h"
#include "client/run_priv.h"
#include "client/trust.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "repository/repository.h"

enum {
	MIN_ASK = 16 << 20, /* less is no Keep */
	MAX_POLICY = 1 << 20
};

uint64_t client_run_clock(void)
{
	return client_now();
}

/* --- before anything is asked ------------------------------------------- */

static uint32_t tty_flags(const struct client_job *job)
{
	if (job->detach)
		return FRAME_CONFIG_DETACHED;
	return (isatty(0) ? FRAME_CONFIG_TTY_IN : 0) |
		(isatty(1) ? FRAME_CONFIG_TTY_OUT : 0) |
		(isatty(2) ? FRAME_CONFIG_TTY_ERR : 0);
}

/* What a receipt is to name. */
static bool bring_parts(struct client_run *run, struct err *e)
{
	auto_buf policy = { 0 }, toml = { 0 };
	const char *file = run->job->policy, *config = run->job->config;
	return (!file || repository_read_file(file, MAX_POLICY, &policy, e)) &&
		(!config ||
			repository_read_file(config, REPOSITORY_MAX_CONFIG,
				&toml, e)) &&
		client_deliver_parts(&run->deliver, buf_bytes(&toml),
			buf_bytes(&policy), e);
}

/* The package, and how it is to be run. */
static bool load(struct client_run *run, struct err *e)
{
	const struct client_job *job = run->job;
	struct client_workload *w = &run->workload;
	if (!client_package_load(&run->package, job, e) ||
		!client_package_configure(&run->package, job->config, w, e) ||
		!client_workload_module(w, job->reference, e) ||
		!job->configure(job->ctx, w, e) ||
		!client_workload_settle(w, e) ||
		!client_trust_load(w, job->images, e) ||
		!client_deliver_init(&run->deliver, w, &run->package.package,
			e) ||
		!bring_parts(run, e))
		return false;
	client_steps_package(run);
	return true;
}

/* Our own agent starts while we look at what is to be run. */
static bool prepare(struct client_run *run, struct err *e)
{
	const struct client_job *job = run->job;
	char images[CLIENT_PATH_MAX];
	run->host = job->host;
	if (job->images && !client_path_images(job->images, images, e))
		return false;
	if (!job->host.url) {
		if (!client_agent_start(&run->agent, job->images, e))
			return false;
		run->host = (struct client_host){ .url = run->agent.url,
			.name = CLIENT_AGENT_NAME };
	}
	run->verdict = calloc(1, sizeof *run->verdict);
	if (!run->verdict)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (job->policy && !client_policy_syntax(job->policy, e))
		return false;
	if (!load(run, e) || !client_identity_open(&run->id, run->owner, e))
		return false;
	run->deliver.flags =
		tty_flags(job) | (job->receipt ? FRAME_CONFIG_RECEIPT : 0);
	client_results_init(&run->results, &run->workload);
	return true;
}

/* --- ask and verify ----------------------------------------------------- */

static bool reach(struct client_run *run, struct err *e)
{
	int cancel = run->job->signal_fd;
	if (!run->job->host.url && !client_agent_wait(&run->agent, cancel, e))
		return false;
	run->times.agent = client_now();
	return client_host_open(&run->host, cancel, &run->http, e) &&
		net_http_connect(run->http, e);
}

/* For this machine's own agent, and for nobody else's, the software root
 * that it names is good enough.  Asked over a second connection, while the
 * first one waits for the Keep. */
static bool trust_own_root(struct client_run *run, struct err *e)
{
	struct client_platform p;
	struct net_http *h;
	if (run->job->host.url || run->verifier.hardware_only)
		return true;
	if (!client_host_open(&run->host, run->job->signal_fd, &h, e))
		return false;
	bool ok = client_api_platform(h, &p, e);
	net_http_close(h);
	if (!ok)
		return false;
	ok = !p.has_root ||
		attest_policy_trust_root(run->verifier.policy, p.software_root,
			e);
	client_platform_fini(&p);
	return ok;
}

/* What we judge by: policy, our own images' measurements, roots. */
static bool make_ready(struct client_run *run, const char *tee, struct err *e)
{
	const struct client_job *job = run->job;
	if (!client_verifier_init(&run->verifier, tee, job->images, job->policy,
		    e))
		return false;
	run->verifier.hardware_only = !strcmp(job->platform, "hardware");
	return trust_own_root(run, e);
}

static bool ask(struct client_run *run, struct err *e)
{
	const struct client_job *job = run->job;
	struct client_ask a = { .tee = job->tee,
		.platform = job->platform,
		.workload = &run->workload };
	uint64_t memory = run->workload.memory_bytes;
	if (!crypto_random(run->nonce, sizeof run->nonce, e))
		return false;
	memcpy(a.nonce, run->nonce, sizeof a.nonce);
	memcpy(a.owner, run->owner, sizeof a.owner);
	a.memory = memory && memory < MIN_ASK ? MIN_ASK : memory;
	if (!client_api_ask(run->http, &a, e))
		return false;
	run->times.asked = client_now();
	/* All that takes time is done while the host builds the Keep; what
	 * goes wrong is told once the Keep is known and can be given back.
	 * Where the host chooses, its choice is measured, and not all that
	 * there are: that takes longer than the host does. */
	struct err late;
	bool chosen = strcmp(job->tee, "auto") != 0;
	bool ready = !chosen || make_ready(run, job->tee, &late);
	if (!client_api_asked(run->http, &run->keep, e))
		return false;
	run->asked = true;
	run->times.attested = client_now();
	fmt(run->r->id, sizeof run->r->id, "%s", run->keep.id);
	if (!ready)
		*e = late;
	return ready && (chosen || make_ready(run, run->keep.tee, e));
}

/* What to do about it, where that is another option. */
static void advise(const struct client_run *run, struct err *e)
{
	char text[sizeof e->text];
	const struct attest_check *k = attest_failed(run->verdict);
	const char *what = NULL;
	if (k && !strcmp(k->name, "technology") &&
		!strcmp(run->job->tee, "auto"))
		what = "the host chose; --tee asks for one";
	else if (k && run->keep.software &&
		(!strcmp(k->name, "software root") ||
			!strcmp(k->name, "vendor root")))
		what = "to trust that root: software in a policy";
	if (!what)
		return;
	fmt(text, sizeof text, "%s", e->text);
	err_put(e, e->kind, "%s (%s)", text, what);
}

static bool verify(struct client_run *run, struct err *e)
{
	client_steps_asked(run);
	if (!client_verifier_judge(&run->verifier, &run->keep, run->nonce,
		    run->owner, run->verdict, run->spki_hash, e))
		return false;
	run->judged = true;
	run->times.verified = client_now();
	if (!attest_accepted(run->verdict, e)) {
		advise(run, e);
		return err_wrap(e, "verification failed, nothing was sent");
	}
	client_steps_measured(run);
	client_steps_verified(run);
	return true;
}

/* --- the Keep ----------------------------------------------------------- */

/* What a receipt is made from; borrows from the run. */
static struct client_receipt_due due(const struct client_run *run)
{
	const struct client_keep *k = &run->keep;
	struct client_receipt_due d = { .claims = buf_bytes(&k->claims),
		.evidence = buf_bytes(&k->evidence),
		.endorsements = buf_bytes(&k->endorsements),
		.certificate = buf_bytes(&k->certificate),
		.module = run->deliver.module_sha256 };
	for (size_t i = 0; i < ARRAY_LEN(d.parts); i++)
		d.parts[i] = buf_bytes(&run->deliver.parts[i]);
	return d;
}

/* Now, or, for who leaves, when she comes back. */
static bool write_receipt(const struct client_run *run, struct err *e)
{
	const struct client_receipt_due d = due(run);
	return !run->job->receipt || run->outcome.detached ||
		client_receipt_write(&d, &run->outcome, run->job->receipt, e);
}

static void absolute(const char *path, char out[CLIENT_PATH_MAX])
{
	char *real = path ? realpath(path, NULL) : NULL;
	fmt(out, CLIENT_PATH_MAX, "%s", real ? real : "");
	free(real);
}

/* So that attach, logs and stop find the Keep, and know it again. */
static bool record(struct client_run *run, struct err *e)
{
	struct client_record rec = { .software = run->keep.software,
		.created = (uint64_t)time(NULL) };
	if (!run->job->host.url)
		return true;
	struct bytes name = repository_name(run->workload.module);
	fmt(rec.id, sizeof rec.id, "%s", run->keep.id);
	fmt(rec.tee, sizeof rec.tee, "%s", run->keep.tee);
	fmt(rec.host, sizeof rec.host, "%s", run->job->host.url);
	absolute(run->job->host.ca_file, rec.host_ca);
	absolute(run->job->host.token_file, rec.token_file);
	fmt(rec.program, sizeof rec.program, "%.*s", (int)name.len,
		(const char *)name.ptr);
	hex_encode(bytes_of(run->verdict->measurement,
			   run->verdict->measurement_len),
		rec.measurement);
	memcpy(rec.spki_hash, run->spki_hash, sizeof rec.spki_hash);
	if (!client_record_save(&rec, e))
		return false;
	run->recorded = true;
	const struct client_receipt_due d = due(run);
	return !run->job->receipt || !run->job->detach ||
		client_receipt_note(rec.id, &d, run->job->receipt, e);
}

static void on_start(void *ctx)
{
	client_steps_running(ctx);
}

static bool converse(struct client_run *run, struct err *e)
{
	const struct client_session_config cfg = {
		.role = FRAME_ROLE_DEPLOY,
		.http = run->http,
		.id = run->id,
		.keep = run->spki_hash,
		.deliver = &run->deliver,
		.results = &run->results,
		.detach = run->job->detach,
		.time_ns = run->workload.time_ns,
		.signal_fd = run->job->signal_fd,
		.times = &run->times,
		.on_start = on_start,
		.ctx = run,
	};
	run->deliver.room = run->keep.memory;
	if (!record(run, e) || !client_api_channel(run->http, run->keep.id, e))
		return false;
	client_agent_hide(&run->agent);
	client_steps_notes(run);
	bool ok = client_session_run(&cfg, &run->outcome, e);
	/* From here on the Keep knows its owner and ends by itself; one that
	 * was to stay, and did not come to run, would wait for nobody. */
	if (run->times.connected &&
		(run->outcome.detached || !run->job->detach))
		run->asked = false;
	return ok;
}

static bool whole(struct client_run *run, struct err *e)
{
	return prepare(run, e) && reach(run, e) && ask(run, e) &&
		verify(run, e) && converse(run, e) && write_receipt(run, e);
}

/* --- the end ------------------------------------------------------------ */

/* A Keep that we asked for and don't want goes back at once. */
static void give_back(struct client_run *run)
{
	struct net_http *h;
	bool gone;
	if (!run->asked || !run->job->host.url ||
		!client_host_open(&run->host, -1, &h, NULL))
		return;
	if (!client_api_end(h, run->keep.id, &gone, NULL))
		gone = false; /* it ends for want of an owner */
	net_http_close(h);
}

/* What the host has to say of a Keep that was cut off.  Untrusted, but it is
 * all that there is. */
static void ask_why(struct client_run *run, struct err *e)
{
	struct client_keep k;
	struct net_http *h;
	char text[sizeof e->text];
	/* Our own agent is hidden by now; its log is shown instead. */
	if (e->kind != ERR_HOST || !run->times.connected ||
		!run->job->host.url ||
		!client_host_open(&run->host, -1, &h, NULL))
		return;
	fmt(text, sizeof text, "%s", e->text);
	if (client_api_settled(h, run->keep.id, &k, NULL)) {
		if (k.reason[0])
			err_put(e, e->kind, "%s (the host says: %s)", text,
				k.reason);
		client_keep_fini(&k);
	} else {
		err_put(e, e->kind, "%s (and the host agent does not tell why)",
			text);
	}
	net_http_close(h);
}

/* A signal that came while we waited for something else. */
static bool interrupted(const struct client_job *job, int *number)
{
	struct signalfd_siginfo info;
	struct pollfd p = { .fd = job->signal_fd, .events = POLLIN };
	if (poll(&p, 1, 0) != 1 ||
		read(job->signal_fd, &info, sizeof info) != sizeof info)
		return false;
	*number = (int)info.ssi_signo;
	return true;
}

static void failed(struct client_run *run, struct err *e)
{
	int number;
	run->r->status = ERR_STATUS(e->kind);
	if (interrupted(run->job, &number)) {
		run->r->status = 128 + number;
		err_put(e, e->kind, "interrupted");
		return;
	}
	ask_why(run, e);
	if (e->kind == ERR_HOST && !client_agent_log(&run->agent, &run->r->log))
		buf_clear(&run->r->log);
}

static void release(struct client_run *run)
{
	if (run->recorded && !run->outcome.detached)
		client_record_forget(run->keep.id);
	client_results_fini(&run->results);
	buf_fini(&run->outcome.receipt);
	client_deliver_fini(&run->deliver);
	client_package_fini(&run->package);
	client_workload_fini(&run->workload);
	client_verifier_fini(&run->verifier);
	client_keep_fini(&run->keep);
	channel_identity_free(run->id);
	net_http_close(run->http);
	client_agent_stop(&run->agent);
	free(run->verdict);
}

bool client_run(const struct client_job *job, struct client_report *r,
	struct err *e)
{
	struct err why = { 0 };
	struct client_run *run = calloc(1, sizeof *run);
	if (!run) {
		r->status = ERR_STATUS(ERR_LIMIT);
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	run->job = job;
	run->r = r;
	run->deliver.fd = -1;
	run->times.begin = r->begin;
	client_results_init(&run->results, NULL);
	run->package = CLIENT_PACKAGE_NONE;
	bool ok = whole(run, &why);
	if (ok)
		client_steps_outcome(run);
	else
		failed(run, &why);
	give_back(run);
	client_report_make(run, ok ? NULL : &why);
	release(run);
	free(run);
	if (!ok && e)
		*e = why;
	return ok;
}
