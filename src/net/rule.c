/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rule.h"

#include <arpa/inet.h>

#include "base/fmt.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* --- addresses ---------------------------------------------------------- */

bool net_address_parse(struct bytes text, struct net_address *out)
{
	char copy[64];
	struct net_address a = { { 0 } };
	if (text.len > 2 && text.ptr[0] == '[' &&
		text.ptr[text.len - 1] == ']') {
		text = bytes_of(text.ptr + 1, text.len - 2);
		if (!memchr(text.ptr, ':', text.len))
			return false;
	}
	if (!text.len || text.len >= sizeof copy ||
		memchr(text.ptr, 0, text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, a.ip + sizeof mapped) == 1)
		memcpy(a.ip, mapped, sizeof mapped);
	else if (inet_pton(AF_INET6, copy, a.ip) != 1)
		return false;
	*out = a;
	return true;
}

bool net_address_is_v4(const struct net_address *a)
{
	return !memcmp(a->ip, mapped, sizeof mapped);
}

static bool within(const struct net_address *a, const uint8_t net[16],
	unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a->ip, net, whole) != 0)
		return false;
	return !rest || !((a->ip[whole] ^ net[whole]) >> (8 - rest));
}

/* IANA's special-purpose registries (RFC 6890), and multicast. */
bool net_address_is_public(const struct net_address *a)
{
	static const struct {
		uint8_t ip[4];
		uint8_t bits;
	} v4[] = {
		{ { 0, 0, 0, 0 }, 8 },
		{ { 10, 0, 0, 0 }, 8 },
		{ { 100, 64, 0, 0 }, 10 },
		{ { 127, 0, 0, 0 }, 8 },
		{ { 169, 254, 0, 0 }, 16 },
		{ { 172, 16, 0, 0 }, 12 },
		{ { 192, 0, 0, 0 }, 24 },
		{ { 192, 0, 2, 0 }, 24 },
		{ { 192, 168, 0, 0 }, 16 },
		{ { 198, 18, 0, 0 }, 15 },
		{ { 198, 51, 100, 0 }, 24 },
		{ { 203, 0, 113, 0 }, 24 },
		{ { 224, 0, 0, 0 }, 3 },
	};
	uint8_t net[16];
	if (!net_address_is_v4(a)) {
		/* Global unicast is 2000::/3; of it, 2001::/23 and 2002::/16
		 * hold or wrap other addresses, 2001:db8::/32 is for books. */
		static const uint8_t global[16] = { 0x20 };
		static const uint8_t special[16] = { 0x20, 0x01 };
		static const uint8_t books[16] = { 0x20, 0x01, 0x0d, 0xb8 };
		static const uint8_t wraps[16] = { 0x20, 0x02 };
		return within(a, global, 3) && !within(a, special, 23) &&
			!within(a, books, 32) && !within(a, wraps, 16);
	}
	memcpy(net, mapped, sizeof mapped);
	for (size_t i = 0; i < ARRAY_LEN(v4); i++) {
		memcpy(net + sizeof mapped, v4[i].ip, 4);
		if (within(a, net, 96u + v4[i].bits))
			return false;
	}
	return true;
}

/* --- rules -------------------------------------------------------------- */

bool net_host_ok(struct bytes host)
{
	if (!host.len || host.len > NET_HOST_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] <= ' ' || host.ptr[i] > '~')
			return false;
	return true;
}

/* Digits that end at the end of the span; false: no number up to max. */
static bool number(struct bytes text, unsigned max, unsigned *out)
{
	unsigned n = 0;
	if (!text.len || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		n = n * 10 + (text.ptr[i] - '0');
	}
	*out = n;
	return n <= max;
}

static bool make_address(struct bytes host, struct net_rule *r)
{
	const uint8_t *slash = memchr(host.ptr, '/', host.len);
	size_t n = slash ? (size_t)(slash - host.ptr) : host.len;
	unsigned bits = 0;
	if (!net_address_parse(bytes_of(host.ptr, n), &r->address))
		return false;
	unsigned most = net_address_is_v4(&r->address) ? 32 : 128;
	bits = most;
	if (slash && !number(bytes_from(host, n + 1), most, &bits))
		return false;
	r->kind = NET_RULE_ADDRESS;
	r->bits = bits + 128 - most;
	return true;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool make_name(struct bytes host, struct net_rule *r)
{
	r->kind = NET_RULE_NAME;
	if (host.ptr[0] == '*') {
		r->kind = NET_RULE_BELOW;
		if (host.len > 1 && (host.len < 3 || host.ptr[1] != '.'))
			return false;
		host = bytes_from(host, 2);
	}
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.ptr[i];
		bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
			(c == '.' && i && host.ptr[i - 1] != '.');
		if (!fine)
			return false;
		r->name[i] = lower(c);
	}
	return true;
}

