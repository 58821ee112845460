/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sgx/sgx.h"

struct report_data {
	uint8_t bytes[64];
} __attribute__((aligned(128)));

struct place {
	struct sgx_report_mac report;
} __attribute__((aligned(512)));

void report_make(const struct sgx_targetinfo *target, const uint8_t data[64],
	struct sgx_report_mac *out)
{
	static struct sgx_targetinfo t;
	static struct report_data d;
	static struct place p;
	memset(&t, 0, sizeof t);
	if (target)
		memcpy(&t, target, sizeof t);
	memcpy(d.bytes, data, sizeof d.bytes);
	cpu_enclu(SGX_EREPORT, &t, &d, &p);
	*out = p.report;
}
