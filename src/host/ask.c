/* SPDX-License-Identifier: Apache-2.0 */
#include "host/ask.h"

#include "base/fmt.h"
#include "codec/json.h"

static bool get_tee(const json_t *o, struct ask *a, struct err *e)
{
	const char *text = NULL;
	if (!json_member_str(o, "tee", sizeof a->tee - 1, &text, e))
		return false;
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (!n || text[n])
		return err_fail(e, ERR_INPUT, "tee: not a technology's name");
	fmt(a->tee, sizeof a->tee, "%s", text);
	return true;
}

static bool get_platform(const json_t *o, struct ask *a, struct err *e)
{
	static const char *const names[] = { [ASK_AUTO] = "auto",
		[ASK_HARDWARE] = "hardware",
		[ASK_SOFTWARE] = "software" };
	const char *text = names[ASK_AUTO];
	if (!json_member_str_opt(o, "platform", 16, &text, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(text, names[i])) {
			a->platform = (enum ask_platform)i;
			return true;
		}
	return err_fail(e, ERR_INPUT,
		"platform: not hardware, software or auto");
}

static bool get_port(const json_t *v, struct ask *a, struct err *e)
{
	struct gate_port p = { .port = 0 };
	if (!json_is_string(v) ||
		!net_endpoint_parse(json_string_value(v), &p.address, &p.port,
			e))
		return err_fail(e, ERR_INPUT, "not PORT or ADDRESS:PORT");
	for (size_t i = 0; i < a->listen_count; i++)
		if (a->listen[i].port == p.port)
			return err_fail(e, ERR_INPUT, "port %u twice", p.port);
	a->listen[a->listen_count++] = p;
	return true;
}

static bool get_listen(const json_t *o, struct ask *a, struct err *e)
{
	const json_t *v = json_object_get(o, "listen");
	size_t n = json_array_size(v);
	if (v && !json_is_array(v))
		return err_fail(e, ERR_INPUT, "listen: not an array");
	if (n > GATE_MAX_PORTS)
		return err_fail(e, ERR_INPUT, "listen: more than %d",
			GATE_MAX_PORTS);
	for (size_t i = 0; i < n; i++)
		if (!get_port(json_array_get(v, i), a, e))
			return err_wrap(e, "listen: entry %zu", i);
	return true;
}

bool ask_parse(struct bytes in, struct ask *out, struct err *e)
{
	static const char *const known[] = { "tee", "platform", "nonce",
		"owner_key_hash", "memory", "listen", "connect", NULL };
	json_auto_t *o = NULL;
	struct ask a = { 0 };
	if (!json_parse(in, ASK_MAX_BYTES, &o, e))
		return err_wrap(e, "ask");
	if (!json_is_object(o))
		return err_fail(e, ERR_INPUT, "ask: not an object");
	if (!json_no_more(o, known, e) || !get_tee(o, &a, e) ||
		!get_platform(o, &a, e) ||
		!json_member_hex(o, "nonce", a.nonce, sizeof a.nonce, e) ||
		!json_member_hex(o, "owner_key_hash", a.owner_key_hash,
			sizeof a.owner_key_hash, e) ||
		!json_member_u64_opt(o, "memory", ASK_MEMORY_MIN, INT64_MAX,
			&a.memory, e) ||
		!get_listen(o, &a, e) ||
		!json_member_bool_opt(o, "connect", &a.connect, e))
		return err_wrap(e, "ask");
	*out = a;
	return true;
}
