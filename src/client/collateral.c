/* SPDX-License-Identifier: Apache-2.0 */
#include "client/collateral.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "attest/time.h"
#include "attest/vet.h"
#include "base/file.h"
#include "client/files.h"
#include "client/paths.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "net/web.h"
#include "repository/repository.h"

enum { MAX_DOCUMENT = 1 << 20, MAX_NAMES = 256 };

#define KDS "https://kdsintf.amd.com"
#define PCS "https://api.trustedservices.intel.com"

/* --- files of the cache -------------------------------------------------- */

static bool write_file(const char *folder, const char *name, struct bytes data,
	struct err *e)
{
	auto_buf path = { 0 };
	if (!buf_fmt(&path, "%s/%s", folder, name))
		return err_fail(e, ERR_LIMIT, "no memory");
	return file_replace(buf_cstr(&path), 0644, data) ||
		err_fail(e, ERR_INPUT, "%s: %s", buf_cstr(&path),
			strerror(errno));
}

static bool read_cached(const struct client_collateral *c, const char *name,
	struct buf *out, struct err *e)
{
	auto_buf path = { 0 };
	return (buf_fmt(&path, "%s/%s", c->cache, name) ||
		       err_fail(e, ERR_LIMIT, "no memory")) &&
		repository_read_file(buf_cstr(&path), MAX_DOCUMENT, out, e);
}

/* An older list is genuine too: it must not take the place of a newer one. */
static bool is_newer(const struct client_collateral *c,
	const struct attest_vetted *v)
{
	int64_t from;
	auto_buf old = { 0 };
	return !read_cached(c, v->name, &old, NULL) ||
		!attest_vet_begins(buf_bytes(&old), &from) || v->from >= from;
}

static bool store(const struct client_collateral *c,
	const struct attest_vetted *v, struct err *e)
{
	if (!is_newer(c, v)) {
		if (c->on_file)
			c->on_file(c->ctx, v->name, "(a newer one is there)");
		return true;
	}
	if (!write_file(c->cache, v->name, buf_bytes(&v->file), e))
		return false;
	if (c->on_file)
		c->on_file(c->ctx, v->name, v->what);
	return true;
}

static bool vet_and_store(const struct client_collateral *c, struct bytes file,
	struct bytes chain, struct err *e)
{
	struct attest_vetted v;
	if (!attest_vet(file, chain, &v, e))
		return false;
	bool ok = store(c, &v, e);
	attest_vetted_fini(&v);
	return ok;
}

/* Names in a folder, sorted, hidden ones left out; owned. */
struct names {
	struct dirent **list;
	int count;
};

static void names_fini(struct names *n)
{
	for (int i = 0; i < n->count; i++)
		free(n->list[i]);
	free(n->list);
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool names_read(const char *folder, struct names *n, struct err *e)
{
	n->count = scandir(folder, &n->list, visible, alphasort);
	if (n->count >= 0)
		return true;
	*n = (struct names){ 0 };
	return errno == ENOENT ||
		err_fail(e, ERR_INPUT, "%s: %s", folder, strerror(errno));
}

#define auto_names __attribute__((cleanup(names_fini))) struct names

/* --- fetching ------------------------------------------------------------ */

static bool address(const struct client_collateral *c,
	const struct attest_wanted *w, struct buf *url, struct err *e)
{
	const char *base = w->service == ATTEST_KDS ? c->kds : c->pcs;
	if (!base && w->elsewhere)
		return buf_str(url, w->elsewhere) ||
			err_fail(e, ERR_LIMIT, "no memory");
	if (!base)
		base = w->service == ATTEST_KDS ? KDS : PCS;
	size_t n = strlen(base);
	while (n && base[n - 1] == '/')
		n--;
	return (buf_put(url, bytes_of(base, n)) && buf_str(url, w->path)) ||
		err_fail(e, ERR_LIMIT, "no memory");
}

static bool take_answer(const struct client_collateral *c,
	const struct attest_wanted *w, const struct net_web_answer *a,
	struct err *e)
{
	auto_buf chain = { 0 };
	const char *header =
		w->chain_header ? net_web_header(a, w->chain_header) : NULL;
	if (a->status == 404)
		return err_fail(e, ERR_INPUT, "the service does not have it");
	if (a->status != 200)
		return err_fail(e, ERR_HOST, "status %u", a->status);
	if (w->chain_header && !header)
		return err_fail(e, ERR_HOST, "no header %s", w->chain_header);
	if (header && !percent_decode(header, &chain))
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!vet_and_store(c, buf_bytes(&a->body), buf_bytes(&chain), e))
		return false;
	/* What it is signed with is wanted with it. */
	return !chain.len || vet_and_store(c, buf_bytes(&chain), BYTES_NONE, e);
}

