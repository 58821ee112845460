/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/pef_priv.h"

#include <unistd.h>

#include "../test.h"
#include "hal/hal_priv.h"
#include "spec/pef.h"

/* No machine that runs these tests is a POWER9, but for one that is. */
TEST(pef_a_host_without_an_ultravisor_is_told_what_it_needs)
{
	const struct hal_config cfg = { .platform = HAL_HARDWARE };
	struct hal_probe p;
	struct device *d;
	struct err e = { 0 };
	if (access("/proc/device-tree/ibm,ultravisor", F_OK) == 0)
		SKIP_TEST("this machine has an ultravisor");
	CHECK(device_linux_new(&d, &e));
	CHECK(!pef_probe_host(&cfg, d, &e));
	d->ops->free(d);
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, "a POWER9 is needed");
	CHECK(hal_pef.probe(&cfg, &p, &e));
	CHECK(!p.available && !p.emulated);
	CHECK_HAS(p.missing, "a POWER9 is needed");
}

TEST(pef_the_software_platform_says_what_it_lacks)
{
	const struct hal_config cfg = { .platform = HAL_SOFTWARE,
		.image_dir = "/nonexistent" };
	struct hal_probe p;
	struct err e = { 0 };
	CHECK(hal_pef.probe(&cfg, &p, &e));
	CHECK(!p.available && p.emulated && !p.confidential);
	CHECK_HAS(p.missing, "no monitor at /nonexistent/");
}

TEST(pef_is_not_measured_by_its_loader)
{
	const struct hal_config cfg = { .platform = HAL_SOFTWARE };
	struct err e = { 0 };
	uint8_t out[64];
	size_t len;
	CHECK(!hal_pef.measure(&cfg, out, &len, &e));
	CHECK_HAS(e.text, "compared by its ultravisor");
}
