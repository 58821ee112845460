/* SPDX-License-Identifier: Apache-2.0 */
/* A peer's certificate and its public key. */
#include "crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct bytes in = bytes_of(data, size);
	auto_buf spki = { 0 };
	auto_buf ext = { 0 };
	struct crypto_key *k = NULL;
	if (crypto_cert_spki(in, &spki, &e) &&
		crypto_key_from_spki(buf_bytes(&spki), &k, &e))
		crypto_key_free(k);
	k = NULL;
	if (crypto_key_from_spki(in, &k, &e))
		crypto_key_free(k);
	(void)!crypto_cert_ext(in, "2.23.133.5.4.9", &ext, &e);
	return 0;
}
