/* SPDX-License-Identifier: Apache-2.0 */
#include "client/config.h"

#include "../test.h"

static bool parse(const char *text, struct client_workload *w, struct err *e)
{
	*w = (struct client_workload){ 0 };
	return client_config_parse(bytes_str(text), "Donjon.toml", w, e);
}

TEST(config_reads_every_key)
{
	struct client_workload w;
	struct err e = { 0 };
	bool ok = parse("args = [\"--x\", \"y z\"]\n"
			"engine = \"interp\"\n"
			"[env]\nA = \"1\"\nB = \"\"\n"
			"[[files]]\nkind = \"null\"\n"
			"[[files]]\nkind = \"stdout\"\nname = \"OUT\"\n"
			"[[files]]\nkind = \"stderr\"\n"
			"[limits]\nmemory = \"64 MiB\"\ntime = 10\n"
			"fuel = 1000\n",
		&w, &e);
	CHECK_STR(e.text, "");
	CHECK(ok);
	CHECK_INT(w.args.count, 2);
	CHECK_STR(w.args.ptr[1], "y z");
	CHECK_INT(w.env.count, 2);
	CHECK(w.null_stdio[0] && !w.null_stdio[1] && !w.null_stdio[2]);
	CHECK_INT(w.memory_bytes, 64 << 20);
	CHECK_INT(w.time_ns, 10000000000);
	CHECK_INT(w.fuel, 1000);
	CHECK(w.interpret);
	client_workload_fini(&w);
}

TEST(config_without_files_has_all_three_streams)
{
	struct client_workload w;
	struct err e = { 0 };
	CHECK(parse("", &w, &e));
	CHECK(!w.null_stdio[0] && !w.null_stdio[1] && !w.null_stdio[2]);
	client_workload_fini(&w);
}

TEST(config_with_fewer_files_has_fewer_streams)
{
	struct client_workload w;
	struct err e = { 0 };
	CHECK(parse("[[files]]\nkind = \"stdin\"\n", &w, &e));
	CHECK(!w.null_stdio[0] && w.null_stdio[1] && w.null_stdio[2]);
	client_workload_fini(&w);
}

TEST(config_template_is_a_good_configuration)
{
	struct client_workload w;
	struct err e = { 0 };
	CHECK(parse(client_config_template(), &w, &e));
	CHECK_INT(w.args.count, 0);
	client_workload_fini(&w);
}

TEST(config_errors_name_their_place)
{
	static const struct {
		const char *text, *place, *word;
	} cases[] = {
		{ "args = 1\n", ":1:", "args" },
		{ "args = [1]\n", ":1:", "string" },
		{ "\nargz = []\n", ":2:", "argz" },
		{ "[env]\nA = 1\n", ":2:", "string" },
		{ "[limits]\nmem = 1\n", ":2:", "mem" },
		{ "[limits]\nmemory = \"lots\"\n", ":2:", "lots" },
		{ "[limits]\nmemory = -1\n", ":2:", "" },
		{ "[limits]\ntime = 0\n", ":2:", "seconds" },
		{ "[limits]\nfuel = 0\n", ":2:", "" },
		{ "engine = \"fast\"\n", ":1:", "interp" },
		{ "[[files]]\nkind = \"stdout\"\n", ":2:", "stdin" },
		{ "[[files]]\nkind = \"tcp\"\n", ":2:", "tcp" },
		{ "[[files]]\n", ":1:", "kind" },
		{ "[[files]]\nkind = \"stdin\"\nport = 1\n", ":3:", "port" },
		{ "[[files]]\nkind=\"null\"\n[[files]]\nkind=\"null\"\n"
		  "[[files]]\nkind=\"null\"\n[[files]]\nkind=\"null\"\n",
			":7:", "descriptors" },
		{ "steward = \"https://x\"\n", ":1:", "steward" },
		{ "args = [\n", ":", "" },
		{ "args = [\"a\\u0000b\"]\n", ":1:", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_workload w;
		struct err e = { 0 };
		print_message("%s", cases[i].text);
		CHECK(!parse(cases[i].text, &w, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, "Donjon.toml");
		CHECK_HAS(e.text, cases[i].place);
		CHECK_HAS(e.text, cases[i].word);
		client_workload_fini(&w);
	}
}
