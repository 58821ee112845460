/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/repository.h"

#include "codec/hex.h"
#include "crypto/hash.h"
#include "repository/https.h"

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

struct bytes repository_name(const char *reference)
{
	size_t end = strcspn(reference, "#?");
	if (!strstr(reference, "://"))
		end = strlen(reference);
	while (end > 1 && reference[end - 1] == '/')
		end--;
	size_t begin = end;
	while (begin > 0 && reference[begin - 1] != '/')
		begin--;
	return bytes_of(reference + begin, end - begin);
}

static bool check_digest(const char *pin, struct bytes got, struct err *e)
{
	static const char key[] = "sha256=";
	uint8_t want[CRYPTO_SHA256_BYTES], is[CRYPTO_SHA256_BYTES];
	if (!starts(pin, key) ||
		!hex_decode(bytes_str(pin + strlen(key)), want, sizeof want, e))
		return err_fail(e, ERR_INPUT,
			"after '#' comes sha256= and 64 hexadecimal digits");
	if (!crypto_digest(CRYPTO_SHA256, got, is, e))
		return false;
	char hex[2 * sizeof is + 1];
	hex_encode(BYTES_ARRAY(is), hex);
	if (!bytes_equal(BYTES_ARRAY(want), BYTES_ARRAY(is)))
		return err_fail(e, ERR_DENIED,
			"contents have SHA-256 %s, the reference pins another",
			hex);
	return true;
}

static bool fetch_https(const struct repository_config *cfg,
	const char *reference, struct buf *out, struct err *e)
{
	auto_buf url = { 0 };
	size_t n = strcspn(reference, "#"), begin = out->len;
	const char *pin = reference[n] ? reference + n + 1 : NULL;
	if (!buf_put(&url, bytes_of(reference, n)))
		return err_fail(e, ERR_LIMIT, "no memory");
	return repository_https(cfg, buf_cstr(&url), out, e) &&
		(!pin ||
			check_digest(pin, bytes_from(buf_bytes(out), begin),
				e));
}

bool repository_fetch(const struct repository_config *cfg,
	const char *reference, struct buf *out, struct err *e)
{
	if (starts(reference, "https://"))
		return fetch_https(cfg, reference, out, e) ||
			err_wrap(e, "%s", reference);
	if (starts(reference, "file:///"))
		return repository_read_file(reference + 7, cfg->max_bytes, out,
			e);
	if (starts(reference, "oci://"))
		return err_fail(e, ERR_INPUT,
			"%s: this release has no OCI registries yet; give a "
			"file or https://",
			reference);
	if (strstr(reference, "://"))
		return err_fail(e, ERR_INPUT,
			"%s: want a file's path or https://", reference);
	return repository_read_file(reference, cfg->max_bytes, out, e);
}
