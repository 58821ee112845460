/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the WebAssembly test suite (wabt's JSON form, in spec/json of the
 * shared folder) and prints TAP: a line for each file, which is right when
 * every assertion in it is.  Arguments: names of files; none: all.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "json.h"
#include "values.h"
#include "wasm/wasm.h"

enum { MAX_NAMED = 256, MAX_SLOTS = 64 };

/* Files of proposals that the engine does not have yet. */
static const struct {
	const char *prefix, *proposal;
} missing[] = {
	{ NULL, NULL },
};

struct named {
	char name[128];
	struct wasm_instance *inst;
};

struct run {
	char folder[1024];
	struct wasm_store *store;
	struct wasm_module *modules[8192];
	size_t module_count;
	struct wasm_instance *current;
	struct named instances[MAX_NAMED], registered[MAX_NAMED];
	size_t instance_count, registered_count;
	struct wasm_extern spectest[32];
	size_t assertions, wrong;
	char why[4096];
};

/* --- the host module of the suite ----------------------------------------- */

static bool print(struct wasm_caller *c UNUSED, uint64_t *slots UNUSED,
	void *ctx UNUSED)
{
	return true;
}

static const struct wasm_import prints[] = {
	{ "spectest", "print", ":", print, NULL },
	{ "spectest", "print_i32", "i:", print, NULL },
	{ "spectest", "print_i64", "I:", print, NULL },
	{ "spectest", "print_f32", "f:", print, NULL },
	{ "spectest", "print_f64", "F:", print, NULL },
	{ "spectest", "print_i32_f32", "if:", print, NULL },
	{ "spectest", "print_f64_f64", "FF:", print, NULL },
};

enum {
	GLOBAL_I32 = ARRAY_LEN(prints),
	GLOBAL_I64,
	GLOBAL_F32,
	GLOBAL_F64,
	TABLE,
	TABLE64,
	MEMORY
};

static const char *const spectest_names[] = { "print", "print_i32", "print_i64",
	"print_f32", "print_f64", "print_i32_f32", "print_f64_f64",
	"global_i32", "global_i64", "global_f32", "global_f64", "table",
	"table64", "memory" };

static bool make_spectest(struct run *r)
{
	bool ok = true;
	for (size_t i = 0; i < ARRAY_LEN(prints); i++)
		ok = ok &&
			wasm_store_func(r->store, &prints[i], &r->spectest[i]);
	struct wasm_extern *x = r->spectest;
	struct wasm_store *s = r->store;
	return ok &&
		wasm_store_global(s, WASM_I32, false, 666, &x[GLOBAL_I32]) &&
		wasm_store_global(s, WASM_I64, false, 666, &x[GLOBAL_I64]) &&
		wasm_store_global(s, WASM_F32, false, 0x4426a666,
			&x[GLOBAL_F32]) &&
		wasm_store_global(s, WASM_F64, false, 0x4084d4cccccccccd,
			&x[GLOBAL_F64]) &&
		wasm_store_table(s, 10, 20, false, &x[TABLE]) &&
		wasm_store_table(s, 10, 20, true, &x[TABLE64]) &&
		wasm_store_memory(s, 1, 2, false, &x[MEMORY]);
}

/* --- finding things --------------------------------------------------------
 */

static size_t items(const struct json *v)
{
	return v ? v->count : 0;
}

static struct wasm_instance *lookup(const struct named *list, size_t n,
	const char *name)
{
	while (n-- > 0)
		if (!strcmp(list[n].name, name))
			return list[n].inst;
	return NULL;
}

static void remember(struct named *list, size_t *n, const char *name,
	struct wasm_instance *inst)
{
	if (*n == MAX_NAMED || strlen(name) >= sizeof list->name)
		abort();
	snprintf(list[*n].name, sizeof list->name, "%s", name);
	list[(*n)++].inst = inst;
}

