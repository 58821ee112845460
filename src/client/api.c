/* SPDX-License-Identifier: Apache-2.0 */
#include "client/api.h"

#include <poll.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "client/workload.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "net/http.h"

enum {
	MAX_ANSWER = 4 << 20,
	MAX_PART = 1 << 20,
	MAX_KEEPS = 4096,
	MAX_PORTS = 64, /* docs/protocol.md, *ask* */
	SETTLE_MS = 2000,
	LOOK_MS = 20
};

#define CHANNEL_PROTOCOL "donjon-keep/1"

void client_keep_fini(struct client_keep *k)
{
	buf_fini(&k->claims);
	buf_fini(&k->evidence);
	buf_fini(&k->endorsements);
	buf_fini(&k->certificate);
	*k = (struct client_keep){ 0 };
}

void client_keeps_free(struct client_keep *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		client_keep_fini(&list[i]);
	free(list);
}

void client_platform_fini(struct client_platform *p)
{
	buf_fini(&p->json);
}

/* --- members ------------------------------------------------------------ */

/* Text that may be shown: what is not printable ASCII becomes '?'. */
static bool text_opt(const json_t *o, const char *key, char *out, size_t size,
	struct err *e)
{
	const char *s = "";
	if (json_is_null(json_object_get(o, key)))
		return true;
	if (!json_member_str_opt(o, key, 64 << 10, &s, e))
		return false;
	fmt(out, size, "%s", s);
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return true;
}

static bool is_word(const char *s)
{
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') &&
			*s != '-')
			return false;
	return true;
}

/* Lower-case letters, digits and hyphens; at least one. */
static bool word(const json_t *o, const char *key, char *out, size_t size,
	struct err *e)
{
	const char *s;
	if (!json_member_str(o, key, size - 1, &s, e))
		return false;
	if (!*s || !is_word(s))
		return err_fail(e, ERR_INPUT, "%s: not a name", key);
	fmt(out, size, "%s", s);
	return true;
}

static bool id_member(const json_t *o, char out[33], struct err *e)
{
	uint8_t raw[16];
	if (!json_member_hex(o, "id", raw, sizeof raw, e))
		return false;
	hex_encode(BYTES_ARRAY(raw), out);
	return true;
}

static bool counter(const json_t *o, const char *key, uint64_t *out,
	struct err *e)
{
	return json_member_u64_opt(o, key, 0, INT64_MAX, out, e);
}

static bool keep_evidence(const json_t *o, struct client_keep *k, struct err *e)
{
	const struct {
		const char *key;
		struct buf *to;
	} parts[] = { { "claims", &k->claims }, { "evidence", &k->evidence },
		{ "endorsements", &k->endorsements },
		{ "certificate", &k->certificate } };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!json_member_base64(o, parts[i].key, MAX_PART, parts[i].to,
			    e))
			return false;
	return true;
}

static bool keep_members(const json_t *o, bool evidence, struct client_keep *k,
	struct err *e)
{
	return id_member(o, k->id, e) &&
		word(o, "tee", k->tee, sizeof k->tee, e) &&
		word(o, "state", k->state, sizeof k->state, e) &&
		text_opt(o, "owner_key_hash", k->owner, sizeof k->owner, e) &&
		text_opt(o, "reason", k->reason, sizeof k->reason, e) &&
		json_member_bool_opt(o, "software", &k->software, e) &&
		counter(o, "created", &k->created, e) &&
		counter(o, "ended", &k->ended, e) &&
		counter(o, "memory", &k->memory, e) &&
		counter(o, "channels", &k->channels, e) &&
		counter(o, "bytes_in", &k->bytes_in, e) &&
		counter(o, "bytes_out", &k->bytes_out, e) &&
		(!evidence || keep_evidence(o, k, e));
}

static bool keep_from(const json_t *o, bool evidence, struct client_keep *out,
	struct err *e)
{
	struct client_keep k = { 0 };
	if (!keep_members(o, evidence, &k, e)) {
		client_keep_fini(&k);
		return err_wrap(e, "Keep");
	}
	*out = k;
	return true;
}

bool client_keep_parse(struct bytes in, bool evidence, struct client_keep *out,
	struct err *e)
{
	json_t *o;
	if (!json_parse(in, MAX_ANSWER, &o, e))
		return false;
	bool ok = keep_from(o, evidence, out, e);
	json_decref(o);
	return ok;
}

static bool keeps_from(const json_t *o, struct client_keep **out, size_t *count,
	struct err *e)
{
	const json_t *a = json_object_get(o, "keeps");
	size_t n = json_array_size(a);
	if (!json_is_array(a) || n > MAX_KEEPS)
		return err_fail(e, ERR_INPUT, "keeps: not an array of them");
	struct client_keep *list = calloc(n + 1, sizeof *list);
	if (!list)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (size_t i = 0; i < n; i++)
		if (!keep_from(json_array_get(a, i), false, &list[i], e)) {
			client_keeps_free(list, i);
			return false;
		}
	*out = list;
	*count = n;
	return true;
}

