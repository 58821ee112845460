/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that owners seal to their POWER9 machines: `donjon key pef`. */
#ifndef CLIENT_SEALED_H
#define CLIENT_SEALED_H

#include "base/err.h"

/* Seals a new key to the machine whose RSA key is in the file `machine` (PEM)
 * and to this release's Keep, into an ESM blob at `path`; what is there stays
 * there.  Nothing keeps the private half.  key: what policies call it, in hex.
 */
MUST_USE bool client_sealed_key(const char *machine, const char *images,
	const char *path, char key[65], struct err *e);

#endif
