/* SPDX-License-Identifier: Apache-2.0 */
/* The technologies that are built in: hal.c lists them. */
#ifndef HAL_HAL_PRIV_H
#define HAL_HAL_PRIV_H

#include "hal/hal.h"

extern const struct hal_tech hal_kvm;
extern const struct hal_tech hal_process;
extern const struct hal_tech hal_sanctum;
extern const struct hal_tech hal_sgx;
extern const struct hal_tech hal_snp;
extern const struct hal_tech hal_tdx;

#endif
