/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "dev/dev.h"

enum {
	MAX_ENV = 1024,
	MAX_DIRS = 64,
	MAX_VALUES = 64,
	STATUS_USAGE = 2,
	STATUS_TRAP = 134,
	STATUS_STOPPED = 124,
	READ_BLOCK = 1 << 20,
};

static const char usage[] =
	"usage: donjon-wasm [OPTIONS] MODULE [ARGS...]\n"
	"Runs a WebAssembly module outside of any Keep, for developers.\n"
	"\n"
	"  --env KEY=VALUE         set a variable; may be repeated\n"
	"  --dir HOST::GUEST[:ro|:rw]\n"
	"                          copy a directory in; rw: what was made or\n"
	"                          changed is copied back at the end (ro)\n"
	"  --fuel N                stop after N units of work\n"
	"  --memory BYTES          limit of linear memory (4 GiB)\n"
	"  --threads N             how many there may be at once (64)\n"
	"  --files BYTES           limit of the file system (1 GiB)\n"
	"  --invoke NAME           call an export instead of _start, ARGS are its\n"
	"                          values\n"
	"  --engine interp|jit     how functions run (interp)\n"
	"  --mask                  no speculation past checks of bounds\n"
	"  --eager                 compile all functions before the first call\n"
	"  --stress SEED           compile as awkwardly as chance has it: few\n"
	"                          registers, values on the stack, code in pieces;\n"
	"                          the compiler checks itself\n"
	"  --dump[=words|ssa|asm]  write register code beside WebAssembly; or what\n"
	"                          the compiler makes of functions, with offsets\n"
	"                          into the module: values, or machine code too\n"
	"  --places                traps say where in the module they are\n"
	"  --perf                  name compiled functions for `perf report`\n"
	"  --trace[=words]         write calls and returns, or every instruction\n"
	"                          of register code, on standard error\n"
	"  --stats                 say times and memory on standard error\n"
	"  --help\n"
	"\n"
	"Exit status: the program's; 134 it trapped, 124 it was stopped,\n"
	"121 the module is refused, 2 wrong usage.\n";

struct options {
	const char *env[MAX_ENV];
	size_t env_count;
	struct dev_dir dirs[MAX_DIRS];
	size_t dir_count;
	const char *invoke;
	uint64_t fuel, memory, files, stress, threads;
	bool stats, jit, eager, mask, words, trace, places, perf;
	struct dev_trace traced;
	uint32_t dump;
	char **args; /* args[0]: the module */
	size_t arg_count;
};

static bool number(const char *text, uint64_t *out, struct err *e)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-')
		return err_fail(e, ERR_INPUT, "not a number: %s", text);
	return true;
}

/* HOST::GUEST[:ro|:rw], cut in place. */
static bool dir_option(struct options *o, char *text, struct err *e)
{
	char *guest = strstr(text, "::");
	if (!guest || guest == text || !guest[2])
		return err_fail(e, ERR_INPUT, "--dir wants HOST::GUEST, not %s",
			text);
	if (o->dir_count == MAX_DIRS)
		return err_fail(e, ERR_LIMIT, "too many --dir");
	struct dev_dir *d = &o->dirs[o->dir_count++];
	*guest = 0;
	guest += 2;
	char *mode = strrchr(guest, ':');
	if (mode && (!strcmp(mode, ":ro") || !strcmp(mode, ":rw"))) {
		d->writable = mode[2] == 'w';
		*mode = 0;
	}
	d->host = text;
	d->guest = guest;
	size_t n = strlen(text);
	while (n > 1 && text[n - 1] == '/')
		text[--n] = 0;
	return true;
}

static bool dump_option(struct options *o, const char *what, struct err *e)
{
	if (!strcmp(what, "words"))
		o->words = true;
	else if (!strcmp(what, "ssa"))
		o->dump = WASM_DUMP_SSA;
	else if (!strcmp(what, "asm"))
		o->dump = WASM_DUMP_ASM;
	else
		return err_fail(e, ERR_INPUT, "--dump=%s is unknown", what);
	o->jit |= o->dump != 0;
	o->places = true;
	return true;
}

