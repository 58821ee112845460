/* SPDX-License-Identifier: Apache-2.0 */
/* donjond's command line. */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "base/err.h"
#include "base/log.h"
#include "host/control.h"
#include "net/rule.h"

enum { OPTIONS_LISTEN = 8, OPTIONS_PATH = 512 };

/* Ports that Keeps may listen on; their address: 0: whichever they like. */
struct options_ports {
	struct net_address address;
	uint16_t first, last;
};

struct options {
	const char *listen[OPTIONS_LISTEN]; /* borrowed from argv */
	unsigned listeners;
	const char *unix_path, *tls_cert, *tls_key, *token_file;
	char root[OPTIONS_PATH], images[OPTIONS_PATH];
	char keep_program[OPTIONS_PATH];
	char debug_dir[CONTROL_DEBUG_DIR]; /* "": Keeps are no debug Keeps */
	unsigned max_keeps;
	uint64_t max_memory, keep_memory, owner_wait_ns;
	struct options_ports allow_listen[CONTROL_GRANTS];
	size_t allow_listens;
	const char *allow_connect[CONTROL_GRANTS]; /* borrowed; net/rule.h */
	size_t allow_connects;
	uint64_t max_connections, max_traffic; /* of one Keep; 0: no limit */
	enum log_level level;
	int ready_fd; /* -1: none */
	bool help, version;
};

/* Parses and fills in what was not said.  ERR_INPUT is a usage error. */
MUST_USE bool options_parse(int argc, char **argv, struct options *out,
	struct err *e);
extern const char options_usage[];

/* A number of bytes: digits, then nothing, K, M or G (1024 each). */
MUST_USE bool options_bytes(const char *text, uint64_t *out, struct err *e);

#endif
