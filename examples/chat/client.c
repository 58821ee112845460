/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client HOST PORT KEY NAME: a guest of the chat room, with OpenSSL.  KEY is
 * the SHA-256 (hexadecimal) of the public key of the Keep, as it was verified:
 * README.md.  Lines of the standard input are said, what others say is
 * printed.
 */
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int is_the_one(SSL *ssl, const char *key)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	unsigned char *spki = NULL, hash[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	int n = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : -1;
	X509_free(cert);
	if (n < 0)
		return 0;
	SHA256(spki, (size_t)n, hash);
	OPENSSL_free(spki);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return !strcasecmp(hex, key);
}

/* From one side to the other; 0 at its end. */
static int say(SSL *ssl)
{
	char line[512];
	if (!fgets(line, sizeof line, stdin))
		return 0;
	return SSL_write(ssl, line, (int)strlen(line)) > 0;
}

static int hear(SSL *ssl)
{
	char text[4096];
	do {
		int n = SSL_read(ssl, text, sizeof text);
		if (n <= 0)
			return 0;
		fwrite(text, 1, (size_t)n, stdout);
	} while (SSL_pending(ssl));
	return !fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	BIO *b = BIO_new_ssl_connect(ctx);
	SSL *ssl;
	BIO_get_ssl(b, &ssl);
	BIO_set_conn_hostname(b, argv[1]);
	BIO_set_conn_port(b, argv[2]);
	if (BIO_do_handshake(b) <= 0) {
		fputs("no connection\n", stderr);
		return 1;
	}
	if (!is_the_one(ssl, argv[3])) {
		fputs("this is not the Keep that was verified\n", stderr);
		return 1;
	}
	BIO_printf(b, "%s\n", argv[4]);
	setvbuf(stdin, NULL, _IONBF, 0); /* poll knows of no buffer */
	struct pollfd fds[] = { { .fd = 0, .events = POLLIN },
		{ .fd = SSL_get_fd(ssl), .events = POLLIN } };
	while (poll(fds, 2, -1) > 0)
		if ((fds[0].revents && !say(ssl)) ||
			(fds[1].revents && !hear(ssl)))
			break;
	BIO_ssl_shutdown(b);
	BIO_free_all(b);
	SSL_CTX_free(ctx);
	return 0;
}
