/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

NORETURN void must_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "donjon: bug: %s:%d: %s\n", file, line, what);
	abort();
}
