/* SPDX-License-Identifier: Apache-2.0 */
#include "host/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fmt.h"
#include "host/ask.h"

enum {
	KEEPS_DEFAULT = 64,
	KEEPS_MOST = 1024,
	OWNER_WAIT_DEFAULT = 600,
	CONNECTIONS_DEFAULT = 1024,
};

const char options_usage[] =
	"usage: donjond [OPTION]...\n"
	"\n"
	"The host agent: runs programs of tenants in Keeps.\n"
	"\n"
	"  --listen HOST:PORT    serve HTTP there (127.0.0.1:7443 when neither\n"
	"                        this nor --unix is given); may be repeated\n"
	"  --unix PATH           serve HTTP on a Unix socket\n"
	"  --tls-cert FILE       certificate chain in PEM: TLS on each --listen\n"
	"  --tls-key FILE        its key\n"
	"  --token-file FILE     requests must carry this bearer token\n"
	"  --root FILE           key of the software root; made on first use\n"
	"  --images DIR          images of Keeps\n"
	"  --max-keeps N         Keeps at once (64)\n"
	"  --max-memory BYTES    memory of all Keeps (that of this machine)\n"
	"  --keep-memory BYTES   memory of one Keep, at most (4G)\n"
	"  --allow-listen [ADDRESS:]PORT[-PORT]\n"
	"                        ports that Keeps may listen on; may be repeated\n"
	"  --allow-connect RULE  where Keeps may connect: HOST:PORT, or any; may\n"
	"                        be repeated (donjond(8))\n"
	"  --max-connections N   connections of one Keep at once (1024)\n"
	"  --max-traffic BYTES   that one Keep may send and receive in its life\n"
	"  --owner-wait SECONDS  a Keep ends when no owner comes (600)\n"
	"  --debug DIR           for developers: Keeps can be looked into, and no\n"
	"                        tenant's policy takes them for this release's;\n"
	"                        gdb's sockets are in DIR\n"
	"  --log-level LEVEL     error, warn, info or debug (info)\n"
	"  --ready-fd N          write `ready ...` there, once\n"
	"  --help                show this\n"
	"  --version             show the version\n"
	"\n"
	"BYTES may end in K, M or G. Off loopback, --listen needs TLS and a\n"
	"token.\n";

enum {
	OPT_LISTEN = 256,
	OPT_UNIX,
	OPT_CERT,
	OPT_KEY,
	OPT_TOKEN,
	OPT_ROOT,
	OPT_IMAGES,
	OPT_PROGRAM,
	OPT_KEEPS,
	OPT_MEMORY,
	OPT_KEEP_MEMORY,
	OPT_ALLOW_LISTEN,
	OPT_ALLOW_CONNECT,
	OPT_CONNECTIONS,
	OPT_TRAFFIC,
	OPT_WAIT,
	OPT_DEBUG,
	OPT_LEVEL,
	OPT_READY,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "unix", required_argument, NULL, OPT_UNIX },
	{ "tls-cert", required_argument, NULL, OPT_CERT },
	{ "tls-key", required_argument, NULL, OPT_KEY },
	{ "token-file", required_argument, NULL, OPT_TOKEN },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "images", required_argument, NULL, OPT_IMAGES },
	/* For tests: another donjon-keep. */
	{ "keep-program", required_argument, NULL, OPT_PROGRAM },
	{ "max-keeps", required_argument, NULL, OPT_KEEPS },
	{ "max-memory", required_argument, NULL, OPT_MEMORY },
	{ "keep-memory", required_argument, NULL, OPT_KEEP_MEMORY },
	{ "allow-listen", required_argument, NULL, OPT_ALLOW_LISTEN },
	{ "allow-connect", required_argument, NULL, OPT_ALLOW_CONNECT },
	{ "max-connections", required_argument, NULL, OPT_CONNECTIONS },
	{ "max-traffic", required_argument, NULL, OPT_TRAFFIC },
	{ "owner-wait", required_argument, NULL, OPT_WAIT },
	{ "debug", required_argument, NULL, OPT_DEBUG },
	{ "log-level", required_argument, NULL, OPT_LEVEL },
	{ "ready-fd", required_argument, NULL, OPT_READY },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *out,
	struct err *e)
{
	char *end;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v < min || v > max)
		return err_fail(e, ERR_INPUT,
			"%s: not a number from %llu to "
			"%llu",
			text, (unsigned long long)min, (unsigned long long)max);
	*out = v;
	return true;
}

