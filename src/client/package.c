/* SPDX-License-Identifier: Apache-2.0 */
#include "client/package.h"

#include "base/fmt.h"
#include "client/config.h"

enum { MAX_POLICY = 1 << 20 };

bool client_package_trust(const char *policy, const char *key,
	const char *identity, struct repository_trust *out, struct err *e)
{
	struct repository_trust t = { 0 };
	auto_buf text = { 0 };
	bool ok = !policy ||
		(repository_read_file(policy, MAX_POLICY, &text, e) &&
			repository_trust_parse(buf_bytes(&text), policy, &t,
				e));
	ok = ok && (!key || repository_trust_key(&t, key, identity, e));
	if (ok)
		*out = t;
	else
		repository_trust_fini(&t);
	return ok;
}

static bool get(struct client_package *p, const struct client_job *job,
	const struct repository_trust *trust, struct err *e)
{
	struct repository *r;
	const struct repository_config cfg = { .ca_file = job->web.ca_file,
		.plain_http = job->web.plain_http,
		.timeout_s = job->web.timeout_s,
		.cancel_fd = job->signal_fd,
		.progress = job->on_progress,
		.ctx = job->ctx };
	/* --config is the tenant's own and no part of a package. */
	const struct repository_options o = { .trust = trust };
	if (!repository_open(&cfg, &r, e))
		return false;
	bool ok = repository_get(r, job->reference, &o, &p->package, e);
	repository_close(r);
	return ok;
}

bool client_package_load(struct client_package *p, const struct client_job *job,
	struct err *e)
{
	struct repository_trust t;
	if (!client_package_trust(job->policy, job->key, job->identity, &t, e))
		return false;
	bool ok = get(p, job, &t, e);
	repository_trust_fini(&t);
	return ok;
}

bool client_package_configure(const struct client_package *p,
	const char *config, struct client_workload *w, struct err *e)
{
	const struct repository_package *k = &p->package;
	auto_buf toml = { 0 };
	char file[300];
	if (config)
		return client_config_read(config, w, e);
	if (k->toml < 0)
		return true;
	fmt(file, sizeof file, "%s: %s", k->name, k->blobs[k->toml].title);
	return repository_package_toml(k, &toml, e) &&
		client_config_parse(buf_bytes(&toml), file, true, w, e);
}

void client_package_fini(struct client_package *p)
{
	repository_package_fini(&p->package);
}
