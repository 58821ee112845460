/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/root.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/key.h"
#include "spec/software.h"

#include "../test.h"

struct place {
	char dir[64], path[96];
};

static struct place place_new(void)
{
	struct place p = { .dir = P_tmpdir "/donjon-root-XXXXXX" };
	CHECK(mkdtemp(p.dir) != NULL);
	snprintf(p.path, sizeof p.path, "%s/root.pem", p.dir);
	return p;
}

static void place_remove(const struct place *p)
{
	unlink(p->path);
	rmdir(p->dir);
}

TEST(soft_root_is_made_once_and_found_again)
{
	struct place p = place_new();
	struct soft_root *a = NULL, *b = NULL;
	struct err e = { 0 };
	uint8_t fa[32], fb[32], hash[32];
	struct stat st;
	CHECK(soft_root_open(p.path, &a, &e));
	CHECK(stat(p.path, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK(soft_root_open(p.path, &b, &e));
	soft_root_fingerprint(a, fa);
	soft_root_fingerprint(b, fb);
	CHECK_MEM(fa, fb, 32);
	CHECK(crypto_digest(CRYPTO_SHA256, soft_root_spki(a), hash, &e));
	CHECK_MEM(fa, hash, 32);
	soft_root_close(a);
	soft_root_close(b);
	soft_root_close(NULL);
	place_remove(&p);
}

TEST(soft_root_signs_the_facts_byte_for_byte)
{
	struct place p = place_new();
	struct soft_root *r = NULL;
	struct err e = { 0 };
	struct soft_facts f = { .tee = 2, .debug = true };
	memset(f.measurement, 0xaa, sizeof f.measurement);
	memset(f.owner_key_hash, 0xbb, sizeof f.owner_key_hash);
	memset(f.report_data, 0xcc, sizeof f.report_data);
	auto_buf ev = { 0 };
	CHECK(soft_root_open(p.path, &r, &e));
	CHECK(buf_str(&ev, "before"));
	CHECK(soft_root_sign(r, &f, &ev, &e));
	CHECK_INT(ev.len, 6 + SOFTWARE_BYTES);
	const uint8_t *v = ev.ptr + 6;
	CHECK_MEM(v, "DJSWEVID\1\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0", 24);
	CHECK(bytes_all_zero(bytes_of(v + 0x18, 8)));
	CHECK_MEM(v + 0x20, f.report_data, 64);
	CHECK_MEM(v + 0x60, f.measurement, 48);
	CHECK_MEM(v + 0x90, f.owner_key_hash, 32);
	uint8_t fingerprint[32];
	soft_root_fingerprint(r, fingerprint);
	CHECK_MEM(v + 0xb0, fingerprint, 32);
	CHECK(bytes_all_zero(bytes_of(v + 0xd0, 16)));
	struct crypto_key *k = NULL;
	CHECK(crypto_key_from_spki(soft_root_spki(r), &k, &e));
	CHECK(crypto_verify(k, bytes_of(v, SOFTWARE_SIGNED_BYTES),
		bytes_of(v + SOFTWARE_SIGNED_BYTES, 64), &e));
	crypto_key_free(k);
	soft_root_close(r);
	place_remove(&p);
}

TEST(soft_root_refuses_a_file_that_others_may_read)
{
	struct place p = place_new();
	struct soft_root *r = NULL;
	struct err e = { 0 };
	CHECK(soft_root_open(p.path, &r, &e));
	soft_root_close(r);
	CHECK(chmod(p.path, 0644) == 0);
	r = NULL;
	CHECK(!soft_root_open(p.path, &r, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK_HAS(e.text, "software root: ");
	CHECK(r == NULL);
	place_remove(&p);
}
