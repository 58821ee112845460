/* SPDX-License-Identifier: Apache-2.0 */
#include "nest.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../test.h"
#include "base/fmt.h"

static char dir[64];

void nest_forget(void)
{
	static const char *const files[] = { "root.pem", "sgx-signer.pem" };
	char path[128];
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		fmt(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	CHECK_INT(rmdir(dir), 0);
	dir[0] = '\0';
}

void nest_open(struct place *p, enum guest what)
{
	struct err e = { 0 };
	place_prepare(p, HAL_SOFTWARE, what);
	if (!hal_find("sgx", &p->cfg, &p->tech, &e))
		SKIP_TEST(e.text);
	if (!dir[0]) {
		fmt(dir, sizeof dir, "/tmp/donjon-hal-XXXXXX");
		CHECK(mkdtemp(dir));
	}
	fmt(p->root, sizeof p->root, "%s/root.pem", dir);
}
