/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [keystone], [sanctum] and [pef] in a policy (docs/policy.md). */
#include <stdlib.h>

#include "attest/rules.h"
#include "codec/toml.h"

enum { KEY = 32, MONITOR = 64 };

/* The device key that Keystone publishes for tests, with its secret half
 * (keystone, bootrom/test_dev_key.h): whoever trusts it trusts everybody. */
static const uint8_t keystone_test_key[KEY] = { 0x0f, 0xaa, 0xd4, 0xff, 0x01,
	0x17, 0x85, 0x83, 0xba, 0xa5, 0x88, 0x96, 0x6f, 0x7c, 0x1f, 0xf3, 0x25,
	0x64, 0xdd, 0x17, 0xd7, 0xdc, 0x2b, 0x46, 0xcb, 0x50, 0xa8, 0x4a, 0x69,
	0x27, 0x0b, 0x4c };

bool attest_policy_keystone_read(struct attest_riscv_rules *r,
	struct toml_node *t, struct err *e)
{
	const struct attest_list lists[] = {
		{ "device_keys", KEY, &r->devices },
		{ "monitors", MONITOR, &r->monitors },
	};
	if (!attest_lists_read(lists, ARRAY_LEN(lists), t, e))
		return false;
	if (attest_digests_has(&r->devices, BYTES_ARRAY(keystone_test_key)))
		return err_fail(e, ERR_INPUT,
			"%s: device_keys names the published test key",
			toml_where(toml_get(t, "device_keys")));
	struct toml_node *n = toml_get(t, "allow_guessable_monitor_keys");
	return !n || toml_bool(n, &r->allow_guessable_keys, e);
}

bool attest_policy_sanctum_read(struct attest_riscv_rules *r,
	struct toml_node *t, struct err *e)
{
	const struct attest_list lists[] = {
		{ "manufacturer_keys", KEY, &r->manufacturers },
		{ "device_keys", KEY, &r->devices },
		{ "monitor_keys", KEY, &r->monitor_keys },
		{ "monitors", MONITOR, &r->monitors },
	};
	return attest_lists_read(lists, ARRAY_LEN(lists), t, e);
}

bool attest_policy_pef_read(struct attest_digests *keys, struct toml_node *t,
	struct err *e)
{
	const struct attest_list lists[] = { { "keys", KEY, keys } };
	return attest_lists_read(lists, 1, t, e);
}