bool options_bytes(const char *text, uint64_t *out, struct err *e)
{
	char *end;
	unsigned shift = 0;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (*end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (*text < '0' || *text > '9' || end[shift != 0] || errno ||
		v > ((uint64_t)INT64_MAX >> shift))
		return err_fail(e, ERR_INPUT,
			"%s: want bytes, as in 512M or 4G", text);
	*out = (uint64_t)v << shift;
	return true;
}

static bool path(const char *text, char out[OPTIONS_PATH], struct err *e)
{
	if (!*text || strlen(text) >= OPTIONS_PATH)
		return err_fail(e, ERR_INPUT, "%s: not a usable path", text);
	fmt(out, OPTIONS_PATH, "%s", text);
	return true;
}

static bool level(const char *text, enum log_level *out, struct err *e)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(text, names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	return err_fail(e, ERR_INPUT, "%s: want error, warn, info or debug",
		text);
}

static bool debug_dir(const char *text, struct options *o, struct err *e)
{
	char whole[OPTIONS_PATH];
	if (!path(text, whole, e))
		return false;
	if (strlen(whole) >= sizeof o->debug_dir)
		return err_fail(e, ERR_INPUT, "%s: too long for sockets",
			whole);
	fmt(o->debug_dir, sizeof o->debug_dir, "%s", whole);
	return true;
}

static bool add_listen(struct options *o, struct err *e)
{
	if (o->listeners == OPTIONS_LISTEN)
		return err_fail(e, ERR_INPUT, "more than %d", OPTIONS_LISTEN);
	o->listen[o->listeners++] = optarg;
	return true;
}

/* [ADDRESS:]PORT, with -PORT behind it for a range. */
static bool add_ports(const char *text, struct options *o, struct err *e)
{
	struct options_ports p;
	const char *dash = strrchr(text, '-');
	uint64_t last = 0;
	char first[128];
	if (o->allow_listens == CONTROL_GRANTS)
		return err_fail(e, ERR_INPUT, "more than %d", CONTROL_GRANTS);
	if (!dash)
		dash = text + strlen(text);
	fmt(first, sizeof first, "%.*s", (int)(dash - text), text);
	if (!net_endpoint_parse(first, &p.address, &p.first, e))
		return false;
	p.last = p.first;
	if (*dash) {
		if (!number(dash + 1, p.first, UINT16_MAX, &last, e))
			return false;
		p.last = (uint16_t)last;
	}
	o->allow_listen[o->allow_listens++] = p;
	return true;
}

static bool add_rule(const char *text, struct options *o, struct err *e)
{
	struct net_rule r;
	if (o->allow_connects == CONTROL_GRANTS)
		return err_fail(e, ERR_INPUT, "more than %d", CONTROL_GRANTS);
	o->allow_connect[o->allow_connects++] = text;
	return net_rule_parse(text, &r, e);
}

static bool take_number(int opt, struct options *o, struct err *e)
{
	uint64_t n = 0;
	switch (opt) {
	case OPT_KEEPS:
		if (!number(optarg, 1, KEEPS_MOST, &n, e))
			return false;
		o->max_keeps = (unsigned)n;
		return true;
	case OPT_CONNECTIONS:
		return number(optarg, 1, GATE_MAX_HANDLES, &o->max_connections,
			e);
	case OPT_WAIT:
		if (!number(optarg, 1, 1000000, &n, e))
			return false;
		o->owner_wait_ns = n * 1000000000;
		return true;
	default:
		if (!number(optarg, 0, 65535, &n, e))
			return false;
		o->ready_fd = (int)n;
		return true;
	}
}

static bool take(int opt, struct options *o, struct err *e)
{
	switch (opt) {
	case OPT_LISTEN:
		return add_listen(o, e);
	case OPT_UNIX:
		o->unix_path = optarg;
		return true;
	case OPT_CERT:
		o->tls_cert = optarg;
		return true;
	case OPT_KEY:
		o->tls_key = optarg;
		return true;
	case OPT_TOKEN:
		o->token_file = optarg;
		return true;
	case OPT_ROOT:
		return path(optarg, o->root, e);
	case OPT_IMAGES:
		return path(optarg, o->images, e);
	case OPT_DEBUG:
		return debug_dir(optarg, o, e);
	case OPT_PROGRAM:
		return path(optarg, o->keep_program, e);
	case OPT_MEMORY:
		return options_bytes(optarg, &o->max_memory, e);
	case OPT_KEEP_MEMORY:
		return options_bytes(optarg, &o->keep_memory, e);
	case OPT_ALLOW_LISTEN:
		return add_ports(optarg, o, e);
	case OPT_ALLOW_CONNECT:
		return add_rule(optarg, o, e);
	case OPT_TRAFFIC:
		return options_bytes(optarg, &o->max_traffic, e);
	case OPT_LEVEL:
		return level(optarg, &o->level, e);
	case OPT_HELP:
		return o->help = true;
	case OPT_VERSION:
		return o->version = true;
	default:
		return take_number(opt, o, e);
	}
}

/* --- what was not said -----------------------------------------------------
 */

static uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t n =
		pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
	return n > ASK_MEMORY_DEFAULT ? n : ASK_MEMORY_DEFAULT;
}

