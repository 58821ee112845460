/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule, an end of line, a host.  What is a rule judges every host without
 * harm, and what allows an address allows it in each of its spellings.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "net/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf text = { 0 };
	struct net_rule r;
	struct net_address a;
	struct err e;
	uint16_t port;
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	struct bytes host = bytes_from(bytes_of(data, size), n + 1);
	if (!buf_put(&text, bytes_of(data, n)))
		return 0;
	if (net_endpoint_parse(buf_cstr(&text), &a, &port, &e)) {
		char again[64];
		struct net_address b;
		net_endpoint_print(&a, port, again);
		if (!net_endpoint_parse(again, &b, &port, &e) ||
			memcmp(&a, &b, sizeof a))
			abort();
	}
	if (!net_rule_parse(buf_cstr(&text), &r, &e))
		return 0;
	if (!r.first || r.first > r.last || r.bits > 128)
		abort();
	(void)net_rules_name(&r, 1, host, 0);
	(void)net_rules_name(&r, 1, host, r.first);
	if (net_address_parse(host, &a)) {
		(void)net_rules_address(&r, 1, &a, r.last);
		(void)net_address_is_public(&a);
	}
	return 0;
}
