/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trap IMAGES FOLDER TECHNOLOGY: what a call of exec's to its shim costs there,
 * in ticks of the time-stamp counter: by SYSCALL, and without a trap (0: there
 * is no such way).  IMAGES holds trap_guest.c in the place of exec, FOLDER is
 * for keys.  Without the hardware, of the software platform, which is said.
 */
#include <poll.h>
#include <stdio.h>

#include "base/fmt.h"
#include "hal/hal.h"

static bool measure(const struct hal_tech *tech, const struct hal_config *cfg,
	struct err *e)
{
	struct hal_keep *k;
	char why[128] = "";
	bool gone = true;
	if (!tech->launch(cfg, &k, e))
		return false;
	struct pollfd f = { .fd = tech->bell(k), .events = POLLIN };
	bool ok = poll(&f, 1, 60000) == 1 && tech->take(k, &gone, why, e);
	if (ok && !gone) {
		const struct gate_request *r = &tech->area(k)->request;
		printf("%llu %llu%s\n", (unsigned long long)r->arg0,
			(unsigned long long)r->arg1,
			cfg->platform == HAL_SOFTWARE ? " software platform" :
							"");
	}
	tech->destroy(k);
	return ok && !gone ? true : err_fail(e, ERR_HOST, "it ended: %s", why);
}

int main(int argc, char **argv)
{
	char root[4096];
	struct err e = { 0 };
	const struct hal_tech *tech;
	if (argc != 4)
		return 2;
	fmt(root, sizeof root, "%s/root.pem", argv[2]);
	struct hal_config cfg = { .platform = HAL_HARDWARE,
		.image_dir = argv[1],
		.root_path = root,
		.boot.memory_bytes = 64u << 20 };
	bool ok = hal_find(argv[3], &cfg, &tech, &e);
	if (!ok) {
		cfg.platform = HAL_SOFTWARE;
		ok = hal_find(argv[3], &cfg, &tech, &e);
	}
	ok = ok && measure(tech, &cfg, &e);
	if (!ok)
		fprintf(stderr, "trap: %s\n", e.text);
	return !ok;
}
