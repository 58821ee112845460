/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "hal/tdx_priv.h"
#include "helpers/vm.h"
#include "spec/kvm.h"

/* --- a Keep -----------------------------------------------------------------
 */

TEST(tdx_keep_lives_on_memory_time_and_randomness)
{
	place_ends("tdx", GUEST_LIVE, "exit status 0");
}

TEST(tdx_keep_finds_the_walls_of_its_shim)
{
	place_ends("tdx", GUEST_WALLS, "exit status 0");
}

TEST(tdx_keep_may_use_all_memory_that_was_promised)
{
	place_ends("tdx", GUEST_FULL, "exit status 0");
}

TEST(tdx_says_how_a_keep_died)
{
	place_deaths("tdx");
}

TEST(tdx_keep_ends_when_it_is_told_to_whatever_it_does)
{
	struct place p;
	place_open(&p, "tdx", GUEST_SPIN);
	p.tech->destroy(place_launch(&p));
	place_close(&p);
}
