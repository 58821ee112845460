/* SPDX-License-Identifier: Apache-2.0 */
#include "client/package.h"

#include "base/fmt.h"
#include "client/config.h"

bool client_package_load(struct client_package *p, const struct client_job *job,
	struct err *e)
{
	struct repository *r;
	const struct repository_config cfg = { .ca_file = job->web.ca_file,
		.plain_http = job->web.plain_http,
		.timeout_s = job->web.timeout_s,
		.cancel_fd = job->signal_fd,
		.progress = job->on_progress,
		.ctx = job->ctx };
	const struct repository_options o = { .config = job->config };
	if (!repository_open(&cfg, &r, e))
		return false;
	bool ok = repository_get(r, job->reference, &o, &p->package, e);
	repository_close(r);
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
		client_config_parse(buf_bytes(&toml), file, w, e);
}

void client_package_fini(struct client_package *p)
{
	repository_package_fini(&p->package);
}
