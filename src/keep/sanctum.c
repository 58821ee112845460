/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/sanctum.h"

#include <unistd.h>

#include "abi/gate.h"

bool keep_sanctum_report(const uint8_t report_data[64],
	struct sanctum_evidence *out, struct err *e)
{
	struct sanctum_evidence v = { 0 };
	if (syscall(GATE_CALL_REPORT, report_data, &v) != 0)
		return err_fail(e, ERR_HOST,
			"evidence: the monitor has none for us");
	if (memcmp(v.report_data, report_data, sizeof v.report_data) != 0)
		return err_fail(e, ERR_HOST, "evidence: of other data");
	*out = v;
	return true;
}
