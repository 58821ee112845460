/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files DIR: how fast files are written, read, made and removed below it; one
 * line for each, a name and a rate.  Compiled for WASI and for this machine.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 64 << 10, BLOCKS = 4096, NAMES = 5000 };

static char block[BLOCK], path[4096];

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static double move(int fd, int writing, size_t size, int count)
{
	double begin = now();
	for (int i = 0; i < count; i++) {
		ssize_t n = writing ? write(fd, block, size) :
				      read(fd, block, size);
		need(n == (ssize_t)size, "move");
	}
	return (double)count / (now() - begin);
}

static const char *in(const char *dir, int i)
{
	snprintf(path, sizeof path, "%s/name-%d", dir, i);
	return path;
}

static void data(const char *dir)
{
	int fd = open(in(dir, -1), O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(fd >= 0, path);
	memset(block, 7, sizeof block);
	double mib = BLOCK / 1048576.0;
	printf("write_64k_mib_s %.0f\n", move(fd, 1, BLOCK, BLOCKS) * mib);
	need(lseek(fd, 0, SEEK_SET) == 0, "seek");
	printf("read_64k_mib_s %.0f\n", move(fd, 0, BLOCK, BLOCKS) * mib);
	need(lseek(fd, 0, SEEK_SET) == 0, "seek");
	printf("write_512_s %.0f\n", move(fd, 1, 512, 100000));
	need(lseek(fd, 0, SEEK_SET) == 0, "seek");
	printf("read_512_s %.0f\n", move(fd, 0, 512, 100000));
	close(fd);
	need(unlink(in(dir, -1)) == 0, "unlink");
}

static void metadata(const char *dir)
{
	struct stat st;
	double begin = now();
	for (int i = 0; i < NAMES; i++) {
		int fd = open(in(dir, i), O_WRONLY | O_CREAT | O_EXCL, 0600);
		need(fd >= 0, path);
		close(fd);
	}
	printf("create_s %.0f\n", NAMES / (now() - begin));
	begin = now();
	for (int i = 0; i < NAMES; i++)
		need(stat(in(dir, i), &st) == 0, path);
	printf("stat_s %.0f\n", NAMES / (now() - begin));
	begin = now();
	int n = 0;
	DIR *d = opendir(dir);
	need(d != NULL, dir);
	while (readdir(d))
		n++;
	closedir(d);
	printf("readdir_s %.0f\n", n / (now() - begin));
	begin = now();
	for (int i = 0; i < NAMES; i++)
		need(unlink(in(dir, i)) == 0, path);
	printf("unlink_s %.0f\n", NAMES / (now() - begin));
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/scratch";
	data(dir);
	metadata(dir);
	return 0;
}
