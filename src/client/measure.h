/* SPDX-License-Identifier: Apache-2.0 */
/* `donjon measure --launch FILE`: reference values of other launches. */
#ifndef CLIENT_MEASURE_H
#define CLIENT_MEASURE_H

#include "base/buf.h"
#include "base/err.h"

/* Files that the description names are looked for beside it.  With `verbose`
 * each page has a line.  Appended. */
MUST_USE bool client_measure_launch(const char *file, bool verbose, bool json,
	struct buf *out, struct err *e);

#endif
