/* SPDX-License-Identifier: Apache-2.0 */
#include "client/run_priv.h"
#include "codec/hex.h"
#include "codec/json.h"

static bool put(json_t *o, const char *key, json_t *v)
{
	return v && !json_object_set_new(o, key, v);
}

static json_t *ms(uint64_t ns)
{
	/* Microseconds are as exact as it gets. */
	return json_real((double)(ns / 1000) / 1000.0);
}

static bool put_times(json_t *o, const struct client_times *t)
{
	const struct {
		const char *key;
		uint64_t at;
	} moments[] = { { "agent", t->agent }, { "asked", t->asked },
		{ "attested", t->attested }, { "verified", t->verified },
		{ "connected", t->connected }, { "delivered", t->delivered },
		{ "started", t->started }, { "first_output", t->first_output },
		{ "exit", t->exit } };
	json_t *times = json_object();
	for (size_t i = 0; i < ARRAY_LEN(moments); i++)
		if (moments[i].at &&
			!put(times, moments[i].key,
				ms(moments[i].at - t->begin)))
			return false;
	return put(o, "times_ms", times);
}

static bool put_verdict(json_t *o, const struct client_run *run)
{
	char hex[2 * sizeof run->verdict->measurement + 1];
	auto_buf text = { 0 };
	json_t *v;
	hex_encode(bytes_of(run->verdict->measurement,
			   run->verdict->measurement_len),
		hex);
	return attest_print_json(run->verdict, &text) &&
		json_parse(buf_bytes(&text), text.len, &v, NULL) &&
		put(o, "verified", v) &&
		put(o, "measurement", json_string(hex));
}

static bool put_keep(json_t *o, const struct client_run *run)
{
	return put(o, "id", json_string(run->keep.id)) &&
		put(o, "host",
			json_string(run->job->host.url ? run->job->host.url :
							 CLIENT_AGENT_NAME)) &&
		put(o, "tee", json_string(run->keep.tee)) &&
		(!run->judged || put_verdict(o, run));
}

static bool put_exit(json_t *o, const struct frame_exit *x)
{
	return put(o, "run_ms", ms(x->run_ns)) &&
		put(o, "memory_peak",
			json_integer((json_int_t)x->memory_peak)) &&
		put(o, "stdin_bytes",
			json_integer((json_int_t)x->stdin_bytes)) &&
		put(o, "stdout_bytes",
			json_integer((json_int_t)x->stdout_bytes)) &&
		put(o, "stderr_bytes",
			json_integer((json_int_t)x->stderr_bytes));
}

static bool put_error(json_t *o, const struct err *e)
{
	json_t *x = json_object();
	return put(o, "error", x) &&
		put(x, "kind", json_string(err_kind_name(e->kind))) &&
		/* Names of files need not be UTF-8. */
		(put(x, "text", json_string(e->text)) ||
			put(x, "text", json_string("")));
}

static bool put_hex(json_t *o, const char *key, const uint8_t digest[32])
{
	char text[72] = "sha256:";
	hex_encode(bytes_of(digest, 32), text + 7);
	return put(o, key, json_string(text));
}

static bool put_package(json_t *o, const struct client_run *run)
{
	const struct repository_package *p = &run->package.package;
	return p->module < 0 ||
		(put_hex(o, "package", p->digest) &&
			put_hex(o, "module", p->blobs[p->module].digest) &&
			(p->toml < 0 ||
				put_hex(o, "config",
					p->blobs[p->toml].digest)));
}

static bool fill(json_t *o, const struct client_run *run, const struct err *e)
{
	const struct client_report *r = run->r;
	return put_package(o, run) && (!run->keep.id[0] || put_keep(o, run)) &&
		put(o, "status", json_integer(r->status)) &&
		put(o, "detached", json_boolean(run->outcome.detached)) &&
		(!r->reason[0] || put(o, "reason", json_string(r->reason)) ||
			put(o, "reason", json_string("?"))) &&
		(!run->outcome.exited || put_exit(o, &run->outcome.exit)) &&
		(!e || put_error(o, e)) && put_times(o, &run->times);
}

void client_report_make(struct client_run *run, const struct err *e)
{
	json_t *o = json_object();
	if (!o || !fill(o, run, e) || !json_print(o, &run->r->json, NULL))
		buf_clear(&run->r->json);
	json_decref(o);
}

void client_report_fini(struct client_report *r)
{
	buf_wipe(&r->json);
	buf_fini(&r->log);
}
