/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../test.h"

void folder_make(struct folder *f)
{
	strncpy(f->path, "/tmp/unit-client-XXXXXX", sizeof f->path);
	CHECK(mkdtemp(f->path));
}

static int remove_one(const char *path, const struct stat *st, int type,
	struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void folder_remove(struct folder *f)
{
	nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_at(const struct folder *f, const char *name)
{
	static char path[4][1200];
	static unsigned next;
	char *p = path[next++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", f->path, name);
	return p;
}

void folder_write(const struct folder *f, const char *name, const char *text)
{
	FILE *file = fopen(folder_at(f, name), "w");
	CHECK(file);
	CHECK_INT(fwrite(text, 1, strlen(text), file), strlen(text));
	CHECK(!fclose(file));
}

bool folder_has(const struct folder *f, const char *name, const char *text)
{
	char got[4096];
	FILE *file = fopen(folder_at(f, name), "r");
	if (!file)
		return false;
	size_t n = fread(got, 1, sizeof got, file);
	fclose(file);
	return n == strlen(text) && !memcmp(got, text, n);
}
