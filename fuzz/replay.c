/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a corpus through a fuzz target without libFuzzer: each file named,
 * or each file in each folder named, and every truncation and a few hundred
 * seeded mutations of the small ones.  Prints how many inputs ran.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SMALL = 512, MUTATIONS = 200, MAX_FILE = 8 << 20 };

static unsigned long ran;

static void once(const uint8_t *data, size_t size)
{
	/* An exact heap block: a read past the end is an address error. */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		exit(1);
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	ran++;
}

static void mutate(const uint8_t *data, size_t size)
{
	uint32_t seed = 1;
	uint8_t *copy = malloc(size);
	if (!copy)
		exit(1);
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(copy, data, size);
		for (int k = 0; k < 1 + i % 4; k++) {
			seed = seed * 1664525u + 1013904223u;
			copy[seed % size] = (uint8_t)(seed >> 24);
		}
		once(copy, size);
	}
	free(copy);
}

static void file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(MAX_FILE);
	if (!f || !data) {
		perror(path);
		exit(1);
	}
	size_t n = fread(data, 1, MAX_FILE, f);
	fclose(f);
	once(data, n);
	for (size_t i = 0; n <= SMALL && i < n; i++)
		once(data, i);
	if (n && n <= 64 * SMALL)
		mutate(data, n);
	free(data);
}

static void folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[4096];
		if (names[i]->d_name[0] != '.') {
			snprintf(sub, sizeof sub, "%s/%s", path,
				names[i]->d_name);
			file(sub);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

int main(int argc, char **argv)
{
	once((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st)) {
			perror(argv[i]);
			return 1;
		}
		if (S_ISDIR(st.st_mode))
			folder(argv[i]);
		else
			file(argv[i]);
	}
	printf("%lu inputs\n", ran);
	return 0;
}
