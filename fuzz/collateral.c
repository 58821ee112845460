/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's documents as if they were signed: levels are found or refused, and
 * what a cache would take is what a vendor signed.
 */
#include "attest/intel.h"
#include "attest/vet.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void levels(const json_t *o)
{
	static const struct attest_names none = { 0 };
	struct intel_pck pck;
	struct tdx_report td = { .tee_tcb_svn = { 5, 1, 6 },
		.tee_tcb_svn_2 = { 5, 1, 6 } };
	struct sgx_report qe = { 0 };
	struct intel_level l = { 0 };
	struct err e = { 0 };
	memset(&pck, 0xff, sizeof pck);
	for (unsigned kind = 0; kind < 3; kind++) {
		l = (struct intel_level){ .qe = INTEL_UP_TO_DATE };
		if (attest_level_find(o, &pck, kind ? &td : NULL, kind == 2,
			    &none, &l, &e))
			must(l.all < INTEL_STATUSES &&
				l.all >= INTEL_UP_TO_DATE);
		else
			must(e.kind != ERR_NONE);
	}
	if (attest_level_qe(o, &qe, &none, &l, &e))
		must(l.qe < INTEL_STATUSES);
	if (!attest_level_module(o, &td, &e))
		must(e.kind != ERR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), object;
	struct attest_vetted v;
	json_t *o;
	if (attest_vet(in, BYTES_NONE, &v, NULL)) {
		must(v.name[0] && v.name[0] != '.' && !strchr(v.name, '/'));
		attest_vetted_fini(&v);
	}
	if (!json_parse(in, 1 << 20, &o, NULL))
		return 0;
	levels(o);
	json_decref(o);
	static const char *const members[] = { "tcbInfo", "enclaveIdentity" };
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_span(in, members[i], &object) &&
			json_parse(object, 1 << 20, &o, NULL)) {
			levels(o);
			json_decref(o);
		}
	return 0;
}
