/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of a POWER guest: of its hypervisor (LoPAPR 1.1, §14.5; `sc 1`), of its
 * ultravisor (`sc 2`; Linux, Documentation/powerpc/ultravisor.rst).  The number
 * is in r3, arguments from r4 on; r3 is the result.
 */
#ifndef SPEC_PAPR_H
#define SPEC_PAPR_H

/* --- hypercalls --------------------------------------------------------- */

#define H_PUT_TERM_CHAR	      0x058 /* terminal, bytes, two words of them */
#define H_SET_MODE	      0x31c
#define H_REGISTER_PROC_TABLE 0x37c  /* flags, address, _, log2 size - 12 */
#define H_SVM_PAGE_IN	      0xef00 /* the ultravisor's own, to here */
#define H_SVM_INIT_ABORT      0xef14

#define H_PROC_TABLE_NEW   0x18 /* registers a table: flags */
#define H_PROC_TABLE_RADIX 0x04
#define H_PROC_TABLE_GTSE  0x01

#define H_SUCCESS   0
#define H_HARDWARE  (-1)
#define H_FUNCTION  (-2)
#define H_PARAMETER (-4)

/* --- ultracalls --------------------------------------------------------- */

#define UV_WRITE_PATE	     0xf104
#define UV_ESM		     0xf110 /* kernel's address, device tree's */
#define UV_PAGE_IN	     0xf128
#define UV_PAGE_OUT	     0xf12c
#define UV_SHARE_PAGE	     0xf130 /* number of the first page, pages */
#define UV_UNSHARE_PAGE	     0xf134
#define UV_SVM_TERMINATE     0xf13c
#define UV_UNSHARE_ALL_PAGES 0xf140
/* Offset, name in eight words; r3: bytes, in r4 to r11. */
#define UV_ESMB_GET_FILE 0xf14c

#define U_SUCCESS    0
#define U_FUNCTION   (-2)
#define U_PARAMETER  (-4)
#define U_PERMISSION (-11)
#define U_P2	     (-55)
#define U_STATE	     (-75)
#define U_INVALID    U_STATE

/* What an ultravisor protects at once. */
#define UV_PAGE_BYTES 0x10000
#define UV_PAGE_SHIFT 16

/* Of a file in an ESM blob: its name, and what one call gives. */
#define UV_FILE_NAME_BYTES 64
#define UV_FILE_BYTES	   64

#endif