bool client_keeps_parse(struct bytes in, struct client_keep **list,
	size_t *count, struct err *e)
{
	json_t *o;
	if (!json_parse(in, MAX_ANSWER, &o, e))
		return false;
	bool ok = keeps_from(o, list, count, e);
	json_decref(o);
	return ok;
}

static bool technology(const json_t *o, struct client_technology *t,
	struct err *e)
{
	return word(o, "name", t->name, sizeof t->name, e) &&
		json_member_bool_opt(o, "available", &t->available, e) &&
		json_member_bool_opt(o, "confidential", &t->confidential, e) &&
		json_member_bool_opt(o, "software", &t->software, e) &&
		text_opt(o, "detail", t->detail, sizeof t->detail, e) &&
		text_opt(o, "missing", t->missing, sizeof t->missing, e);
}

static bool platform_members(const json_t *o, struct client_platform *p,
	struct err *e)
{
	const json_t *a = json_object_get(o, "technologies");
	if (!text_opt(o, "version", p->version, sizeof p->version, e) ||
		!text_opt(o, "auto", p->automatic, sizeof p->automatic, e))
		return false;
	p->has_root = json_is_string(json_object_get(o, "software_root"));
	if (p->has_root &&
		!json_member_hex(o, "software_root", p->software_root,
			sizeof p->software_root, e))
		return false;
	p->count = json_array_size(a);
	if (!json_is_array(a) || p->count > ARRAY_LEN(p->technologies))
		return err_fail(e, ERR_INPUT,
			"technologies: not an array of them");
	for (size_t i = 0; i < p->count; i++)
		if (!technology(json_array_get(a, i), &p->technologies[i], e))
			return false;
	return json_print(o, &p->json, e);
}

bool client_platform_parse(struct bytes in, struct client_platform *out,
	struct err *e)
{
	struct client_platform p = { 0 };
	json_t *o;
	if (!json_parse(in, MAX_ANSWER, &o, e))
		return false;
	bool ok = platform_members(o, &p, e);
	json_decref(o);
	if (!ok) {
		client_platform_fini(&p);
		return err_wrap(e, "platform");
	}
	*out = p;
	return true;
}

/* --- requests ----------------------------------------------------------- */

static enum err_kind kind_of(unsigned status, const char *name)
{
	for (int k = ERR_INPUT; k <= ERR_LIMIT; k++)
		if (!strcmp(name, err_kind_name((enum err_kind)k)))
			return (enum err_kind)k;
	if (status == 401 || status == 403)
		return ERR_DENIED;
	if (status == 413 || status == 429)
		return ERR_LIMIT;
	return status >= 400 && status < 500 ? ERR_INPUT : ERR_HOST;
}

/* {"error": {"kind": K, "text": T}} */
static bool refused(const struct net_http *h, const struct net_response *r,
	struct err *e)
{
	char kind[17] = "", text[200] = "";
	json_t *o = NULL;
	if (json_parse(buf_bytes(&r->body), MAX_ANSWER, &o, NULL)) {
		const json_t *inner = json_object_get(o, "error");
		if (!text_opt(inner, "kind", kind, sizeof kind, NULL) ||
			!text_opt(inner, "text", text, sizeof text, NULL))
			kind[0] = text[0] = '\0';
	}
	json_decref(o);
	return err_fail(e, kind_of(r->status, kind), "%s: %s%sstatus %u%s%s",
		net_http_name(h), text, text[0] ? " (" : "", r->status,
		text[0] ? ")" : "",
		r->status == 401 ? ": --token-file names it" : "");
}

static bool keep_path(char out[80], const char *id, const char *behind,
	struct err *e)
{
	if (strlen(id) != 32 || !is_word(id))
		return err_fail(e, ERR_INPUT, "%s: not a Keep's id", id);
	fmt(out, 80, "/v1/keeps/%s%s", id, behind);
	return true;
}

/* What the program will listen on: "ADDRESS:PORT".  A range of run-time
 * ports is asked for port by port. */
static bool put_port(json_t *list, const char *address, unsigned port,
	struct err *e)
{
	char text[96];
	bool six = address && strchr(address, ':') && address[0] != '[';
	fmt(text, sizeof text, "%s%s%s:%u", six ? "[" : "",
		address ? address : "", six ? "]" : "", port);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *had = json_string_value(json_array_get(list, i));
		const char *colon = had ? strrchr(had, ':') : NULL;
		if (colon && !strcmp(colon, strrchr(text, ':')))
			return true;
	}
	/* A package's configuration may name them all. */
	if (json_array_size(list) == MAX_PORTS)
		return err_fail(e, ERR_INPUT, "listen: more than %d ports",
			MAX_PORTS);
	return !json_array_append_new(list, json_string(text)) ||
		err_fail(e, ERR_INPUT, "ask: not UTF-8 or no memory");
}

