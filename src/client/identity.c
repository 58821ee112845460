/* SPDX-License-Identifier: Apache-2.0 */
#include "client/identity.h"

#include <time.h>

#include "client/paths.h"
#include "crypto/x509.h"

enum { DAY = 86400 };

/* A leaf that only carries the key: Keeps look at nothing else in it. */
static bool make(const struct crypto_key *key, struct channel_identity **out,
	struct err *e)
{
	auto_buf cert = { 0 };
	int64_t now = (int64_t)time(NULL);
	return crypto_cert_make(key, "donjon owner", now - DAY, now + DAY, NULL,
		       0, &cert, e) &&
		channel_identity_new(key, buf_bytes(&cert), out, e);
}

bool client_identity_open(struct channel_identity **out, uint8_t owner[32],
	struct err *e)
{
	char path[CLIENT_PATH_MAX];
	struct crypto_key *key;
	if (!client_path_owner(path, e))
		return false;
	if (!crypto_key_file(path, true, &key, e))
		return err_wrap(e, "owner key");
	bool ok = crypto_key_fingerprint(key, owner, e) && make(key, out, e);
	crypto_key_free(key);
	return ok;
}