static bool find(void *ctx, struct bytes module, struct bytes name,
	struct wasm_extern *out)
{
	struct run *r = ctx;
	if (bytes_equal(module, BYTES_LIT("spectest"))) {
		for (size_t i = 0; i < ARRAY_LEN(spectest_names); i++)
			if (bytes_equal(name, bytes_str(spectest_names[i]))) {
				*out = r->spectest[i];
				return true;
			}
		return false;
	}
	char key[128];
	snprintf(key, sizeof key, "%.*s", (int)module.len,
		(const char *)module.ptr);
	struct wasm_instance *i =
		lookup(r->registered, r->registered_count, key);
	return i && wasm_instance_export(i, name, out);
}

static struct wasm_instance *instance_of(struct run *r, const struct json *o,
	const char *key)
{
	const char *name = json_text(o, key);
	return name[0] ? lookup(r->instances, r->instance_count, name) :
			 r->current;
}

static bool read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	size_t n = 1;
	while (n) {
		uint8_t *p = buf_reserve(out, 65536);
		n = p ? fread(p, 1, 65536, f) : 0;
		buf_commit(out, n);
	}
	fclose(f);
	return buf_ok(out);
}

/* --- commands --------------------------------------------------------------
 */

static bool load(struct run *r, const struct json *cmd,
	struct wasm_module **out, struct err *e)
{
	char path[2048];
	auto_buf file = { 0 };
	snprintf(path, sizeof path, "%s/%s", r->folder,
		json_text(cmd, "filename"));
	*out = NULL;
	if (!read_file(path, &file))
		return err_fail(e, ERR_HOST, "can't read %s", path);
	/* An exact block, so that the sanitizers see a read past its end. */
	uint8_t *exact = malloc(file.len ? file.len : 1);
	if (!exact)
		abort();
	if (file.len)
		memcpy(exact, file.ptr, file.len);
	bool ok = wasm_module_new(bytes_of(exact, file.len), NULL, out, e);
	free(exact);
	if (ok)
		r->modules[r->module_count++] = *out;
	return ok;
}

static bool instantiate(struct run *r, const struct json *cmd,
	struct wasm_instance **out, struct wasm_result *res, struct err *e)
{
	struct wasm_module *m;
	*res = (struct wasm_result){ 0 };
	return load(r, cmd, &m, e) &&
		wasm_store_instantiate(r->store, m, find, r, out, res, e);
}

static void do_module(struct run *r, const struct json *cmd, struct err *e)
{
	struct wasm_result res;
	struct wasm_instance *i;
	r->current = NULL;
	if (!instantiate(r, cmd, &i, &res, e))
		return;
	r->current = i;
	if (json_text(cmd, "name")[0])
		remember(r->instances, &r->instance_count,
			json_text(cmd, "name"), i);
}

/* Carries out an action; the results go to slots. */
static bool act(struct run *r, const struct json *action,
	uint64_t slots[MAX_SLOTS], size_t results, struct wasm_result *res,
	struct err *e)
{
	struct wasm_instance *i = instance_of(r, action, "module");
	*res = (struct wasm_result){ 0 };
	if (!i)
		return err_fail(e, ERR_INPUT, "no such instance");
	const struct json *field = json_get(action, "field");
	struct bytes name = bytes_of(field->text, field->len);
	struct wasm_extern x;
	if (!wasm_instance_export(i, name, &x))
		return err_fail(e, ERR_INPUT, "no such export");
	if (!strcmp(json_text(action, "type"), "get")) {
		wasm_extern_global(&x, slots);
		return true;
	}
	uint64_t params[MAX_SLOTS];
	size_t n = 0;
	const struct json *args = json_get(action, "args");
	for (size_t k = 0; k < items(args); k++)
		n += value_read(args->items[k], params + n);
	return wasm_store_call(r->store, &x, params, n, slots, results, res, e);
}

