/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEF (POWER9 Ultravisor) has no quote.  What there is instead is ours: a key
 * that the owner sealed into the ESM blob, and that a machine of hers
 * unwrapped after the ultravisor compared the VM with the blob's digests,
 * signs report data.  It proves something to that owner and to nobody else.
 *
 * Integers little-endian; signature: ECDSA P-256 with SHA-256, r || s
 * big-endian, over the first PEF_SIGNED_BYTES.  Endorsements: the key's SPKI
 * (DER) and nothing else; or, of a key that a software platform's root made,
 * that and behind it the root's SPKI, SHA-256 over the digests that the blob
 * was sealed to (RTAS, kernel, initrd, bootargs), and the root's signature, the
 * same way, over PEF_VOUCH_CONTEXT, the key's SPKI and that.
 */
#ifndef SPEC_PEF_H
#define SPEC_PEF_H

#include "base/base.h"

#define PEF_MAGIC	 "DJPEFKEY" /* 8 bytes, no NUL */
#define PEF_VERSION	 1u
#define PEF_SIGNED_BYTES 0x070u
#define PEF_BYTES	 0x0b0u

#define PEF_VOUCH_CONTEXT "donjon pef software key 1\n"
#define PEF_SPKI_BYTES	  91u /* P-256, uncompressed (RFC 5480 §2) */
#define PEF_IMAGE_BYTES	  32u
#define PEF_VOUCH_BYTES	  (2 * PEF_SPKI_BYTES + PEF_IMAGE_BYTES + 64)

/* What RTAS does in a guest without firmware: the one hypercall. */
#define PEF_RTAS_CODE                                                         \
	{                                                                     \
		0x7c, 0x64, 0x1b, 0x78, 0x3c, 0x60, 0x00, 0x00, 0x60, 0x63,   \
			0xf0, 0x00, 0x44, 0x00, 0x00, 0x22, 0x4e, 0x80, 0x00, \
			0x20                                                  \
	}

/* The file in an ESM blob that has the key: its private number, big-endian. */
#define PEF_KEY_FILE "donjon-key"

struct pef_evidence {
	uint8_t magic[8];
	uint32_t version;
	uint32_t reserved_00c;
	uint8_t report_data[64];
	uint8_t key[32]; /* SHA-256 of the sealed key's SPKI */
	uint8_t signature[64];
};
LAYOUT(struct pef_evidence, version, 0x008);
LAYOUT(struct pef_evidence, report_data, 0x010);
LAYOUT(struct pef_evidence, key, 0x050);
LAYOUT(struct pef_evidence, signature, PEF_SIGNED_BYTES);
LAYOUT_SIZE(struct pef_evidence, PEF_BYTES);

#endif
