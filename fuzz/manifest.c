/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indices of registries, and marks of yanks. */
#include "repository/manifest.h"
#include "base/must.h"
#include "repository/path.h"
#include "repository/yank.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repository_manifest m;
	struct repository_layers l;
	struct err e;
	struct repository_yank y;
	size_t which = 0;
	if (repository_yank_parse(bytes_of(data, size), NULL, &y, &e))
		must(strlen(y.reason) < sizeof y.reason &&
			strspn(y.reason, "abcdefghijklmnopqrstuvwxyz") ==
				strlen(y.reason));
	if (!repository_manifest_parse(bytes_of(data, size), NULL, &m, &e))
		return 0;
	for (size_t i = 0; i < m.count; i++)
		must(!m.layers[i].title[0] ||
			repository_path_ok(bytes_str(m.layers[i].title), NULL));
	if (m.index && repository_manifest_choose(&m, &which, &e))
		must(which < m.count);
	if (!m.index && repository_manifest_layers(&m, &l, &e))
		must(l.module >= 0 && (size_t)l.module < m.count);
	repository_manifest_fini(&m);
	return 0;
}
