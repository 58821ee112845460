/* SPDX-License-Identifier: Apache-2.0 */
/* The tables [keystone] and [sanctum] of a description of a launch. */
#include "attest/launch_parts.h"
#include "attest/measure_monitor.h"

enum { PAGE = 4096, HASH = 64 };

bool attest_launch_keystone(const struct launcher *l, struct toml_node *t,
	struct err *e)
{
	auto_buf monitor = { 0 }, loader = { 0 }, runtime = { 0 }, app = { 0 };
	struct toml_node *enclave = toml_get(t, "eapp");
	if (!attest_launch_read_file_opt(l, t, "monitor", &monitor, e) ||
		!attest_launch_read_file_opt(l, t, "loader", &loader, e) ||
		!attest_launch_read_file_opt(l, t, "runtime", &runtime, e) ||
		!attest_launch_read_file_opt(l, t, "eapp", &app, e))
		return false;
	if (!enclave && !monitor.len)
		return err_fail(e, ERR_INPUT, "%s: neither eapp nor monitor",
			toml_where(t));
	if (monitor.len &&
		!attest_keystone_monitor(buf_bytes(&monitor), l->out->monitor,
			e))
		return err_wrap(e, "%s", toml_where(t));
	l->out->has_monitor = monitor.len;
	if (!enclave)
		return true;
	l->out->len = HASH;
	if (l->cfg->trace)
		buf_fmt(l->cfg->trace,
			"loader     %zu bytes\nruntime    %zu bytes\n"
			"eapp       %zu bytes\n",
			loader.len, runtime.len, app.len);
	return attest_keystone_enclave(buf_bytes(&loader), buf_bytes(&runtime),
		       buf_bytes(&app), l->out->measurement, e) ||
		err_wrap(e, "%s", toml_where(t));
}

/* --- Sanctum ------------------------------------------------------------ */

static void tell(const struct launcher *l, const char *what, uint64_t at,
	uint64_t acl)
{
	if (l->cfg->trace)
		buf_fmt(l->cfg->trace, "%-10s 0x%012llx  0x%llx\n", what,
			(unsigned long long)at, (unsigned long long)acl);
}

static bool add_table(const struct launcher *l, struct toml_node *t,
	struct attest_sanctum_build *b, struct err *e)
{
	uint64_t address = 0, level = 0, acl = 0;
	if (!attest_launch_need_number(t, "address", &address, e) ||
		!attest_launch_need_number(t, "level", &level, e) ||
		!attest_launch_need_number(t, "acl", &acl, e))
		return false;
	tell(l, "table", address, acl);
	return attest_sanctum_table(b, address, level, acl, e);
}

static bool add_pages(const struct launcher *l, struct toml_node *t,
	struct attest_sanctum_build *b, struct err *e)
{
	uint64_t address = 0, acl = 0, size;
	uint8_t page[PAGE];
	auto_buf file = { 0 };
	if (!attest_launch_need_number(t, "address", &address, e) ||
		!attest_launch_need_number(t, "acl", &acl, e) ||
		!attest_launch_read_file_opt(l, t, "file", &file, e))
		return false;
	struct bytes in = buf_bytes(&file);
	if (!attest_launch_cut(t, &in, e))
		return false;
	size = in.len ? in.len : PAGE;
	if (!attest_launch_read_number(t, "size", &size, e))
		return false;
	if (size > UINT64_C(1) << 30)
		return err_fail(e, ERR_LIMIT, "too large");
	for (uint64_t at = 0; at < size; at += PAGE) {
		struct bytes part = bytes_from(in, (size_t)at);
		memset(page, 0, sizeof page);
		if (part.len)
			memcpy(page, part.ptr, size_min(part.len, PAGE));
		tell(l, "page", address + at, acl);
		if (!attest_sanctum_page(b, address + at, acl,
			    BYTES_ARRAY(page), e))
			return false;
	}
	return true;
}

static bool add_thread(const struct launcher *l, struct toml_node *t,
	struct attest_sanctum_build *b, struct err *e)
{
	uint64_t pc = 0, sp = 0, limit = 0;
	if (!attest_launch_need_number(t, "pc", &pc, e) ||
		!attest_launch_need_number(t, "sp", &sp, e) ||
		!attest_launch_need_number(t, "timer_limit", &limit, e))
		return false;
	tell(l, "thread", pc, sp);
	return attest_sanctum_thread(b, pc, sp, limit, e);
}

static bool each(const struct launcher *l, struct toml_node *t, const char *key,
	bool (*add)(const struct launcher *, struct toml_node *,
		struct attest_sanctum_build *, struct err *),
	struct attest_sanctum_build *b, struct err *e)
{
	struct toml_node *list = toml_get(t, key);
	if (list && !toml_expect(list, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; list && i < toml_count(list); i++) {
		struct toml_node *n = toml_at(list, i);
		if (!toml_expect(n, TOML_TABLE, e))
			return false;
		if (!add(l, n, b, e))
			return err_wrap(e, "%s", toml_where(n));
		if (!toml_no_more(n, e))
			return false;
	}
	return true;
}

bool attest_launch_sanctum(const struct launcher *l, struct toml_node *t,
	struct err *e)
{
	uint64_t base = 0, mask = 0, mailboxes = 0;
	bool debug = false;
	struct attest_sanctum_build *b;
	auto_buf handler = { 0 };
	struct toml_node *flag = toml_get(t, "debug");
	if (!attest_launch_need_number(t, "ev_base", &base, e) ||
		!attest_launch_need_number(t, "ev_mask", &mask, e) ||
		!attest_launch_read_number(t, "mailboxes", &mailboxes, e) ||
		(flag && !toml_bool(flag, &debug, e)) ||
		!attest_launch_read_file_opt(l, t, "handler", &handler, e) ||
		!attest_sanctum_create(base, mask, mailboxes, debug, &b, e))
		return false;
	bool ok = attest_sanctum_handler(b, buf_bytes(&handler), e) &&
		each(l, t, "table", add_table, b, e) &&
		each(l, t, "page", add_pages, b, e) &&
		each(l, t, "thread", add_thread, b, e) &&
		attest_sanctum_end(b, l->out->measurement, e);
	attest_sanctum_free(b);
	l->out->len = HASH;
	return ok || err_wrap(e, "%s", toml_where(t));
}