static void assert_return(struct run *r, const struct json *cmd, struct err *e)
{
	const struct json *want = json_get(cmd, "expected");
	uint64_t slots[MAX_SLOTS] = { 0 };
	size_t n = 0;
	struct wasm_result res;
	for (size_t i = 0; i < items(want); i++)
		n += value_slots(want->items[i]);
	if (!act(r, json_get(cmd, "action"), slots, n, &res, e))
		return;
	if (res.end != WASM_RETURNED) {
		err_put(e, ERR_INPUT, "%s", res.text);
		return;
	}
	n = 0;
	for (size_t i = 0; i < items(want); i++) {
		const struct json *w = want->items[i];
		if (!value_matches(w, slots + n))
			err_put(e, ERR_INPUT, "result %zu is %llx %llx", i,
				(unsigned long long)slots[n],
				(unsigned long long)slots[n + 1]);
		n += value_slots(w);
	}
}

static size_t result_slots(struct run *r, const struct json *cmd)
{
	(void)r;
	size_t n = 0;
	const struct json *want = json_get(cmd, "expected");
	for (size_t i = 0; i < items(want); i++)
		n += value_slots(want->items[i]);
	return n;
}

static bool starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* The call ends as `end` with the trap that the text names. */
static void assert_end(struct run *r, const struct json *cmd, const char *trap,
	struct err *e)
{
	uint64_t slots[MAX_SLOTS];
	struct wasm_result res;
	struct err bad = { 0 };
	const struct json *action = json_get(cmd, "action");
	/* The suite does not say how many results there would have been. */
	for (size_t n = 0; n < 4; n++) {
		bad = (struct err){ 0 };
		if (act(r, action, slots, n, &res, &bad))
			break;
	}
	if (bad.kind)
		*e = bad;
	else if (res.end != WASM_TRAPPED)
		err_put(e, ERR_INPUT, "did not trap");
	else if (!starts(trap, wasm_trap_name(res.trap)) &&
		!starts(wasm_trap_name(res.trap), trap))
		err_put(e, ERR_INPUT, "trapped: %s", res.text);
}

static void assert_refused(struct run *r, const struct json *cmd, struct err *e)
{
	struct wasm_module *m;
	struct err bad = { 0 };
	if (load(r, cmd, &m, &bad))
		err_put(e, ERR_INPUT, "was accepted");
	else if (bad.kind != ERR_INPUT && bad.kind != ERR_LIMIT)
		*e = bad;
}

static void assert_unlinkable(struct run *r, const struct json *cmd,
	struct err *e)
{
	struct wasm_module *m;
	struct wasm_instance *i;
	struct wasm_result res;
	struct err bad = { 0 };
	if (!load(r, cmd, &m, e))
		return;
	if (wasm_store_instantiate(r->store, m, find, r, &i, &res, &bad))
		err_put(e, ERR_INPUT, "was linked");
	else if (res.end != WASM_RETURNED ||
		!strstr(bad.text, json_text(cmd, "text")))
		*e = bad;
}

static void assert_uninstantiable(struct run *r, const struct json *cmd,
	struct err *e)
{
	struct wasm_instance *i;
	struct wasm_result res;
	struct err bad = { 0 };
	if (instantiate(r, cmd, &i, &res, &bad))
		err_put(e, ERR_INPUT, "was instantiated");
	else if (res.end != WASM_TRAPPED ||
		!starts(json_text(cmd, "text"), wasm_trap_name(res.trap)))
		*e = bad;
}

static void do_register(struct run *r, const struct json *cmd, struct err *e)
{
	struct wasm_instance *i = instance_of(r, cmd, "name");
	if (!i)
		err_put(e, ERR_INPUT, "no such instance");
	else
		remember(r->registered, &r->registered_count,
			json_text(cmd, "as"), i);
}

static void command(struct run *r, const struct json *cmd, struct err *e)
{
	const char *type = json_text(cmd, "type");
	struct wasm_result res;
	uint64_t slots[MAX_SLOTS];
	struct wasm_module *m;
	if (!strcmp(type, "module"))
		do_module(r, cmd, e);
	else if (!strcmp(type, "module_definition"))
		(void)!load(r, cmd, &m, e);
	else if (!strcmp(type, "register"))
		do_register(r, cmd, e);
	else if (!strcmp(type, "action"))
		(void)!act(r, json_get(cmd, "action"), slots,
			result_slots(r, cmd), &res, e);
	else if (!strcmp(type, "assert_return"))
		assert_return(r, cmd, e);
	else if (!strcmp(type, "assert_trap") ||
		!strcmp(type, "assert_exhaustion"))
		assert_end(r, cmd, json_text(cmd, "text"), e);
	else if (!strcmp(type, "assert_exception"))
		assert_end(r, cmd, "uncaught exception", e);
	else if (!strcmp(type, "assert_invalid") ||
		!strcmp(type, "assert_malformed"))
		assert_refused(r, cmd, e);
	else if (!strcmp(type, "assert_unlinkable"))
		assert_unlinkable(r, cmd, e);
	else if (!strcmp(type, "assert_uninstantiable"))
		assert_uninstantiable(r, cmd, e);
	else
		err_put(e, ERR_INPUT, "unknown command");
}