static bool fetch(const struct client_collateral *c, struct net_web *web,
	const struct attest_wanted *w, struct err *e)
{
	auto_buf url = { 0 };
	struct net_web_answer a = { 0 };
	if (!address(c, w, &url, e))
		return false;
	const struct net_web_request r = { .method = "GET",
		.url = buf_cstr(&url),
		.max_bytes = MAX_DOCUMENT };
	bool ok = net_web_do(web, &r, &a, e) &&
		(take_answer(c, w, &a, e) || err_wrap(e, "%s", buf_cstr(&url)));
	net_web_answer_fini(&a);
	return ok;
}

/* --- what is wanted ------------------------------------------------------ */

struct wishes {
	struct attest_wanted list[MAX_NAMES];
	size_t count;
};

static void wish(struct wishes *l, const struct attest_wanted *w)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->list[i].path, w->path))
			return;
	if (l->count < MAX_NAMES)
		l->list[l->count++] = *w;
}

static bool wish_of_evidence(struct wishes *l, const char *file, struct err *e)
{
	struct attest_wanted *w = calloc(ATTEST_WANTED_MAX, sizeof *w);
	struct attest_bundle b = { 0 };
	size_t n = 0;
	auto_buf text = { 0 };
	bool ok = (w || err_fail(e, ERR_LIMIT, "no memory")) &&
		repository_read_file(file, ATTEST_BUNDLE_MAX, &text, e) &&
		attest_bundle_read(buf_bytes(&text), &b, e) &&
		attest_wanted(&b, w, &n, e);
	for (size_t i = 0; ok && i < n; i++)
		wish(l, &w[i]);
	attest_bundle_fini(&b);
	free(w);
	return ok || err_wrap(e, "%s", file);
}

static bool wish_of_cache(const struct client_collateral *c, struct wishes *l,
	struct err *e)
{
	auto_names n = { 0 };
	if (!names_read(c->cache, &n, e))
		return false;
	for (int i = 0; i < n.count; i++) {
		struct attest_wanted w;
		if (attest_wanted_again(n.list[i]->d_name, &w))
			wish(l, &w);
	}
	return true;
}

static bool fetch_all(const struct client_collateral *c, const struct wishes *l,
	struct err *e)
{
	const struct net_web_config cfg = { .ca_file = c->ca_file,
		.plain_http = c->plain_http,
		.timeout_s = c->timeout_s,
		.cancel_fd = c->cancel_fd };
	struct net_web *web;
	if (!client_path_make(c->cache, e) || !net_web_open(&cfg, &web, e))
		return false;
	/* One that can't be had keeps nobody from the others. */
	struct err first = { 0 };
	for (size_t i = 0; i < l->count && !net_web_cancelled(web); i++) {
		struct err why = { 0 };
		if (!fetch(c, web, &l->list[i], &why) && !first.kind)
			first = why;
	}
	if (net_web_cancelled(web) && !first.kind)
		err_put(&first, ERR_HOST, "interrupted");
	net_web_close(web);
	return !first.kind || err_fail(e, first.kind, "%s", first.text);
}

bool client_collateral_update(const struct client_collateral *c,
	const char *const *evidence, size_t count, struct err *e)
{
	struct wishes *l = calloc(1, sizeof *l);
	if (!l)
		return err_fail(e, ERR_LIMIT, "no memory");
	bool ok = wish_of_cache(c, l, e);
	for (size_t i = 0; ok && i < count; i++)
		ok = wish_of_evidence(l, evidence[i], e);
	if (ok && !l->count)
		ok = err_fail(e, ERR_INPUT,
			"nothing to update: the cache is empty and no "
			"evidence was given");
	ok = ok && fetch_all(c, l, e);
	free(l);
	return ok;
}

/* --- show, export, import ------------------------------------------------ */

/* Judges a file with the chains among others: which one is its own is found
 * by trying. */
