/* SPDX-License-Identifier: Apache-2.0 */
#include "host/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "codec/hex.h"

static bool probe(const struct hal_config *cfg, const struct hal_tech *t,
	struct hal_probe *out)
{
	struct err e = { 0 };
	struct hal_probe p = { 0 };
	if (!t->probe(cfg, &p, &e)) {
		p = (struct hal_probe){ .software = p.software };
		fmt(p.detail, sizeof p.detail, "cannot be probed");
		fmt(p.missing, sizeof p.missing, "%s", e.text);
	}
	*out = p;
	return p.available;
}

static bool admits(enum ask_platform asked, const struct hal_probe *p)
{
	return asked == ASK_AUTO || (asked == ASK_SOFTWARE) == p->software;
}

/* What is emulated protects no better than what is not, and is slow: nobody
 * gets it without asking for it. */
static bool pick_auto(const struct hal_config *cfg, enum ask_platform asked,
	const struct hal_tech **out, struct err *e)
{
	const struct hal_tech *best = NULL;
	for (const struct hal_tech *const *t = hal_techs(); *t; t++) {
		struct hal_probe p;
		if ((!best || (*t)->rank > best->rank) && probe(cfg, *t, &p) &&
			admits(asked, &p) &&
			(asked == ASK_SOFTWARE || !p.emulated))
			best = *t;
	}
	if (!best)
		return err_fail(e, ERR_HOST, "no technology available%s",
			asked == ASK_HARDWARE ? " on hardware" : "");
	*out = best;
	return true;
}

static enum hal_platform hal_platform(enum ask_platform asked)
{
	static const enum hal_platform platforms[] = { [ASK_AUTO] = HAL_ANY,
		[ASK_HARDWARE] = HAL_HARDWARE,
		[ASK_SOFTWARE] = HAL_SOFTWARE };
	return platforms[asked];
}

static bool pick(const struct hal_config *cfg, const struct ask *ask,
	const struct hal_tech **out, struct err *e)
{
	if (!strcmp(ask->tee, "auto"))
		return pick_auto(cfg, ask->platform, out, e);
	const struct hal_tech *const *t = hal_techs();
	while (*t && strcmp((*t)->name, ask->tee) != 0)
		t++;
	if (!*t)
		return err_fail(e, ERR_INPUT, "tee: no technology %s",
			ask->tee);
	struct hal_probe p;
	bool available = probe(cfg, *t, &p);
	if (!admits(ask->platform, &p))
		return err_fail(e, ERR_INPUT,
			"platform: %s is %s here, not what was asked for",
			ask->tee, p.software ? "software" : "hardware");
	if (!available)
		return err_fail(e, ERR_HOST, "%s is not available: %s",
			ask->tee, *p.missing ? p.missing : p.detail);
	*out = *t;
	return true;
}

bool platform_pick(const struct hal_config *cfg, struct ask *ask,
	const struct hal_tech **out, struct err *e)
{
	struct hal_config c = *cfg;
	struct hal_probe p;
	c.platform = hal_platform(ask->platform);
	if (!pick(&c, ask, out, e))
		return false;
	probe(&c, *out, &p);
	ask->platform = p.emulated ? ASK_SOFTWARE : ASK_HARDWARE;
	return true;
}

static bool put(json_t *o, const char *key, json_t *v)
{
	return json_object_set_new(o, key, v) == 0;
}

static bool put_tech(const struct hal_config *cfg, const struct hal_tech *t,
	json_t *list)
{
	struct hal_probe p;
	probe(cfg, t, &p);
	json_t *o = json_object();
	return json_array_append_new(list, o) == 0 &&
		put(o, "name", json_string(t->name)) &&
		put(o, "available", json_boolean(p.available)) &&
		put(o, "confidential", json_boolean(p.confidential)) &&
		put(o, "software", json_boolean(p.software)) &&
		put(o, "detail", json_string(p.detail)) &&
		put(o, "missing", json_string(p.missing));
}

/*
 * In a process of its own: the agent, which only ever passes ciphertext on,
 * needs neither a crypto library's three megabytes nor the root's key.
 */
bool platform_root(const struct hal_config *cfg, uint8_t out[32], struct err *e)
{
	const char *path = cfg->root_path;
	struct {
		struct err e;
		uint8_t hash[32];
		bool ok;
	} said = { .ok = false };
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC))
		return err_fail(e, ERR_HOST, "pipe: %s", strerror(errno));
	auto_fd in = pipes[0], to = pipes[1];
	pid_t child = fork();
	if (child == 0) {
		said.ok = hal_root_fingerprint(path, said.hash, &said.e);
		_exit(write(to, &said, sizeof said) != sizeof said);
	}
	close(fd_move(&to));
	ssize_t n = child < 0 ? -1 : read(in, &said, sizeof said);
	if (child > 0)
		waitpid(child, NULL, 0);
	if (n != sizeof said)
		return err_fail(e, ERR_HOST, "software root: no answer");
	if (!said.ok)
		return err_fail(e, said.e.kind, "%s", said.e.text);
	memcpy(out, said.hash, 32);
	return true;
}

json_t *platform_json(const struct hal_config *cfg, struct err *e)
{
	uint8_t root[32];
	char text[65];
	const struct hal_tech *best = NULL;
	json_auto_t *o = json_object();
	json_t *list = json_array();
	if (!platform_root(cfg, root, e)) {
		json_decref(list);
		return NULL;
	}
	hex_encode(BYTES_ARRAY(root), text);
	bool any = pick_auto(cfg, ASK_AUTO, &best, NULL);
	bool ok = put(o, "technologies", list) &&
		put(o, "version", json_string(DONJON_VERSION)) &&
		put(o, "software_root", json_string(text)) &&
		put(o, "auto", any ? json_string(best->name) : json_null());
	for (const struct hal_tech *const *t = hal_techs(); ok && *t; t++)
		ok = put_tech(cfg, *t, list);
	if (!ok) {
		err_put(e, ERR_LIMIT, "platform: no memory");
		return NULL;
	}
	return json_incref(o);
}