static void commands(struct run *r, const struct json *list)
{
	size_t len = 0;
	for (size_t i = 0; i < items(list); i++) {
		const struct json *cmd = list->items[i];
		const char *type = json_text(cmd, "type");
		struct err e = { 0 };
		/* What custom sections say may be ignored. */
		if (!strcmp(type, "assert_invalid_custom"))
			continue;
		command(r, cmd, &e);
		r->assertions += starts(type, "assert_");
		if (!e.kind)
			continue;
		r->wrong++;
		if (len < sizeof r->why)
			len += (size_t)snprintf(r->why + len,
				sizeof r->why - len, "# %zu %s %s%s: %s\n", i,
				type, json_text(cmd, "filename"),
				json_text(json_get(cmd, "action"), "field"),
				e.text);
	}
}

/* --- with compiled code -----------------------------------------------------
 */

/* DONJON_WASM_ENGINE=jit: functions are compiled; with
 * DONJON_WASM_STRESS=n, by lots from that seed (and, with DONJON_ALL, from
 * those behind it); with DONJON_WASM_MASK, without speculation past checks;
 * with DONJON_WASM_VECTORS=n, with no newer vector instructions (wasm.h). */
static struct wasm_limits engine(unsigned round)
{
	const char *name = getenv("DONJON_WASM_ENGINE");
	const char *stress = getenv("DONJON_WASM_STRESS");
	const char *vectors = getenv("DONJON_WASM_VECTORS");
	struct wasm_limits l = { .collect_always = true };
	if (name && !strcmp(name, "jit"))
		l.engine = WASM_ENGINE_JIT;
	l.jit_mask = getenv("DONJON_WASM_MASK") != NULL;
	if (stress)
		l.jit_stress = strtoull(stress, NULL, 10) + round;
	if (vectors)
		l.jit_vectors = (uint32_t)strtoul(vectors, NULL, 10);
	return l;
}

static struct {
	uint32_t compiled, refused;
	struct {
		const char *why;
		uint32_t count;
	} reasons[32];
} totals;

static void count_compiled(const struct wasm_store *s)
{
	struct wasm_jit_stats st = wasm_store_jit_stats(s);
	const char *why;
	uint32_t count;
	totals.compiled += st.compiled;
	totals.refused += st.refused;
	for (uint32_t n = 0; (why = wasm_store_jit_reason(s, n, &count)); n++)
		for (size_t k = 0; k < ARRAY_LEN(totals.reasons); k++) {
			if (totals.reasons[k].why &&
				strcmp(totals.reasons[k].why, why) != 0)
				continue;
			totals.reasons[k].why = why;
			totals.reasons[k].count += count;
			break;
		}
}

static bool is_about_vectors(const char *name)
{
	return starts(name, "simd_") || strstr(name, "relaxed_");
}

/* Where a machine has SSE 4.2, no vector instruction is left to the
 * interpreter, nor a function that is about them (but by lot); false: one
 * was. */
static bool check_vectors(const struct run *r, const char *name)
{
	struct wasm_jit_stats st = wasm_store_jit_stats(r->store);
	const char *vectors = getenv("DONJON_WASM_VECTORS");
	if ((vectors && strtoul(vectors, NULL, 10) < 4) ||
		getenv("DONJON_WASM_STRESS"))
		return true;
#ifdef __x86_64__
	if (!__builtin_cpu_supports("sse4.2"))
		return true;
#endif
	if (!st.vector_steps && !(st.refused && is_about_vectors(name)))
		return true;
	printf("# %u vector instructions, %u functions are left to the "
	       "interpreter\n",
		st.vector_steps, st.refused);
	return false;
}

