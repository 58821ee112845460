/* SPDX-License-Identifier: Apache-2.0 */
#include "nest.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../test.h"
#include "base/fmt.h"

enum { PATIENCE_MS = 120000 };

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

void nest_open(struct nest *n, enum guest what)
{
	char self[2048] = "";
	struct err e = { 0 };
#if defined(__SANITIZE_ADDRESS__)
	SKIP_TEST("under a sanitizer exec is no static program");
#endif
	CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	*strrchr(self, '/') = '\0';
	fmt(n->images, sizeof n->images, "%s/../../fake/keep", self);
	n->cfg = (struct hal_config){ .platform = HAL_SOFTWARE,
		.image_dir = n->images,
		.root_path = n->root,
		.boot.memory_bytes = 64u << 20 };
	n->cfg.boot.nonce[0] = (uint8_t)what;
	memset(n->cfg.boot.owner_key_hash, 0x5a, 32);
	if (!hal_find("sgx", &n->cfg, &n->tech, &e))
		SKIP_TEST(e.text);
	if (!dir[0]) {
		fmt(dir, sizeof dir, "/tmp/donjon-hal-XXXXXX");
		CHECK(mkdtemp(dir));
	}
	fmt(n->root, sizeof n->root, "%s/root.pem", dir);
}

struct hal_keep *nest_launch(struct nest *n)
{
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	if (!n->tech->launch(&n->cfg, &k, &e))
		fail_msg("%s", e.text);
	return k;
}

bool nest_took(struct nest *n, struct hal_keep *k, char why[128])
{
	bool gone = true;
	struct err e = { 0 };
	struct pollfd f = { .fd = n->tech->bell(k), .events = POLLIN };
	if (poll(&f, 1, PATIENCE_MS) != 1)
		fail_msg("guest %d: it neither rang nor ended",
			n->cfg.boot.nonce[0]);
	if (!n->tech->take(k, &gone, why, &e))
		fail_msg("%s", e.text);
	return !gone;
}
