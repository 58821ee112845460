/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/pef_priv.h"

#include <unistd.h>

#include "../test.h"
#include "base/file.h"
#include "base/fmt.h"
#include "hal/hal_priv.h"
#include "helpers/vm.h"
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

/* --- a Keep ----------------------------------------------------------------
 */

static void answers(enum guest what)
{
	struct place p;
	char why[128] = "";
	struct err e = { 0 };
	place_open(&p, "pef", what);
	struct hal_keep *k = place_launch(&p);
	for (uint32_t seq = 1; seq <= 3; seq++) {
		CHECK(place_took(&p, k, why));
		struct gate_area *a = p.tech->area(k);
		CHECK_INT(a->request.seq, seq);
		a->reply = (struct gate_reply){ .seq = seq };
		a->reply.ret0 = what == GUEST_RING ? seq * 3 : 0;
		CHECK(p.tech->resume(k, &e));
	}
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(pef_keep_rings_and_goes_on_behind_the_answer)
{
	answers(GUEST_RING);
}

TEST(pef_keep_s_registers_are_as_they_were_behind_each_bell)
{
	answers(GUEST_MARKS);
}

TEST(pef_keep_lives_on_memory_time_and_randomness)
{
	place_ends("pef", GUEST_LIVE, "exit status 0");
}

TEST(pef_keep_finds_the_walls_of_its_shim)
{
	place_ends("pef", GUEST_WALLS, "exit status 0");
}

TEST(pef_keep_may_use_all_memory_that_was_promised)
{
	place_ends("pef", GUEST_FULL, "exit status 0");
}

TEST(pef_says_how_a_keep_died)
{
	static const struct place_death d[] = {
		{ GUEST_QUIT, "exit status 7" },
		{ GUEST_NULL, "page fault in exec+0x" },
		{ GUEST_NULL, "write to the null page" },
		{ GUEST_READ_SHIM, "page fault in exec+0x" },
		{ GUEST_READ_SHIM, "read of no memory" },
		{ GUEST_WRITE_CODE, "write to exec+0x" },
		{ GUEST_WRITE_MADE, "write to memory" },
		{ GUEST_RUN_DATA, "exception 0x400 in memory" },
		{ GUEST_OVERFLOW, "page fault in exec+0x" },
		{ GUEST_UD, "exception 0x700 in exec+0x" },
		{ GUEST_HLT, "exception 0x700 in exec+0x" },
		{ GUEST_OUT, "exception 0x700 in exec+0x" },
		{ GUEST_RDMSR, "exception 0x700 in exec+0x" },
		{ GUEST_INT80, "exception 0x700 in exec+0x" },
	};
	place_dies("pef", d, ARRAY_LEN(d));
}

TEST(pef_keep_ends_when_it_is_told_to_whatever_it_does)
{
	struct place p;
	place_open(&p, "pef", GUEST_SPIN);
	struct hal_keep *k = place_launch(&p);
	usleep(50000);
	p.tech->destroy(k);
	place_close(&p);
}

TEST(pef_debug_keep_says_everything_and_is_another_one)
{
	struct place p;
	char why[128] = "";
	place_open(&p, "pef", GUEST_NULL);
	p.cfg.debug = true;
	struct hal_keep *k = place_launch(&p);
	CHECK(!place_took(&p, k, why));
	CHECK_HAS(why, "interrupt 0x300, nip 0x55");
	p.tech->destroy(k);
	place_close(&p);
}

/* An owner's blob names a release: a debug Keep of it is none. */
TEST(pef_debug_keep_has_no_key_that_an_owner_sealed)
{
	struct place p;
	struct err e = { 0 };
	char why[128] = "", path[128];
	place_open(&p, "pef", GUEST_QUIT);
	struct hal_keep *k = place_launch(&p);
	const struct {
		struct vm_served served;
		struct pef_machine p;
	} *front = (const void *)k;
	fmt(path, sizeof path, "%s/pef-blob", p.dir);
	CHECK(file_create(path, 0600, buf_bytes(&front->p.blob)));
	CHECK(!place_took(&p, k, why));
	p.tech->destroy(k);
	/* The same Keep has it, by the same blob, again. */
	k = place_launch(&p);
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 7");
	p.tech->destroy(k);
	p.cfg.debug = true;
	CHECK(p.tech->launch(&p.cfg, &k, &e));
	CHECK(!place_took(&p, k, why));
	CHECK_HAS(why, "esm: another kernel");
	p.tech->destroy(k);
	unlink(path);
	place_close(&p);
}

TEST(pef_loader_refuses_a_blob_that_is_too_long)
{
	static uint8_t big[PEF_BLOB_MAX + 1];
	struct place p;
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	char path[128];
	place_open(&p, "pef", GUEST_QUIT);
	fmt(path, sizeof path, "%s/pef-blob", p.dir);
	CHECK(file_create(path, 0600, BYTES_ARRAY(big)));
	CHECK(!p.tech->launch(&p.cfg, &k, &e));
	CHECK_HAS(e.text, "pef-blob");
	unlink(path);
	place_close(&p);
}
