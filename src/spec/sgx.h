/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel SGX and TDX: what their quotes carry (Intel SGX ECDSA QuoteLib
 * reference, "Quote format"; Intel TDX DCAP quoting library API, "Quote
 * format version 4 and 5").  Integers are little-endian, ECDSA values
 * big-endian.  What an enclave is made of is in spec/sgx_enclave.h.
 */
#ifndef SPEC_SGX_H
#define SPEC_SGX_H

#include "base/base.h"

#define SGX_QUOTE_HEADER_BYTES 48u
#define SGX_TEE_SGX	       0x00u
#define SGX_TEE_TDX	       0x81u
#define SGX_KEY_P256	       2u
/* Kinds of body in a version 5 quote. */
#define SGX_BODY_SGX  1u
#define SGX_BODY_TD10 2u
#define SGX_BODY_TD15 3u
/* Kinds of certification data. */
#define SGX_CERT_PCK_CHAIN 5u
#define SGX_CERT_QE_REPORT 6u

/* ATTRIBUTES.FLAGS */
#define SGX_FLAG_INIT	      (1ull << 0)
#define SGX_FLAG_DEBUG	      (1ull << 1)
#define SGX_FLAG_MODE64BIT    (1ull << 2)
#define SGX_FLAG_PROVISIONKEY (1ull << 4)
#define SGX_FLAG_EINITTOKEN   (1ull << 5)
#define SGX_FLAG_KSS	      (1ull << 7)
#define SGX_FLAGS_KNOWN	      0x4f7ull

/* TD_ATTRIBUTES */
#define TDX_ATTR_DEBUG	     (1ull << 0)
#define TDX_ATTR_TUD	     0xffull /* whatever puts a TD in the open */
#define TDX_ATTR_SEPT_VE_OFF (1ull << 28)
#define TDX_ATTR_MIGRATABLE  (1ull << 29)
#define TDX_ATTR_PERFMON     (1ull << 63)
#define TDX_ATTR_KNOWN	     0xc0000000f80000ffull

/* An enclave's report, without its MAC. */
struct sgx_report {
	uint8_t cpusvn[16];
	uint32_t miscselect;
	uint8_t reserved_014[12];
	uint8_t isvextprodid[16];
	uint8_t attributes[16]; /* FLAGS, XFRM */
	uint8_t mrenclave[32];
	uint8_t reserved_060[32];
	uint8_t mrsigner[32];
	uint8_t reserved_0a0[32];
	uint8_t configid[64];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint16_t configsvn;
	uint8_t reserved_106[42];
	uint8_t isvfamilyid[16];
	uint8_t report_data[64];
};
LAYOUT(struct sgx_report, miscselect, 16);
LAYOUT(struct sgx_report, attributes, 48);
LAYOUT(struct sgx_report, mrenclave, 64);
LAYOUT(struct sgx_report, mrsigner, 128);
LAYOUT(struct sgx_report, configid, 192);
LAYOUT(struct sgx_report, isvprodid, 256);
LAYOUT(struct sgx_report, isvsvn, 258);
LAYOUT(struct sgx_report, isvfamilyid, 304);
LAYOUT(struct sgx_report, report_data, 320);
LAYOUT_SIZE(struct sgx_report, 384);

#define TDX_TD10_BYTES 584u

/* A trust domain's report; the last two fields since TDX 1.5. */
struct tdx_report {
	uint8_t tee_tcb_svn[16];
	uint8_t mrseam[48];
	uint8_t mrsignerseam[48];
	uint8_t seamattributes[8];
	uint64_t td_attributes;
	uint64_t xfam;
	uint8_t mrtd[48];
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint8_t rtmr[4][48];
	uint8_t report_data[64];
	uint8_t tee_tcb_svn_2[16];
	uint8_t mrservicetd[48];
};
LAYOUT(struct tdx_report, mrsignerseam, 64);
LAYOUT(struct tdx_report, td_attributes, 120);
LAYOUT(struct tdx_report, mrtd, 136);
LAYOUT(struct tdx_report, mrconfigid, 184);
LAYOUT(struct tdx_report, rtmr, 328);
LAYOUT(struct tdx_report, report_data, 520);
LAYOUT(struct tdx_report, tee_tcb_svn_2, TDX_TD10_BYTES);
LAYOUT_SIZE(struct tdx_report, 648);

#endif
