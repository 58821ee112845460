/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>

#include "keep/start.h"

const struct start_kinds start_kinds = {
	.relative = R_PPC64_RELATIVE,
	.thread = -1,
	.indirect = R_PPC64_IRELATIVE,
	.nothing = R_PPC64_NONE,
};
