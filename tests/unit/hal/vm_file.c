/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/vm_priv.h"

struct folder {
	char path[64], root[96], file[96];
	struct hal_config cfg;
};

static void folder_open(struct folder *f)
{
	*f = (struct folder){ .path = "/tmp/donjon-file-XXXXXX" };
	CHECK(mkdtemp(f->path) != NULL);
	fmt(f->root, sizeof f->root, "%s/root.pem", f->path);
	fmt(f->file, sizeof f->file, "%s/snp-endorsements", f->path);
	f->cfg.root_path = f->root;
}

static void folder_put(struct folder *f, const char *text)
{
	auto_fd fd = open(f->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

static void folder_close(struct folder *f)
{
	unlink(f->file);
	rmdir(f->path);
}

TEST(snp_a_file_that_is_not_there_adds_nothing)
{
	struct folder f;
	struct err e = { 0 };
	auto_buf b = { 0 };
	int lock = -1;
	folder_open(&f);
	CHECK(vm_file_beside_root(&f.cfg, "snp-endorsements", 9, &b, &e));
	CHECK(vm_file_lock(&f.cfg, "snp-endorsements", 9, &b, &lock, &e));
	CHECK_INT(b.len, 0);
	CHECK_INT(lock, -1);
	folder_close(&f);
}

TEST(snp_a_file_of_another_size_is_refused)
{
	struct folder f;
	struct err e = { 0 };
	auto_buf b = { 0 };
	int lock = -1;
	folder_open(&f);
	folder_put(&f, "");
	CHECK(!vm_file_lock(&f.cfg, "snp-endorsements", 9, &b, &lock, &e));
	folder_put(&f, "0123456789");
	CHECK(!vm_file_lock(&f.cfg, "snp-endorsements", 9, &b, &lock, &e));
	CHECK_HAS(e.text, "not a file of that kind");
	CHECK_INT(lock, -1);
	folder_close(&f);
}

TEST(snp_certificates_are_not_replaced_while_a_report_is_due)
{
	struct folder f;
	struct err e = { 0 };
	auto_buf b = { 0 };
	int lock = -1;
	folder_open(&f);
	folder_put(&f, "chain");
	auto_fd theirs = open(f.file, O_RDWR | O_CLOEXEC);
	CHECK_INT(flock(theirs, LOCK_EX | LOCK_NB), 0);
	CHECK(!vm_file_lock(&f.cfg, "snp-endorsements", 9, &b, &lock, &e));
	CHECK_HAS(e.text, "is being replaced");
	CHECK_INT(flock(theirs, LOCK_UN), 0);
	CHECK(vm_file_lock(&f.cfg, "snp-endorsements", 9, &b, &lock, &e));
	CHECK_MEM(b.ptr, "chain", 5);
	CHECK(flock(theirs, LOCK_EX | LOCK_NB) != 0);
	close(lock);
	CHECK_INT(flock(theirs, LOCK_EX | LOCK_NB), 0);
	folder_close(&f);
}
