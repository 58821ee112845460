/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets in struct vcpu that boot.S uses. */
#ifndef MONITOR_PPC64LE_VCPU_ASM_H
#define MONITOR_PPC64LE_VCPU_ASM_H

#define VCPU_GPR   0x000
#define VCPU_NIP   0x100
#define VCPU_MSR   0x108
#define VCPU_CR	   0x110
#define VCPU_LR	   0x118
#define VCPU_CTR   0x120
#define VCPU_XER   0x128
#define VCPU_STACK 0x130

#endif