static bool one_option(struct options *o, int c, struct err *e)
{
	switch (c) {
	case 'e':
		if (!strchr(optarg, '='))
			return err_fail(e, ERR_INPUT,
				"--env wants KEY=VALUE, not %s", optarg);
		if (o->env_count == MAX_ENV)
			return err_fail(e, ERR_LIMIT, "too many --env");
		o->env[o->env_count++] = optarg;
		return true;
	case 'd':
		return dir_option(o, optarg, e);
	case 'f':
		return number(optarg, &o->fuel, e);
	case 'm':
		return number(optarg, &o->memory, e);
	case 'b':
		return number(optarg, &o->files, e);
	case 'i':
		o->invoke = optarg;
		return true;
	case 's':
		o->stats = true;
		return true;
	case 'j':
		o->jit = !strcmp(optarg, "jit");
		if (!o->jit && strcmp(optarg, "interp") != 0)
			return err_fail(e, ERR_INPUT,
				"--engine %s: want interp or jit", optarg);
		return true;
	case 'K':
		o->jit = o->mask = true;
		return true;
	case 'E':
		o->jit = o->eager = true;
		return true;
	case 'D':
		return dump_option(o, optarg ? optarg : "words", e);
	case 't':
		o->trace = true;
		o->traced.words = optarg && !strcmp(optarg, "words");
		return !optarg || o->traced.words ||
			err_fail(e, ERR_INPUT, "--trace=%s is unknown", optarg);
	case 'T':
		return number(optarg, &o->threads, e);
	case 'P':
		o->places = true;
		return true;
	case 'p':
		o->jit = o->perf = true;
		return true;
	case 'S':
		o->jit = true;
		return number(optarg, &o->stress, e);
	default:
		return err_fail(e, ERR_INPUT, "unknown option");
	}
}

