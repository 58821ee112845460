/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TDX module's half of one trust domain that needs keys (Intel TDX Module
 * 1.5 ABI, 348551): what it measures, its reports, and whether a report is
 * one.  Refuses what the real one refuses, with its status.
 */
#ifndef SOFT_TDX_MODULE_H
#define SOFT_TDX_MODULE_H

#include "base/bytes.h"
#include "base/err.h"
#include "spec/tdx.h"

/* Attributes that a domain may have here. */
#define TDX_MODULE_ATTRIBUTES (TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_DEBUG)

struct tdx_module;

/* TDH.MNG.INIT. */
struct tdx_module_init {
	uint64_t attributes, xfam;
	const uint8_t *mrconfigid, *mrowner, *mrownerconfig; /* 48 bytes each */
};
MUST_USE bool tdx_module_new(const struct tdx_module_init *i,
	struct tdx_module **out, struct err *e);
void tdx_module_free(struct tdx_module *m);

/* --- until the domain runs ------------------------------------------------ */

/* TDH.MEM.PAGE.ADD, TDH.MR.EXTEND (256 bytes), TDH.MR.FINALIZE: a status. */
uint64_t tdx_module_add(struct tdx_module *m, uint64_t gpa);
uint64_t tdx_module_extend(struct tdx_module *m, uint64_t gpa,
	const uint8_t chunk[TDX_CHUNK_BYTES]);
uint64_t tdx_module_finalize(struct tdx_module *m);

/* --- afterwards ----------------------------------------------------------- */

/* TDG.MR.RTMR.EXTEND, index 0 to 3; TDG.MR.REPORT.  False: no memory. */
MUST_USE bool tdx_module_extend_rtmr(struct tdx_module *m, unsigned index,
	const uint8_t digest[48], struct err *e);
MUST_USE bool tdx_module_report(const struct tdx_module *m,
	const uint8_t data[64], struct tdx_report_struct *out, struct err *e);
/* As quotes have it, of a report whose MAC is right and whose parts are those
 * that it hashed; ERR_DENIED: it is not. */
MUST_USE bool tdx_module_open(const struct tdx_module *m, struct bytes report,
	struct tdx_report *out, struct err *e);

#endif
