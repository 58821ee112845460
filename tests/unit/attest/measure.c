/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"

#include "../test.h"

struct images {
	char dir[64], sub[80], exec[96];
};

static struct images images_new(void)
{
	struct images i = { .dir = P_tmpdir "/donjon-measure-XXXXXX" };
	CHECK(mkdtemp(i.dir) != NULL);
	snprintf(i.sub, sizeof i.sub, "%s/process", i.dir);
	snprintf(i.exec, sizeof i.exec, "%s/exec", i.sub);
	CHECK(mkdir(i.sub, 0700) == 0);
	return i;
}

static void images_remove(const struct images *i)
{
	unlink(i->exec);
	rmdir(i->sub);
	rmdir(i->dir);
}

static void put(const struct images *i, const char *text, long size)
{
	FILE *f = fopen(i->exec, "wb");
	CHECK(f != NULL);
	CHECK(fputs(text, f) >= 0);
	CHECK(fclose(f) == 0);
	if (size)
		CHECK(truncate(i->exec, size) == 0);
}

TEST(measure_is_the_sha_384_of_the_whole_file)
{
	struct images i = images_new();
	struct err e = { 0 };
	uint8_t out[64];
	char hex[97];
	size_t len = 0;
	put(&i, "abc", 0);
	CHECK(attest_measure("process", i.dir, out, &len, &e));
	CHECK_INT(len, 48);
	hex_encode(bytes_of(out, len), hex);
	/* FIPS 180-4, SHA-384("abc") */
	CHECK_STR(hex,
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
		"1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
	put(&i, "", 9000);
	CHECK(attest_measure("process", i.dir, out, &len, &e));
	hex_encode(bytes_of(out, len), hex);
	CHECK(strncmp(hex, "cb00", 4) != 0);
	images_remove(&i);
}

TEST(measure_refuses_what_can_be_no_image)
{
	struct images i = images_new();
	struct err e = { 0 };
	uint8_t out[64];
	size_t len = 7;
	CHECK(!attest_measure("xyz", i.dir, out, &len, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK(!attest_measure("process", i.dir, out, &len, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, "/process/exec: No such file");
	put(&i, "", 0);
	CHECK(!attest_measure("process", i.dir, out, &len, &e));
	CHECK_HAS(e.text, "empty");
	put(&i, "", (64L << 20) + 1);
	CHECK(!attest_measure("process", i.dir, out, &len, &e));
	CHECK_HAS(e.text, "larger than");
	unlink(i.exec);
	CHECK(mkdir(i.exec, 0700) == 0);
	CHECK(!attest_measure("process", i.dir, out, &len, &e));
	CHECK_HAS(e.text, "not a file");
	rmdir(i.exec);
	CHECK(mkfifo(i.exec, 0600) == 0);
	CHECK(!attest_measure("process", i.dir, out, &len, &e));
	CHECK_INT(len, 7);
	images_remove(&i);
}

static void put_at(const char *dir, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/kvm/%s", dir, name);
	FILE *f = fopen(path, "wb");
	CHECK(f != NULL);
	CHECK(fputs(text, f) >= 0);
	CHECK(fclose(f) == 0);
}

TEST(measure_of_kvm_tells_where_one_image_ends)
{
	char dir[] = P_tmpdir "/donjon-measure-XXXXXX", sub[96], path[128];
	struct err e = { 0 };
	uint8_t out[64], other[64];
	char hex[97];
	size_t len = 0;
	CHECK(mkdtemp(dir) != NULL);
	snprintf(sub, sizeof sub, "%s/kvm", dir);
	CHECK(mkdir(sub, 0700) == 0);
	put_at(dir, "shim", "abc");
	CHECK(!attest_measure("kvm", dir, out, &len, &e));
	CHECK_HAS(e.text, "/kvm/exec: No such file");
	put_at(dir, "exec", "de");
	CHECK(attest_measure("kvm", dir, out, &len, &e));
	CHECK_INT(len, 48);
	hex_encode(bytes_of(out, len), hex);
	/* SHA-384(0300000000000000 "abc" 0200000000000000 "de") */
	CHECK_STR(hex,
		"94df81dcc0f2f40a0fb7e3059619f074fb38324f80ddc5eb"
		"705099ef4b26054d16413b19acc4dae8f3618cec516ec7e9");
	put_at(dir, "shim", "abcd");
	put_at(dir, "exec", "e");
	CHECK(attest_measure("kvm", dir, other, &len, &e));
	CHECK(memcmp(out, other, 48) != 0);
	for (const char *const *n =
			(const char *const[]){ "shim", "exec", "", NULL };
		*n; n++) {
		snprintf(path, sizeof path, "%s/%s", sub, *n);
		remove(path);
	}
	CHECK(rmdir(dir) == 0);
}
