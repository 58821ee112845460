/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sandbox_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <sys/socket.h>

const struct sandbox_rule sandbox_net[SANDBOX_NET_RULES] = {
	{ SCMP_SYS(socket), 0, AF_INET },
	{ SCMP_SYS(socket), 0, AF_INET6 },
	{ SCMP_SYS(connect), SANDBOX_ANY, 0 },
	{ SCMP_SYS(listen), SANDBOX_ANY, 0 },
	{ SCMP_SYS(accept4), SANDBOX_ANY, 0 },
	{ SCMP_SYS(setsockopt), 1, IPPROTO_TCP },
};

static bool add(scmp_filter_ctx ctx, const struct sandbox_rule *r,
	struct err *e)
{
	int rc;
	if (r->arg == SANDBOX_ANY)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, r->call, 0);
	else
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, r->call, 1,
			SCMP_CMP((unsigned)r->arg, SCMP_CMP_EQ, r->value));
	if (rc)
		return err_fail(e, ERR_HOST, "seccomp: call %d: %s", r->call,
			strerror(-rc));
	return true;
}

static bool add_all(scmp_filter_ctx ctx, const int *calls, size_t call_count,
	const struct sandbox_rule *rules, size_t rule_count, struct err *e)
{
	for (size_t i = 0; i < call_count; i++) {
		struct sandbox_rule r = { calls[i], SANDBOX_ANY, 0 };
		if (!add(ctx, &r, e))
			return false;
	}
	for (size_t i = 0; i < rule_count; i++)
		if (!add(ctx, &rules[i], e))
			return false;
	int rc = seccomp_load(ctx);
	if (rc)
		return err_fail(e, ERR_HOST, "seccomp: %s", strerror(-rc));
	return true;
}

bool sandbox_load(const int *calls, size_t call_count,
	const struct sandbox_rule *rules, size_t rule_count, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return err_fail(e, ERR_HOST, "seccomp: no memory");
	/* All threads of the process. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	bool ok = add_all(ctx, calls, call_count, rules, rule_count, e);
	seccomp_release(ctx);
	return ok;
}
