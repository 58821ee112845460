/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory for one test, and files in it. */
#ifndef TESTS_UNIT_CLIENT_FOLDER_H
#define TESTS_UNIT_CLIENT_FOLDER_H

#include <stdbool.h>

struct folder {
	char path[64];
};

void folder_make(struct folder *f);
void folder_remove(struct folder *f);
/* NAME below it; the result lives until the next call. */
const char *folder_at(const struct folder *f, const char *name);
void folder_write(const struct folder *f, const char *name, const char *text);
bool folder_has(const struct folder *f, const char *name, const char *text);

#endif
