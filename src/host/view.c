/* SPDX-License-Identifier: Apache-2.0 */
#include "host/view.h"

#include "codec/hex.h"

static bool put(json_t *o, const char *key, json_t *v)
{
	return json_object_set_new(o, key, v) == 0;
}

static bool put_str(json_t *o, const char *key, const char *text)
{
	return put(o, key, json_string(text));
}

static bool put_int(json_t *o, const char *key, uint64_t n)
{
	return put(o, key, json_integer((json_int_t)n));
}

static bool put_base64(json_t *o, const char *key, const struct buf *b)
{
	auto_buf text = { 0 };
	return base64_encode(buf_bytes(b), &text) &&
		put_str(o, key, buf_cstr(&text));
}

static bool put_ports(json_t *o, const struct keep *k)
{
	json_t *list = json_array();
	bool ok = put(o, "listen", list);
	for (size_t i = 0; ok && i < k->port_count; i++) {
		char text[64];
		net_endpoint_print(&k->ports[i].address, k->ports[i].port,
			text);
		ok = json_array_append_new(list, json_string(text)) == 0;
	}
	return ok;
}

json_t *view_keep(const struct keep *k, bool evidence)
{
	char owner[65];
	json_auto_t *o = json_object();
	hex_encode(BYTES_ARRAY(k->owner_key_hash), owner);
	bool ok = put_str(o, "id", k->id) && put_str(o, "tee", k->tee) &&
		put(o, "software", json_boolean(k->software)) &&
		put_str(o, "state", keep_state_name(k->state)) &&
		put_str(o, "owner_key_hash", owner) &&
		put_int(o, "created", (uint64_t)k->created) &&
		put_int(o, "memory", k->memory) && put_ports(o, k) &&
		put_int(o, "channels", k->open) &&
		put_int(o, "bytes_in", k->bytes_in) &&
		put_int(o, "bytes_out", k->bytes_out);
	if (ok && k->state == KEEP_ENDED)
		ok = put_str(o, "reason", k->reason) &&
			put_int(o, "ended", (uint64_t)k->ended);
	if (ok && evidence && k->state == KEEP_ATTESTED)
		ok = put_base64(o, "claims", &k->claims) &&
			put_base64(o, "evidence", &k->evidence) &&
			put_base64(o, "endorsements", &k->endorsements) &&
			put_base64(o, "certificate", &k->certificate);
	return ok ? json_incref(o) : NULL;
}

json_t *view_keeps(const struct keeps *ks)
{
	json_auto_t *o = json_object();
	json_t *list = json_array();
	if (!put(o, "keeps", list))
		return NULL;
	for (const struct keep *k = ks->first; k; k = k->next)
		if (json_array_append_new(list, view_keep(k, false)))
			return NULL;
	return json_incref(o);
}

json_t *view_error(enum err_kind kind, const char *text)
{
	json_auto_t *o = json_object();
	json_t *inner = json_object();
	bool ok = put(o, "error", inner) &&
		put_str(inner, "kind", err_kind_name(kind)) &&
		put_str(inner, "text", text);
	return ok ? json_incref(o) : NULL;
}
