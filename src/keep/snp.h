/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to SEV-SNP's firmware (spec/snp_guest.h).  Host and shim carry
 * them; only the firmware and who has the key can read or make one.
 */
#ifndef KEEP_SNP_H
#define KEEP_SNP_H

#include "abi/gate.h"
#include "base/buf.h"
#include "base/err.h"
#include "spec/snp_guest.h"

/* Asks for a report. */
MUST_USE bool keep_snp_ask(const struct gate_shim *s,
	const uint8_t report_data[64], uint8_t message[PAGE_BYTES],
	struct err *e);
/* The report out of the answer to that; ERR_HOST: it is no answer to it. */
MUST_USE bool keep_snp_answer(const struct gate_shim *s, struct bytes answer,
	const uint8_t report_data[64], struct buf *report, struct err *e);

#endif
