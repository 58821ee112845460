/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "repository/package.h"
#include "repository/registry.h"
#include "repository/sign.h"

bool repository_open(const struct repository_config *cfg,
	struct repository **out, struct err *e)
{
	struct repository *r = calloc(1, sizeof *r);
	const struct net_web_config web = { .ca_file = cfg->ca_file,
		.plain_http = cfg->plain_http,
		.timeout_s = cfg->timeout_s,
		.cancel_fd = cfg->cancel_fd };
	if (!r)
		return err_fail(e, ERR_LIMIT, "no memory");
	r->cfg = *cfg;
	r->cache = (struct repository_cache){ .blobs_fd = -1,
		.partial_fd = -1,
		.web_fd = -1 };
	if (!net_web_open(&web, &r->web, e)) {
		free(r);
		return false;
	}
	*out = r;
	return true;
}

void repository_close(struct repository *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->registry_count; i++)
		repository_registry_fini(&r->registries[i]);
	free(r->registries);
	net_web_close(r->web);
	repository_cache_close(&r->cache);
	free(r);
}

bool repository_need_cache(struct repository *r, struct err *e)
{
	if (!r->has_cache)
		r->has_cache = repository_cache_open_default(&r->cache, e);
	return r->has_cache;
}

void repository_tell(const struct repository *r, const char *what,
	const char *name, uint64_t done, uint64_t total, bool end)
{
	const struct repository_progress p = { what, name, done, total, end };
	if (r->cfg.progress)
		r->cfg.progress(r->cfg.ctx, &p);
}

struct bytes repository_name(const char *reference)
{
	size_t end = strlen(reference);
	if (strstr(reference, "://")) {
		end = strcspn(reference, "#?");
		const char *at = strrchr(reference, '@');
		if (at && (size_t)(at - reference) < end &&
			!strncmp(at, "@sha256:", 8))
			end = (size_t)(at - reference);
	}
	while (end > 1 && reference[end - 1] == '/')
		end--;
	size_t begin = end;
	while (begin > 0 && reference[begin - 1] != '/')
		begin--;
	/* The tag is not the name's. */
	if (!strncmp(reference, "oci", 3) && strstr(reference, "://")) {
		const char *colon = memchr(reference + begin, ':', end - begin);
		if (colon)
			end = (size_t)(colon - reference);
	}
	return bytes_of(reference + begin, end - begin);
}

/* --- resolving ----------------------------------------------------------- */

static bool from_tree(struct repository *r, const struct repository_tree *t,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	uint64_t size;
	return repository_tree_has(t, "oci-layout", &size) ?
		repository_layout_read(r, t, o, p, e) :
		repository_build_tree(r, t, o, p, e);
}

static bool from_archive(struct repository *r, int fd, uint64_t size,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	struct repository_tree t;
	if (!repository_tree_archive(fd, size, &t, e))
		return false;
	bool ok = from_tree(r, &t, o, p, e);
	repository_tree_fini(&t);
	return ok;
}

static bool from_gzip(struct repository *r, const struct repository_source *in,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	int fd = -1;
	uint64_t size;
	bool ok = repository_temporary(r, &fd, e) &&
		repository_gunzip(in, fd, REPOSITORY_MAX_DATA, &size, e) &&
		from_archive(r, fd, size, o, p, e);
	cleanup_fd(&fd);
	return ok;
}

static bool from_module(struct repository *r,
	const struct repository_source *in, const struct repository_options *o,
	struct repository_package *p, struct err *e)
{
	auto_wipe_buf module = { 0 };
	if (in->size > REPOSITORY_MAX_MODULE)
		return err_fail(e, ERR_LIMIT, "module: larger than %llu bytes",
			(unsigned long long)REPOSITORY_MAX_MODULE);
	uint8_t *to = buf_reserve(&module, (size_t)in->size);
	if (!to && in->size)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!repository_source_read(in, 0, to, (size_t)in->size, e))
		return false;
	buf_commit(&module, (size_t)in->size);
	return repository_build_module(r, &module, p->name, o, p, e);
}

/* What a file is, its first bytes tell. */
static bool from_file(struct repository *r, int fd, uint64_t size,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	const struct repository_source in = { .fd = fd, .size = size };
	uint8_t head[512] = { 0 };
	size_t n = size < sizeof head ? (size_t)size : sizeof head;
	if (!repository_source_read(&in, 0, head, n, e))
		return false;
	if (head[0] == 0x1f && head[1] == 0x8b)
		return from_gzip(r, &in, o, p, e);
	/* A tar, or what wants to be one. */
	if (n == sizeof head && !memcmp(head + 257, "ustar", 5))
		return from_archive(r, fd, size, o, p, e);
	return from_module(r, &in, o, p, e);
}

static bool from_stream(struct repository *r,
	const struct repository_reference *ref, int fd,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	const char *name = ref->where;
	auto_wipe_buf module = { 0 };
	return repository_trust_check_unsigned(o->trust, ref, e) &&
		repository_read_fd(fd, REPOSITORY_MAX_MODULE, &module, e) &&
		repository_build_module(r, &module,
			strcmp(name, "-") ? name : "stdin.wasm", o, p, e);
}

static bool from_path(struct repository *r,
	const struct repository_reference *ref,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	struct stat st;
	if (!strcmp(ref->where, "-"))
		return from_stream(r, ref, STDIN_FILENO, o, p, e);
	auto_fd fd = open(ref->where, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st))
		return err_fail(e, ERR_INPUT, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		const struct repository_tree t = { .dir_fd = fd };
		return repository_trust_check_unsigned(o->trust, ref, e) &&
			from_tree(r, &t, o, p, e);
	}
	if (!S_ISREG(st.st_mode))
		return from_stream(r, ref, fd, o, p, e);
	uint64_t size = (uint64_t)st.st_size;
	return repository_trust_check_file(o->trust, r, ref, fd, size, e) &&
		from_file(r, fd, size, o, p, e);
}

static bool from_web(struct repository *r,
	const struct repository_reference *ref,
	const struct repository_options *o, struct repository_package *p,
	struct err *e)
{
	int got = -1;
	uint64_t size;
	if (!repository_web_get(r, ref, &got, &size, e))
		return false;
	auto_fd fd = got;
	return repository_trust_check_file(o->trust, r, ref, fd, size, e) &&
		from_file(r, fd, size, o, p, e);
}

bool repository_get(struct repository *r, const char *reference,
	const struct repository_options *o, struct repository_package *out,
	struct err *e)
{
	static const struct repository_options none = { 0 };
	struct repository_reference ref;
	struct repository_package p = { .module = -1,
		.toml = -1,
		.data = -1,
		.data_fd = -1 };
	bool ok = false;
	if (!repository_reference_parse(reference, &ref, e))
		return false;
	repository_reference_show(&ref, p.name, sizeof p.name);
	o = o ? o : &none;
	switch (ref.kind) {
	case REPOSITORY_PATH:
		ok = from_path(r, &ref, o, &p, e);
		break;
	case REPOSITORY_WEB:
		ok = from_web(r, &ref, o, &p, e);
		break;
	case REPOSITORY_OCI:
		ok = repository_pull(r, &ref, o, &p, e);
		break;
	}
	if (!ok) {
		if (e && strncmp(e->text, p.name, strlen(p.name)) != 0)
			err_prefix(e, "%s", p.name);
		repository_package_fini(&p);
		return false;
	}
	*out = p;
	return true;
}
