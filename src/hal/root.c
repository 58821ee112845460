/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/root.h"
#include "hal/hal.h"

bool hal_root_fingerprint(const char *root_path, uint8_t out[32], struct err *e)
{
	struct soft_root *root;
	if (!soft_root_open(root_path, &root, e))
		return false;
	soft_root_fingerprint(root, out);
	soft_root_close(root);
	return true;
}
