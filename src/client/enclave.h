/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that sign enclaves, and what they sign: `donjon key sgx`. */
#ifndef CLIENT_ENCLAVE_H
#define CLIENT_ENCLAVE_H

#include "base/err.h"

/* Makes a key (RSA of 3072 bits, exponent 3), PEM, mode 0600; what is there
 * stays there.  mrsigner: what quotes call it, in hex. */
MUST_USE bool client_enclave_key(const char *path, char mrsigner[65],
	struct err *e);
/* Signs this release's enclaves: <folder>/sigstruct, and the same with
 * -heap-... for SGX1, which loaders find beside the Keep's images. */
MUST_USE bool client_enclave_sign(const char *key, const char *images,
	const char *folder, char mrsigner[65], struct err *e);

#endif
