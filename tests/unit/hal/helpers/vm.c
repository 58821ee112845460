/* SPDX-License-Identifier: Apache-2.0 */
#include "vm.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../test.h"
#include "base/fmt.h"
#include "soft/device.h"

const struct device_ops *(*place_spy)(const struct device_ops *real);
bool (*place_linux)(struct device **out, struct err *e);
/* Of the last device. */
static const struct device_ops *spied;

bool __real_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	if (!__real_soft_device_new(c, out, e))
		return false;
	spied = (*out)->ops;
	if (place_spy)
		(*out)->ops = place_spy((*out)->ops);
	return true;
}

bool __real_device_linux_new(struct device **out, struct err *e);
bool __wrap_device_linux_new(struct device **out, struct err *e);
bool __wrap_device_linux_new(struct device **out, struct err *e)
{
	if (place_linux)
		return place_linux(out, e);
	if (!__real_device_linux_new(out, e))
		return false;
	if (place_spy)
		(*out)->ops = place_spy((*out)->ops);
	return true;
}

/* It looks at whose device it is. */
bool __real_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);
bool __wrap_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);
bool __wrap_soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e)
{
	const struct device_ops *ops = d->ops;
	d->ops = spied;
	bool ok = __real_soft_device_endorsements(d, out, e);
	d->ops = ops;
	return ok;
}

/* For a nested machine under emulation, on a busy host. */
enum { PATIENCE_MS = 120000 };

void place_prepare(struct place *p, enum hal_platform platform, enum guest what)
{
	char self[2048] = "";
#if defined(__SANITIZE_ADDRESS__)
	SKIP_TEST("under a sanitizer exec is no static program");
#endif
	CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	*strrchr(self, '/') = '\0';
	fmt(p->images, sizeof p->images, "%s/../../fake/keep", self);
	p->cfg = (struct hal_config){ .platform = platform,
		.image_dir = p->images,
		.root_path = p->root,
		.boot.memory_bytes = 64u << 20 };
	p->cfg.boot.nonce[0] = (uint8_t)what;
	memset(p->cfg.boot.owner_key_hash, 0x5a, 32);
}

/* A key of the software platform's takes long to make: the next place has the
 * same. */
static char machine[4096];

static void machine_file(const struct place *p, const char *mode,
	size_t (*move)(FILE *f))
{
	char path[128];
	fmt(path, sizeof path, "%s/pef-machine.pem", p->dir);
	FILE *f = fopen(path, mode);
	if (f && move(f) == 0)
		fail_msg("%s: empty", path);
	if (f)
		fclose(f);
}

static size_t take_key(FILE *f)
{
	return fread(machine, 1, sizeof machine - 1, f);
}

static size_t give_key(FILE *f)
{
	fchmod(fileno(f), 0600);
	return fwrite(machine, 1, strlen(machine), f);
}

void place_open(struct place *p, const char *tech, enum guest what)
{
	struct err e = { 0 };
	place_prepare(p, HAL_HARDWARE, what);
	if (!hal_find(tech, &p->cfg, &p->tech, &e)) {
		p->cfg.platform = HAL_SOFTWARE;
		if (!hal_find(tech, &p->cfg, &p->tech, &e))
			SKIP_TEST(e.text);
	}
	fmt(p->dir, sizeof p->dir, "/tmp/donjon-hal-XXXXXX");
	CHECK(mkdtemp(p->dir));
	fmt(p->root, sizeof p->root, "%s/root.pem", p->dir);
	if (machine[0] && !strcmp(tech, "pef"))
		machine_file(p, "w", give_key);
}

void place_close(struct place *p)
{
	/* What the software platform made beside it, too. */
	static const char *const made[] = { "root.pem", "pef-machine.pem",
		"pef-machine.pub" };
	char path[128];
	if (!machine[0])
		machine_file(p, "r", take_key);
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		fmt(path, sizeof path, "%s/%s", p->dir, made[i]);
		unlink(path);
	}
	CHECK_INT(rmdir(p->dir), 0);
}

struct hal_keep *place_launch(struct place *p)
{
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	if (!p->tech->launch(&p->cfg, &k, &e))
		fail_msg("%s", e.text);
	return k;
}

bool place_took(struct place *p, struct hal_keep *k, char why[128])
{
	bool gone = true;
	struct err e = { 0 };
	struct pollfd f = { .fd = p->tech->bell(k), .events = POLLIN };
	if (poll(&f, 1, PATIENCE_MS) != 1)
		fail_msg("guest %d: it neither rang nor ended",
			p->cfg.boot.nonce[0]);
	if (!p->tech->take(k, &gone, why, &e))
		fail_msg("%s", e.text);
	return !gone;
}

void place_ends(const char *tech, enum guest what, const char *how)
{
	struct place p;
	char why[128] = "";
	place_open(&p, tech, what);
	struct hal_keep *k = place_launch(&p);
	if (place_took(&p, k, why))
		fail_msg("it asked");
	if (!strstr(why, how))
		fail_msg("\"%s\" does not mention \"%s\"", why, how);
	p.tech->destroy(k);
	place_close(&p);
}

void place_dies(const char *tech, const struct place_death *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		place_ends(tech, d[i].what, d[i].how);
}

void place_deaths(const char *tech)
{
	static const struct place_death cases[] = { { GUEST_QUIT,
							    "exit status 7" },
		{ GUEST_NULL, "page fault 0x6 at exec+0x" },
		{ GUEST_NULL, ", in the null page" },
		{ GUEST_READ_SHIM, "page fault 0x5 at exec+0x" },
		{ GUEST_WRITE_CODE, "page fault 0x7 at exec+0x" },
		{ GUEST_WRITE_MADE, "page fault 0x6 at exec+0x" },
		{ GUEST_RUN_DATA, "page fault 0x15 at memory, in memory" },
		{ GUEST_OVERFLOW, "page fault 0x6 at exec+0x" },
		{ GUEST_UD, "exception 6, error 0x0, at exec+0x" },
		{ GUEST_DIVIDE, "exception 0, error 0x0, at exec+0x" },
		{ GUEST_HLT, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_OUT, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_RDMSR, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_INT80, "exception 13, error 0x" } };
	place_dies(tech, cases, ARRAY_LEN(cases));
}