static bool parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option names[] = {
		{ "env", required_argument, NULL, 'e' },
		{ "dir", required_argument, NULL, 'd' },
		{ "fuel", required_argument, NULL, 'f' },
		{ "memory", required_argument, NULL, 'm' },
		{ "files", required_argument, NULL, 'b' },
		{ "invoke", required_argument, NULL, 'i' },
		{ "engine", required_argument, NULL, 'j' },
		{ "mask", no_argument, NULL, 'K' },
		{ "eager", no_argument, NULL, 'E' },
		{ "dump", optional_argument, NULL, 'D' },
		{ "trace", optional_argument, NULL, 't' },
		{ "threads", required_argument, NULL, 'T' },
		{ "places", no_argument, NULL, 'P' },
		{ "perf", no_argument, NULL, 'p' },
		{ "stress", required_argument, NULL, 'S' },
		{ "stats", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;
	while ((c = getopt_long(argc, argv, "+:", names, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (c == ':' || c == '?')
			return err_fail(e, ERR_INPUT,
				c == ':' ? "%s wants a value" :
					   "unknown option %s",
				argv[optind - 1]);
		if (!one_option(o, c, e))
			return false;
	}
	if (optind >= argc)
		return err_fail(e, ERR_INPUT, "no module given");
	o->args = argv + optind;
	o->arg_count = (size_t)(argc - optind);
	return true;
}

static bool read_all(const char *path, struct buf *out, struct err *e)
{
	FILE *f = fopen(path, "rbe");
	if (!f)
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	for (;;) {
		uint8_t *to = buf_reserve(out, READ_BLOCK);
		size_t n = to ? fread(to, 1, READ_BLOCK, f) : 0;
		buf_commit(out, n);
		if (n == 0)
			break;
	}
	bool ok = buf_ok(out) && !ferror(f);
	fclose(f);
	return ok || err_fail(e, ERR_INPUT, "%s: cannot be read", path);
}

/* --- one run -------------------------------------------------------------- */

struct run {
	struct options *o;
	struct dev_host host;
	struct memfs *fs;
	struct wasi *wasi;
	struct wasm_module *module;
	struct wasm_instance *instance;
	struct dev_code code;
	struct wasm_result result;
	uint64_t results[MAX_VALUES];
};

static bool make_wasi(struct run *r, struct err *e)
{
	struct options *o = r->o;
	struct wasi_fd_config fds[3 + MAX_DIRS] = { 0 };
	struct memfs_config fc = { .max_bytes = o->files, .now = dev_now };
	if (!memfs_new(&fc, &r->fs, e))
		return false;
	dev_host_init(&r->host);
	dev_host_stdio(&r->host, fds);
	for (size_t i = 0; i < o->dir_count; i++) {
		if (!dev_dir_load(&o->dirs[i], r->fs, e))
			return false;
		fds[3 + i] = (struct wasi_fd_config){ .kind = WASI_FD_PREOPEN,
			.dir = o->dirs[i].root,
			.name = o->dirs[i].guest,
			.read_only = !o->dirs[i].writable };
	}
	struct wasi_config c = { .host = &r->host.host,
		.vfs = memfs_vfs(r->fs),
		.args = (const char *const *)o->args,
		.arg_count = o->invoke ? 1 : o->arg_count,
		.env = o->env,
		.env_count = o->env_count,
		.fds = fds,
		.fd_count = 3 + o->dir_count };
	return wasi_new(&c, &r->wasi, e);
}

static bool make_module(struct run *r, const struct wasm_limits *limits,
	struct err *e)
{
	auto_buf bytes = { 0 };
	bool ok = read_all(r->o->args[0], &bytes, e) &&
		wasm_module_new(buf_bytes(&bytes), limits, &r->module, e);
	if (ok && r->o->words)
		dev_dump(r->module, buf_bytes(&bytes));
	return ok;
}

enum { MANY_FUNCTIONS = 1000 };

/* On a terminal, of a big module: how far it is. */
static bool tell_compiled(UNUSED void *ctx, uint32_t done, uint32_t all)
{
	if (all >= MANY_FUNCTIONS && (done % 100 == 0 || done == all))
		fprintf(stderr, "\rcompiled %u of %u functions%s", done, all,
			done == all ? "\n" : "");
	return true;
}

static bool make_instance(struct run *r, struct err *e)
{
	struct wasm_limits limits = { .memory_bytes = r->o->memory,
		.engine = r->o->jit ? WASM_ENGINE_JIT : WASM_ENGINE_INTERP,
		.threads = r->o->threads < UINT32_MAX ?
			(uint32_t)r->o->threads :
			UINT32_MAX,
		.jit_stress = r->o->stress,
		.jit_mask = r->o->mask,
		.places = r->o->places };
	size_t count;
	if (!make_module(r, &limits, e))
		return false;
	const struct wasm_import *imports = wasi_imports(r->wasi, &count);
	if (!wasm_instance_new(r->module, imports, count, &limits, &r->instance,
		    &r->result, e))
		return false;
	if (!dev_code_init(&r->code, r->o->dump, r->o->perf, e))
		return false;
	const struct wasm_clock clock = wasi_clock(r->wasi);
	wasm_instance_clock(r->instance, &clock);
	wasm_instance_jit_watch(r->instance, &r->code.watch);
	if (r->o->eager)
		wasm_instance_jit_all(r->instance,
			isatty(STDERR_FILENO) ? tell_compiled : NULL, NULL);
	if (r->o->fuel)
		wasm_instance_fuel(r->instance, r->o->fuel);
	return !r->o->trace || dev_trace_start(&r->o->traced, r->instance, e);
}

static bool value_parse(char type, const char *text, uint64_t *out,
	struct err *e)
{
	char *end = NULL;
	double d;
	float f;
	errno = 0;
	switch (type) {
	case 'i':
	case 'I':
		*out = text[0] == '-' ? (uint64_t)strtoll(text, &end, 0) :
					strtoull(text, &end, 0);
		if (type == 'i')
			*out = (uint32_t)*out;
		break;
	case 'f':
		f = strtof(text, &end);
		*out = 0;
		memcpy(out, &f, sizeof f);
		break;
	case 'F':
		d = strtod(text, &end);
		memcpy(out, &d, sizeof d);
		break;
	default:
		return err_fail(e, ERR_INPUT, "unknown type %c", type);
	}
	if (end == text || *end)
		return err_fail(e, ERR_INPUT, "not a value: %s", text);
	return true;
}

static void value_print(char type, uint64_t v)
{
	double d;
	float f;
	memcpy(&f, &v, sizeof f);
	memcpy(&d, &v, sizeof d);
	switch (type) {
	case 'i':
		printf("%d\n", (int)(uint32_t)v);
		break;
	case 'I':
		printf("%lld\n", (long long)v);
		break;
	case 'f':
		printf("%.9g\n", (double)f);
		break;
	default:
		printf("%.17g\n", d);
		break;
	}
}

static bool call_invoke(struct run *r, struct err *e)
{
	struct options *o = r->o;
	uint64_t params[MAX_VALUES];
	char types[MAX_VALUES + 2];
	if (!wasm_module_signature(r->module, bytes_str(o->invoke), types,
		    sizeof types))
		return err_fail(e, ERR_INPUT, "no function %s to call",
			o->invoke);
	size_t in = strcspn(types, ":");
	const char *results = types + in + 1;
	size_t out = strlen(results);
	if (strpbrk(types, "rV"))
		return err_fail(e, ERR_INPUT,
			"%s takes or gives vectors or references", o->invoke);
	if (in != o->arg_count - 1)
		return err_fail(e, ERR_INPUT, "%s takes %zu values", o->invoke,
			in);
	for (size_t i = 0; i < in; i++)
		if (!value_parse(types[i], o->args[i + 1], &params[i], e))
			return false;
	if (wasm_module_exports_func(r->module, "_initialize") &&
		(!wasm_call(r->instance, "_initialize", NULL, 0, NULL, 0,
			 &r->result, e) ||
			r->result.end != WASM_RETURNED))
		return r->result.end != WASM_RETURNED;
	if (!wasm_call(r->instance, o->invoke, params, in, r->results, out,
		    &r->result, e))
		return false;
	for (size_t i = 0; r->result.end == WASM_RETURNED && i < out; i++)
		value_print(results[i], r->results[i]);
	return true;
}

static bool call_module(struct run *r, struct err *e)
{
	if (r->o->invoke)
		return call_invoke(r, e);
	return wasm_call(r->instance, "_start", NULL, 0, NULL, 0, &r->result,
		e);
}

static int status_of(const struct run *r)
{
	switch (r->result.end) {
	case WASM_RETURNED:
		return 0;
	case WASM_EXITED:
		return (int)(r->result.exit_code & 0xff);
	case WASM_TRAPPED:
		fprintf(stderr, "donjon-wasm: trap: %s\n", r->result.text);
		return STATUS_TRAP;
	case WASM_STOPPED:
		break;
	}
	fprintf(stderr, "donjon-wasm: stopped\n");
	return STATUS_STOPPED;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_fini(struct run *r)
{
	wasm_instance_free(r->instance);
	dev_code_fini(&r->code);
	wasm_module_free(r->module);
	wasi_free(r->wasi);
	memfs_free(r->fs);
}

/* What the process had at most, in KiB; 0: this machine does not say. */
static unsigned long peak(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, "VmHWM:", 6))
			kib = strtoul(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static void print_jit(const struct wasm_instance *i)
{
	struct wasm_jit_stats s = wasm_instance_jit_stats(i);
	const char *why;
	uint32_t count;
	fprintf(stderr,
		"compiled %u functions, %llu words to %llu bytes; %u left to "
		"the interpreter\n",
		s.compiled, (unsigned long long)s.words,
		(unsigned long long)s.code_bytes, s.refused);
	for (uint32_t n = 0; (why = wasm_instance_jit_reason(i, n, &count));
		n++)
		fprintf(stderr, "  %u: %s\n", count, why);
}

static int run(struct options *o, struct err *e)
{
	__attribute__((cleanup(run_fini))) struct run r = { .o = o };
	double t0 = seconds(), t1, t2;
	if (!make_wasi(&r, e))
		return ERR_STATUS(e->kind);
	if (!make_instance(&r, e)) {
		/* A start function may end the program in its own way. */
		if (r.result.end == WASM_EXITED)
			return status_of(&r);
		return ERR_STATUS(e->kind);
	}
	t1 = seconds();
	if (!call_module(&r, e))
		return ERR_STATUS(e->kind);
	t2 = seconds();
	fflush(stdout);
	int status = status_of(&r);
	for (size_t i = 0; i < o->dir_count; i++)
		if (o->dirs[i].writable && !dev_dir_save(&o->dirs[i], r.fs, e))
			return ERR_STATUS(e->kind);
	if (o->stats && o->jit)
		print_jit(r.instance);
	if (o->stats)
		fprintf(stderr,
			"load %.3f s, run %.3f s, module %zu KiB, instance "
			"%zu KiB, files %llu KiB, process %lu KiB\n",
			t1 - t0, t2 - t1, wasm_module_footprint(r.module) >> 10,
			wasm_instance_footprint(r.instance) >> 10,
			(unsigned long long)memfs_used(r.fs) >> 10, peak());
	return status;
}

int main(int argc, char **argv)
{
	auto_free struct options *o = calloc(1, sizeof *o);
	struct err e = { 0 };
	signal(SIGPIPE, SIG_IGN);
	if (!o)
		return ERR_STATUS(ERR_LIMIT);
	if (!parse(argc, argv, o, &e)) {
		fprintf(stderr, "donjon-wasm: %s\nTry 'donjon-wasm --help'.\n",
			e.text);
		return STATUS_USAGE;
	}
	int status = run(o, &e);
	if (e.kind)
		fprintf(stderr, "donjon-wasm: %s\n", e.text);
	return status;
}
