/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of vendors that everybody has. */
#ifndef ATTEST_VENDOR_H
#define ATTEST_VENDOR_H

#include "base/base.h"

struct attest_vendor_cert {
	const char *name, *base64;
};

extern const struct attest_vendor_cert attest_vendor_certs[];
extern const size_t attest_vendor_cert_count;

#endif