static bool vet_among(const struct client_files *f, size_t i,
	struct attest_vetted *v, struct err *e)
{
	struct bytes file = buf_bytes(&f->file[i]);
	if (attest_vet(file, BYTES_NONE, v, e))
		return true;
	for (size_t k = 0; k < f->count; k++) {
		struct reader r = { .in = buf_bytes(&f->file[k]) };
		if (k != i && pem_next_is(&r, "CERTIFICATE") &&
			attest_vet(file, r.in, v, NULL))
			return true;
	}
	return false;
}

static void put_row(const char *name, const struct attest_vetted *v,
	int64_t now, bool json, struct buf *out)
{
	char from[ATTEST_TIME_TEXT], to[ATTEST_TIME_TEXT];
	const char *state = now < v->from ? "not yet" :
		now > v->to		  ? "expired" :
					    "current";
	attest_time_print(v->from, from);
	attest_time_print(v->to, to);
	if (json)
		buf_fmt(out,
			"%s{\"name\":\"%s\",\"what\":\"%s\",\"from\":\"%s\","
			"\"to\":\"%s\",\"state\":\"%s\"}",
			out->len > 1 ? "," : "", name, v->what, from, to,
			state);
	else
		buf_fmt(out, "%-7s  %s  %s  %s\n", state, to, name, v->what);
}

static void show_files(const struct client_files *f, int64_t now, bool json,
	struct buf *out)
{
	if (json)
		buf_str(out, "[");
	for (size_t i = 0; i < f->count; i++) {
		struct attest_vetted v = { 0 };
		if (vet_among(f, i, &v, NULL))
			put_row(v.name, &v, now, json, out);
		attest_vetted_fini(&v);
	}
	if (json)
		buf_str(out, "]\n");
}

bool client_collateral_show(const struct client_collateral *c, int64_t now,
	bool json, struct buf *out, struct err *e)
{
	struct client_files *f = calloc(1, sizeof *f);
	struct stat st;
	bool ok = f || err_fail(e, ERR_LIMIT, "no memory");
	if (ok && stat(c->cache, &st) == 0)
		ok = client_files_add(f, c->cache, e);
	if (ok) {
		show_files(f, now, json, out);
		ok = buf_ok(out) || err_fail(e, ERR_LIMIT, "no memory");
	}
	if (f)
		client_files_fini(f);
	free(f);
	return ok;
}

bool client_collateral_export(const struct client_collateral *c,
	const char *folder, struct err *e)
{
	auto_names n = { 0 };
	if (!names_read(c->cache, &n, e) || !client_path_make(folder, e))
		return false;
	if (!n.count)
		return err_fail(e, ERR_INPUT, "%s: nothing is there", c->cache);
	for (int i = 0; i < n.count; i++) {
		auto_buf file = { 0 };
		if (!read_cached(c, n.list[i]->d_name, &file, e) ||
			!write_file(folder, n.list[i]->d_name, buf_bytes(&file),
				e))
			return false;
		if (c->on_file)
			c->on_file(c->ctx, n.list[i]->d_name, "");
	}
	return true;
}

/* One that is forged keeps nobody from the others. */
static bool import_all(const struct client_collateral *c,
	const struct client_files *f, struct err *e)
{
	struct err first = { 0 };
	bool any = false;
	for (size_t i = 0; i < f->count; i++) {
		struct attest_vetted v = { 0 };
		struct err why = { 0 };
		if (!vet_among(f, i, &v, &why)) {
			/* What needs no cache is left out. */
			if (why.kind != ERR_INPUT && !first.kind)
				first = why;
			continue;
		}
		bool ok = store(c, &v, e);
		attest_vetted_fini(&v);
		if (!ok)
			return false;
		any = true;
	}
	if (first.kind)
		return err_fail(e, first.kind, "%s", first.text);
	return any || err_fail(e, ERR_INPUT, "nothing that a cache keeps");
}

bool client_collateral_import(const struct client_collateral *c,
	const char *const *paths, size_t count, struct err *e)
{
	struct client_files *f = calloc(1, sizeof *f);
	bool ok = f || err_fail(e, ERR_LIMIT, "no memory");
	for (size_t i = 0; ok && i < count; i++)
		ok = client_files_add(f, paths[i], e);
	ok = ok && client_path_make(c->cache, e) && import_all(c, f, e);
	if (f)
		client_files_fini(f);
	free(f);
	return ok;
}