static bool default_root(char out[OPTIONS_PATH], struct err *e)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char text[OPTIONS_PATH + 64];
	if (data && *data == '/')
		fmt(text, sizeof text, "%s/donjon/software-root.pem", data);
	else if (home && *home == '/' && home[1])
		fmt(text, sizeof text,
			"%s/.local/share/donjon/software-root.pem", home);
	else if (getuid() == 0)
		fmt(text, sizeof text, "/var/lib/donjon/software-root.pem");
	else
		return err_fail(e, ERR_INPUT,
			"no HOME: say --root where its key is");
	return path(text, out, e);
}

static bool fill_in(struct options *o, struct err *e)
{
	char here[OPTIONS_PATH], text[OPTIONS_PATH + 64];
	struct stat st;
	if (!o->listeners && !o->unix_path)
		o->listen[o->listeners++] = "127.0.0.1:7443";
	if (!o->max_memory)
		o->max_memory = machine_memory();
	if (!file_own_folder(here, sizeof here))
		return err_fail(e, ERR_HOST, "/proc/self/exe: %s",
			strerror(errno));
	if ((!*o->root && !default_root(o->root, e)))
		return false;
	fmt(text, sizeof text, "%s/../keep", here);
	if (stat(text, &st) || !S_ISDIR(st.st_mode))
		fmt(text, sizeof text, "%s/../lib/donjon/keep", here);
	if (!*o->images && !path(text, o->images, e))
		return false;
	fmt(text, sizeof text, "%s/donjon-keep", here);
	return *o->keep_program || path(text, o->keep_program, e);
}

static bool consistent(const struct options *o, struct err *e)
{
	if (!o->tls_cert != !o->tls_key)
		return err_fail(e, ERR_INPUT,
			"--tls-cert and --tls-key belong together");
	if (o->keep_memory < ASK_MEMORY_MIN)
		return err_fail(e, ERR_INPUT, "--keep-memory: at least 16M");
	return true;
}

bool options_parse(int argc, char **argv, struct options *out, struct err *e)
{
	struct options o = { .max_keeps = KEEPS_DEFAULT,
		.keep_memory = 4 * ASK_MEMORY_DEFAULT,
		.max_connections = CONNECTIONS_DEFAULT,
		.owner_wait_ns = UINT64_C(1000000000) * OWNER_WAIT_DEFAULT,
		.level = LOG_INFO,
		.ready_fd = -1 };
	int opt, index = 0;
	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, ":", long_options, &index)) !=
		-1) {
		if (opt == '?' || opt == ':')
			return err_fail(e, ERR_INPUT, "%s: %s",
				argv[optind - 1],
				opt == ':' ? "needs a value" :
					     "no such option");
		if (!take(opt, &o, e))
			return err_wrap(e, "--%s", long_options[index].name);
	}
	if (optind < argc)
		return err_fail(e, ERR_INPUT, "%s: no arguments are taken",
			argv[optind]);
	if (!o.help && !o.version && (!consistent(&o, e) || !fill_in(&o, e)))
		return false;
	*out = o;
	return true;
}