/* Functions may be left to the interpreter for limits, not for what they
 * contain; false: one was. */
static bool check_gaps(const struct run *r)
{
	struct wasm_jit_stats st = wasm_store_jit_stats(r->store);
	if (st.gaps)
		printf("# %u functions are left to the interpreter\n", st.gaps);
	return !st.gaps;
}

static void print_compiled(void)
{
	if (!totals.compiled && !totals.refused)
		return;
	printf("# %u functions compiled, %u left to the interpreter\n",
		totals.compiled, totals.refused);
	for (size_t k = 0; k < ARRAY_LEN(totals.reasons); k++)
		if (totals.reasons[k].why)
			printf("#   %u: %s\n", totals.reasons[k].count,
				totals.reasons[k].why);
}

static bool file(const char *root, const char *name, unsigned round,
	unsigned number, size_t *total)
{
	static struct run r;
	/* Whatever the collector gets wrong, it gets wrong at once. */
	const struct wasm_limits limits = engine(round);
	char path[2048];
	auto_buf json = { 0 };
	struct json *doc = NULL;
	struct err e = { 0 };
	memset(&r, 0, sizeof r);
	snprintf(r.folder, sizeof r.folder, "%s/%s", root, name);
	snprintf(path, sizeof path, "%s/%s.json", r.folder, name);
	if (!read_file(path, &json) ||
		!(doc = json_read((const char *)json.ptr, json.len)) ||
		!wasm_store_new(&limits, &r.store, &e) || !make_spectest(&r)) {
		printf("# %s\nnot ok %u - %s\n", e.text, number, name);
		return false;
	}
	commands(&r, json_get(doc, "commands"));
	json_free(doc);
	count_compiled(r.store);
	r.wrong += !check_vectors(&r, name);
	r.wrong += !check_gaps(&r);
	wasm_store_free(r.store);
	for (size_t i = 0; i < r.module_count; i++)
		wasm_module_free(r.modules[i]);
	*total += r.assertions;
	if (r.wrong)
		printf("%s# %zu wrong\nnot ok %u - %s\n", r.why, r.wrong,
			number, name);
	else
		printf("ok %u - %s: %zu assertions\n", number, name,
			r.assertions);
	fflush(stdout);
	return !r.wrong;
}

static const char *skipped(const char *name)
{
	for (size_t i = 0; missing[i].prefix; i++)
		if (starts(name, missing[i].prefix))
			return missing[i].proposal;
	return NULL;
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

enum { ALL_ROUNDS = 20 };

static unsigned rounds(void)
{
	return getenv("DONJON_WASM_STRESS") && getenv("DONJON_ALL") ?
		ALL_ROUNDS :
		1;
}

int main(int argc, char **argv)
{
	char root[512];
	const char *shared = getenv("DONJON_SHARED");
	struct dirent **names;
	unsigned number = 0;
	size_t total = 0;
	bool ok = true;
	snprintf(root, sizeof root, "%s/spec/json",
		shared ? shared : "../shared");
	int n = scandir(root, &names, NULL, alphasort);
	if (n < 0) {
		printf("ok 1 - suite # SKIP there is no spec/json in the "
		       "shared folder\n1..1\n");
		return 0;
	}
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		if (name[0] != '.' && wanted(name, argc, argv)) {
			const char *why = argc < 2 ? skipped(name) : NULL;
			number++;
			if (why)
				printf("ok %u - %s # SKIP %s is not "
				       "implemented\n",
					number, name, why);
			else
				for (unsigned k = 0; k < rounds(); k++)
					ok &= file(root, name, k, number + k,
						&total);
			number += why ? 0 : rounds() - 1;
		}
		free(names[i]);
	}
	free(names);
	print_compiled();
	printf("# %zu assertions\n1..%u\n", total, number);
	return ok ? 0 : 1;
}