static bool put_network(json_t *o, const struct client_workload *w,
	struct err *e)
{
	json_t *list = json_array();
	bool ok = !json_object_set_new(o, "listen", list) ||
		err_fail(e, ERR_LIMIT, "no memory");
	for (size_t i = 0; ok && w && i < w->file_count; i++)
		if (w->files[i].kind == FRAME_FD_LISTEN)
			ok = put_port(list, w->files[i].address,
				w->files[i].port, e);
	for (size_t i = 0; ok && w && i < w->listen_count; i++)
		for (unsigned p = w->listens[i].first;
			ok && p <= w->listens[i].last; p++)
			ok = put_port(list, NULL, p, e);
	if (ok && w && client_workload_connects(w))
		ok = !json_object_set_new(o, "connect", json_true()) ||
			err_fail(e, ERR_LIMIT, "no memory");
	return ok;
}

/* Owned; NULL: why not is told. */
static json_t *make_ask(const struct client_ask *ask, struct err *e)
{
	char nonce[65], owner[65];
	hex_encode(BYTES_ARRAY(ask->nonce), nonce);
	hex_encode(BYTES_ARRAY(ask->owner), owner);
	json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "tee", ask->tee, "platform",
		ask->platform, "nonce", nonce, "owner_key_hash", owner);
	if (o &&
		(!ask->memory ||
			!json_object_set_new(o, "memory",
				json_integer((json_int_t)ask->memory)))) {
		if (put_network(o, ask->workload, e))
			return o;
	} else {
		err_put(e, ERR_INPUT, "ask: not UTF-8 or no memory");
	}
	json_decref(o);
	return NULL;
}

bool client_api_ask(struct net_http *h, const struct client_ask *ask,
	struct err *e)
{
	auto_buf body = { 0 };
	json_t *o = make_ask(ask, e);
	bool ok = o && json_print(o, &body, e);
	json_decref(o);
	return ok && net_http_send(h, "POST", "/v1/keeps", buf_bytes(&body), e);
}

/* An answer that makes no sense is the host's failure, not the tenant's. */
static bool answered(const struct net_http *h, bool ok, struct err *e)
{
	if (!ok && e && e->kind == ERR_INPUT)
		e->kind = ERR_HOST;
	return ok || err_wrap(e, "%s: answer", net_http_name(h));
}

bool client_api_asked(struct net_http *h, struct client_keep *out,
	struct err *e)
{
	auto_net_response r = { .body = { .limit = MAX_ANSWER } };
	if (!net_http_receive(h, &r, e))
		return false;
	if (r.status != 201)
		return refused(h, &r, e);
	return answered(h, client_keep_parse(buf_bytes(&r.body), true, out, e),
		e);
}

static bool get(struct net_http *h, const char *path, struct net_response *r,
	struct err *e)
{
	return net_http_call(h, "GET", path, BYTES_NONE, r, e) &&
		(r->status == 200 || refused(h, r, e));
}

bool client_api_keep(struct net_http *h, const char *id, bool evidence,
	struct client_keep *out, struct err *e)
{
	char path[80];
	auto_net_response r = { .body = { .limit = MAX_ANSWER } };
	return keep_path(path, id, "", e) && get(h, path, &r, e) &&
		answered(h,
			client_keep_parse(buf_bytes(&r.body), evidence, out, e),
			e);
}

bool client_api_settled(struct net_http *h, const char *id,
	struct client_keep *out, struct err *e)
{
	for (int waited = 0;; waited += LOOK_MS) {
		if (!client_api_keep(h, id, false, out, e))
			return false;
		if (!strcmp(out->state, "ended") || waited >= SETTLE_MS)
			return true;
		client_keep_fini(out);
		poll(NULL, 0, LOOK_MS);
	}
}

bool client_api_keeps(struct net_http *h, struct client_keep **list,
	size_t *count, struct err *e)
{
	auto_net_response r = { .body = { .limit = MAX_ANSWER } };
	return get(h, "/v1/keeps", &r, e) &&
		answered(h,
			client_keeps_parse(buf_bytes(&r.body), list, count, e),
			e);
}

bool client_api_end(struct net_http *h, const char *id, bool *gone,
	struct err *e)
{
	char path[80];
	auto_net_response r = { .body = { .limit = MAX_ANSWER } };
	if (!keep_path(path, id, "", e) ||
		!net_http_call(h, "DELETE", path, BYTES_NONE, &r, e))
		return false;
	*gone = r.status == 404;
	return r.status == 204 || r.status == 200 || *gone || refused(h, &r, e);
}

bool client_api_platform(struct net_http *h, struct client_platform *out,
	struct err *e)
{
	auto_net_response r = { .body = { .limit = MAX_ANSWER } };
	return get(h, "/v1/platform", &r, e) &&
		answered(h, client_platform_parse(buf_bytes(&r.body), out, e),
			e);
}

bool client_api_channel(struct net_http *h, const char *id, struct err *e)
{
	char path[80];
	auto_net_response r = { .body = { .limit = MAX_ANSWER } };
	return keep_path(path, id, "/channel", e) &&
		net_http_upgrade(h, path, CHANNEL_PROTOCOL, &r, e) &&
		(r.status == 101 || refused(h, &r, e));
}
