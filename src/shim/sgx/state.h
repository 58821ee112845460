/* SPDX-License-Identifier: Apache-2.0 */
/* What the enclave is about (entry.S): which entries it takes. */
#ifndef SHIM_SGX_STATE_H
#define SHIM_SGX_STATE_H

#define STATE_NEW     0 /* never entered: one at depth 0 starts it */
#define STATE_BUSY    1 /* the shim runs: none */
#define STATE_USER    2 /* exec runs: one at depth 1, for its exception */
#define STATE_WAITING 3 /* the host was asked: one, at the same depth */

/* enum enclave_leave, for the assembler. */
#define LEAVE_RESUME  4
#define LEAVE_NOTHING 8

#endif
