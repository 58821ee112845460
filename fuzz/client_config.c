/* SPDX-License-Identifier: Apache-2.0 */
/* Donjon.toml from wherever the tenant got it, and --dir's small language. */
#include <stdlib.h>

#include "client/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	char text[256];
	for (int packaged = 0; packaged < 2; packaged++) {
		bool ok = client_config_parse(bytes_of(data, size),
			"a/Donjon.toml", packaged, &w, &e);
		if (!(ok ? client_workload_settle(&w, &e) : false) &&
			!e.text[0])
			abort();
		/* A package names nothing of the tenant's. */
		for (size_t i = 0; ok && packaged && i < w.mount_count; i++)
			if (!w.mounts[i].packaged)
				abort();
		client_workload_fini(&w);
	}
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	/* No name of a directory leads out of where it is. */
	if (client_workload_dir(&w, text, &e) &&
		(!w.mounts[0].guest[0] || strstr(w.mounts[0].guest, "/../") ||
			!strncmp(w.mounts[0].guest, "../", 3)))
		abort();
	client_workload_fini(&w);
	return 0;
}
