/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's /dev/sev (<linux/psp-sev.h>), as far as it is newer than Debian 12's:
 * SNP_PLATFORM_STATUS, since 6.11.  What it says is the firmware's (AMD 56860,
 * "SNP_PLATFORM_STATUS").
 */
#ifndef SPEC_PSP_H
#define SPEC_PSP_H

#include <linux/ioctl.h>

#include "base/base.h"

struct spec_psp_cmd {
	uint32_t cmd;
	uint32_t data_low, data_high; /* packed, in Linux's */
	uint32_t error;
};
LAYOUT_SIZE(struct spec_psp_cmd, 0x10);
#define SPEC_PSP_ISSUE _IOWR('S', 0, struct spec_psp_cmd)

enum { SPEC_PSP_SNP_STATUS = 9 };

enum { SPEC_PSP_SNP_INIT = 1 }; /* state: SNP is on */

#define SPEC_PSP_MASK_CHIP_ID  (1u << 0)
#define SPEC_PSP_MASK_CHIP_KEY (1u << 1)

struct spec_psp_snp_status {
	uint8_t api_major, api_minor;
	uint8_t state;
	uint8_t rmp; /* [0] it is initialised */
	uint32_t build;
	uint32_t flags;
	uint32_t guests;
	uint8_t current_tcb[8], reported_tcb[8]; /* TCB_VERSION */
};
LAYOUT(struct spec_psp_snp_status, build, 0x04);
LAYOUT(struct spec_psp_snp_status, current_tcb, 0x10);
LAYOUT_SIZE(struct spec_psp_snp_status, 0x20);

#endif