bool net_rule_make(struct bytes host, uint16_t first, uint16_t last,
	struct net_rule *out, struct err *e)
{
	struct net_rule r = { .first = first, .last = last };
	if (!host.len || host.len > NET_HOST_MAX || first > last ||
		(!make_address(host, &r) && !make_name(host, &r)))
		return err_fail(e, ERR_INPUT,
			"%.*s: not a name, *.NAME, address or ADDRESS/BITS",
			(int)size_min(host.len, 64), (const char *)host.ptr);
	*out = r;
	return true;
}

/* The colon before the port: the last one outside of brackets. */
static const char *port_of(const char *text)
{
	const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
	return colon && (!bracket || bracket < colon) ? colon : NULL;
}

static bool ports(const char *text, unsigned *first, unsigned *last)
{
	const char *dash = strchr(text, '-');
	if (!strcmp(text, "*")) {
		*first = 1;
		*last = UINT16_MAX;
		return true;
	}
	if (!dash)
		dash = text + strlen(text);
	if (!number(bytes_of(text, (size_t)(dash - text)), UINT16_MAX, first))
		return false;
	*last = *first;
	if (*dash && !number(bytes_str(dash + 1), UINT16_MAX, last))
		return false;
	return *first && *first <= *last;
}

bool net_rule_parse(const char *text, struct net_rule *out, struct err *e)
{
	unsigned first, last;
	if (!strcmp(text, "any")) {
		*out = (struct net_rule){ .kind = NET_RULE_ANY,
			.first = 1,
			.last = UINT16_MAX };
		return true;
	}
	const char *colon = port_of(text);
	if (!colon || !ports(colon + 1, &first, &last))
		return err_fail(e, ERR_INPUT,
			"%.64s: want HOST:PORT, HOST:FIRST-LAST, HOST:* or any",
			text);
	return net_rule_make(bytes_of(text, (size_t)(colon - text)),
		(uint16_t)first, (uint16_t)last, out, e);
}

/* --- endpoints ---------------------------------------------------------- */

bool net_endpoint_parse(const char *text, struct net_address *a, uint16_t *port,
	struct err *e)
{
	const char *colon = port_of(text);
	const char *digits = colon ? colon + 1 : text;
	struct net_address any = { { 0 } };
	unsigned n = 0;
	if (!number(bytes_str(digits), UINT16_MAX, &n) || !n ||
		(text[0] != '[' && strchr(text, ':') != colon) ||
		(colon > text &&
			!net_address_parse(bytes_of(text,
						   (size_t)(colon - text)),
				&any)))
		return err_fail(e, ERR_INPUT,
			"%.64s: want PORT, FIRST-LAST, or ADDRESS: before them",
			text);
	*a = any;
	*port = (uint16_t)n;
	return true;
}

void net_endpoint_print(const struct net_address *a, uint16_t port,
	char out[64])
{
	char text[INET6_ADDRSTRLEN] = "";
	if (bytes_all_zero(BYTES_ARRAY(a->ip))) {
		fmt(out, 64, ":%u", port);
	} else if (net_address_is_v4(a)) {
		inet_ntop(AF_INET, a->ip + sizeof mapped, text, sizeof text);
		fmt(out, 64, "%s:%u", text, port);
	} else {
		inet_ntop(AF_INET6, a->ip, text, sizeof text);
		fmt(out, 64, "[%s]:%u", text, port);
	}
}

/* --- judging ------------------------------------------------------------ */

static bool has_port(const struct net_rule *r, uint16_t port)
{
	return !port || (port >= r->first && port <= r->last);
}

/* `name` is all of it, or ends in ".NAME". */
static bool has_name(const struct net_rule *r, struct bytes name)
{
	size_t n = strlen(r->name);
	if (name.len && name.ptr[name.len - 1] == '.')
		name.len--;
	if (r->kind == NET_RULE_BELOW && !n)
		return true;
	if (r->kind == NET_RULE_BELOW) {
		if (name.len < n + 2 || name.ptr[name.len - n - 1] != '.')
			return false;
		name = bytes_from(name, name.len - n);
	}
	if (name.len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(name.ptr[i]) != r->name[i])
			return false;
	return true;
}

enum net_verdict net_rules_name(const struct net_rule *list, size_t count,
	struct bytes name, uint16_t port)
{
	enum net_verdict best = NET_DENIED;
	for (size_t i = 0; i < count; i++) {
		const struct net_rule *r = &list[i];
		enum net_verdict v = NET_DENIED;
		if (!has_port(r, port))
			continue;
		if (r->kind == NET_RULE_ANY)
			v = NET_ALLOWED;
		else if (r->kind == NET_RULE_ADDRESS)
			v = NET_BY_ADDRESS;
		else if (has_name(r, name))
			v = r->kind == NET_RULE_NAME ? NET_ALLOWED : NET_PUBLIC;
		if (v > best)
			best = v;
	}
	return best;
}

bool net_rules_address(const struct net_rule *list, size_t count,
	const struct net_address *a, uint16_t port)
{
	for (size_t i = 0; i < count; i++) {
		const struct net_rule *r = &list[i];
		if (!has_port(r, port))
			continue;
		if (r->kind == NET_RULE_ANY ||
			(r->kind == NET_RULE_ADDRESS &&
				within(a, r->address.ip, r->bits)))
			return true;
	}
	return false;
}
