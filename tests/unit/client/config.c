/* SPDX-License-Identifier: Apache-2.0 */
#include "client/config.h"

#include "../test.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static bool parse_as(const char *text, bool packaged, struct client_workload *w,
	struct err *e)
{
	*w = (struct client_workload){ 0 };
	return client_config_parse(bytes_str(text), "conf/Donjon.toml",
		packaged, w, e);
}

static bool parse(const char *text, struct client_workload *w, struct err *e)
{
	return parse_as(text, false, w, e);
}

/* What must be good, settled too. */
static void good(const char *text, struct client_workload *w)
{
	struct err e = { 0 };
	if (!parse(text, w, &e) || !client_workload_settle(w, &e))
		fail_msg("%s%s", text, e.text);
}

TEST(config_reads_arguments_environment_and_limits)
{
	struct client_workload w;
	good("args = [\"--x\", \"y z\"]\n"
	     "engine = \"interp\"\n"
	     "[env]\nA = \"1\"\nB = \"\"\n"
	     "[limits]\nmemory = \"64 MiB\"\nfiles = 8192\ntime = 10\n"
	     "fuel = 1000\nthreads = 9\n",
		&w);
	CHECK_INT(w.args.count, 2);
	CHECK_STR(w.args.ptr[1], "y z");
	CHECK_INT(w.env.count, 2);
	CHECK_INT(w.memory_bytes, 64 << 20);
	CHECK_INT(w.file_bytes, 8192);
	CHECK_INT(w.time_ns, 10000000000);
	CHECK_INT(w.fuel, 1000);
	CHECK_INT(w.threads, 9);
	CHECK(w.interpret);
	/* No [[files]]: the program's descriptors are as they always are. */
	CHECK_INT(w.file_count, 0);
	client_workload_fini(&w);
}

TEST(config_lists_descriptors_in_their_order)
{
	struct client_workload w;
	good("[[files]]\nkind = \"null\"\n"
	     "[[files]]\nkind = \"stdout\"\nname = \"OUT\"\n"
	     "[[files]]\nkind = \"stderr\"\n"
	     "[[files]]\nkind = \"listen\"\nname = \"web\"\n"
	     "[[files]]\nkind = \"dir\"\npath = \"/data\"\nsource = \"d\"\n"
	     "[[files]]\nkind = \"connect\"\nhost = \"db.example\"\n"
	     "port = 5432\nprot = \"tcp\"\nnonblock = true\n"
	     "[[files]]\nkind = \"dir\"\npath = \"/tmp\"\nmode = \"scratch\"\n",
		&w);
	CHECK_INT(w.file_count, 7);
	CHECK_INT(w.files[0].kind, FRAME_FD_NULL);
	CHECK_INT(w.files[1].kind, FRAME_FD_STDOUT);
	CHECK_INT(w.files[3].kind, FRAME_FD_LISTEN);
	CHECK_INT(w.files[3].prot, FRAME_PROT_TLS);
	CHECK_INT(w.files[3].port, 443);
	CHECK_STR(w.files[3].address, "");
	CHECK_INT(w.files[4].kind, FRAME_FD_MOUNT);
	CHECK_INT(w.files[4].mount, 0);
	CHECK_STR(w.mounts[0].host, "conf/d");
	CHECK(!w.mounts[0].writable);
	CHECK_INT(w.files[5].port, 5432);
	CHECK_INT(w.files[5].prot, FRAME_PROT_TCP);
	CHECK(w.files[5].nonblock);
	CHECK_STR(w.files[5].host, "db.example");
	CHECK(w.mounts[1].writable && w.mounts[1].packaged);
	/* As Enarx tells its programs. */
	CHECK_STR(w.env.ptr[0], "FD_COUNT=7");
	CHECK_STR(w.env.ptr[1],
		"FD_NAMES=null:OUT:stderr:web:/data:db.example:/tmp");
	CHECK_INT(w.profile_count, 1);
	client_workload_fini(&w);
}

TEST(config_with_fewer_files_has_fewer_streams)
{
	struct client_workload w;
	good("[[files]]\nkind = \"stdin\"\n", &w);
	CHECK_INT(w.file_count, 3);
	CHECK_INT(w.files[1].kind, FRAME_FD_NULL);
	CHECK_INT(w.files[2].kind, FRAME_FD_NULL);
	client_workload_fini(&w);
}

TEST(config_of_enarx_is_a_good_one)
{
	struct client_workload w;
	good("steward = \"https://attest.example\"\n"
	     "args = [\"--argument1\"]\n"
	     "[env]\nVAR1 = \"var1\"\nFD_COUNT = \"mine\"\n"
	     "[[files]]\nname = \"X\"\nkind = \"null\"\n"
	     "[[files]]\nkind = \"stdout\"\n"
	     "[[files]]\nkind = \"null\"\n"
	     "[[files]]\nname = \"LISTEN\"\nkind = \"listen\"\nprot = \"tls\"\n"
	     "port = 12345\naddr = \"127.0.0.1\"\n"
	     "[[files]]\nname = \"CONNECT\"\nkind = \"connect\"\n"
	     "prot = \"tcp\"\nhost = \"127.0.0.1\"\nport = 23456\n",
		&w);
	CHECK_INT(w.notes.count, 1);
	CHECK_HAS(w.notes.ptr[0], "steward");
	CHECK_STR(w.files[3].address, "127.0.0.1");
	CHECK_STR(w.env.ptr[1], "FD_COUNT=mine");
	CHECK_STR(w.env.ptr[2], "FD_NAMES=X:stdout:null:LISTEN:CONNECT");
	client_workload_fini(&w);
}

TEST(config_puts_files_and_secrets_below_their_mounts)
{
	struct client_workload w;
	good("[[files]]\nkind = \"file\"\nsource = \"a\"\npath = \"/etc/a/b\"\n"
	     "[[files]]\nkind = \"secret\"\nenv = \"T\"\npath = \"/etc/a/t\"\n"
	     "[[files]]\nkind = \"file\"\nsource = \"/x/y\"\npath = \"/top\"\n",
		&w);
	CHECK_INT(w.item_count, 3);
	CHECK_STR(w.items[0].source, "conf/a");
	CHECK(!w.items[0].secret && w.items[1].secret);
	CHECK_STR(w.items[1].variable, "T");
	CHECK_STR(w.items[2].source, "/x/y");
	CHECK_INT(w.mount_count, 2);
	CHECK_STR(w.mounts[0].guest, "/etc/a");
	CHECK_INT(w.items[1].mount, 0);
	CHECK_STR(w.items[1].path, "t");
	CHECK_STR(w.mounts[1].guest, "/");
	CHECK_STR(w.items[2].path, "top");
	/* They are no descriptors. */
	CHECK_INT(w.file_count, 0);
	client_workload_fini(&w);
	good("[[files]]\nkind = \"stdin\"\n[[files]]\nkind = \"dir\"\n"
	     "path = \"/etc\"\nsource = \"e\"\n"
	     "[[files]]\nkind = \"file\"\nsource = \"a\"\npath = \"/etc/a/b\"\n",
		&w);
	CHECK_INT(w.mount_count, 1);
	CHECK_STR(w.items[0].path, "a/b");
	client_workload_fini(&w);
}

TEST(config_keeps_secrets_out_of_what_comes_back)
{
	struct client_workload w;
	struct err e = { 0 };
	CHECK(parse("[[files]]\nkind = \"secret\"\nenv = \"T\"\n"
		    "path = \"/out/t\"\n"
		    "[[files]]\nkind = \"dir\"\npath = \"/out\"\n"
		    "source = \"o\"\nmode = \"rw\"\n",
		&w, &e));
	CHECK(!client_workload_settle(&w, &e));
	CHECK_HAS(e.text, "/out/t");
	client_workload_fini(&w);
}

TEST(config_has_rules_of_the_network)
{
	struct client_workload w;
	good("[network]\n"
	     "connect = [\"tls://a.example:443\", \"*.b:1-9\",\n"
	     " \"10.0.0.0/8:*\", \"[fe80::]/10:5\", \"any\"]\n"
	     "listen = [\"tls://443\", \"9000-9010\"]\n",
		&w);
	CHECK_INT(w.connect_count, 7);
	CHECK_INT(w.connects[0].prot, FRAME_PROT_TLS);
	CHECK_STR(w.connects[0].host, "a.example");
	CHECK_INT(w.connects[1].prot, FRAME_PROT_TCP);
	CHECK_INT(w.connects[1].last, 9);
	CHECK_INT(w.connects[2].last, 65535);
	CHECK_STR(w.connects[3].host, "fe80::/10");
	CHECK_STR(w.connects[4].host, "*");
	CHECK_STR(w.connects[6].host, "::/0");
	CHECK_INT(w.listens[0].first, 443);
	CHECK_INT(w.listens[1].last, 9010);
	CHECK_INT(w.profile_count, 1);
	/* Rules stand beside descriptors. */
	CHECK_INT(w.file_count, 3);
	CHECK_INT(w.env.count, 0);
	client_workload_fini(&w);
}

TEST(config_has_terms_of_tls)
{
	struct client_workload w;
	good("[tls]\nca = \"ca.pem\"\npins = [\"" HASH "\"]\n"
	     "client_auth = \"require\"\nalpn = [\"h2\", \"http/1.1\"]\n"
	     "certificate = \"/c.pem\"\nkey = \"k.pem\"\n"
	     "[tls.require_attested]\npolicy = \"p.toml\"\n"
	     "owners = [\"" HASH "\"]\n",
		&w);
	const struct client_tls *t = &w.profiles[0];
	CHECK_STR(t->ca, "conf/ca.pem");
	CHECK_INT(t->pins.len, 32);
	CHECK(t->request && t->require && t->attested);
	CHECK(bytes_equal(buf_bytes(&t->alpn), BYTES_LIT("\2h2\10http/1.1")));
	CHECK_STR(t->certificate, "/c.pem");
	CHECK_STR(t->key, "conf/k.pem");
	CHECK_STR(t->policy, "conf/p.toml");
	CHECK_INT(t->owners.len, 32);
	client_workload_fini(&w);
	good("[tls]\nrequire_attested = true\nclient_auth = \"request\"\n"
	     "ca = \"-----BEGIN CERTIFICATE-----\\n\"\n",
		&w);
	CHECK(w.profiles[0].attested && !w.profiles[0].require);
	CHECK_STR(w.profiles[0].policy, "");
	CHECK_HAS(w.profiles[0].ca, "-----BEGIN");
	client_workload_fini(&w);
}

TEST(a_socket_may_have_terms_of_its_own)
{
	struct client_workload w;
	good("[tls]\nalpn = [\"a\"]\n"
	     "[[files]]\nkind = \"stdin\"\n"
	     "[[files]]\nkind = \"connect\"\nhost = \"x\"\n"
	     "tls = { pins = [\"" HASH "\"] }\n"
	     "[[files]]\nkind = \"connect\"\nhost = \"y\"\n",
		&w);
	CHECK_INT(w.profile_count, 2);
	CHECK_INT(w.files[1].profile, 1);
	CHECK_INT(w.files[2].profile, 0);
	CHECK_INT(w.profiles[1].alpn.len, 0);
	client_workload_fini(&w);
}

TEST(config_template_is_a_good_configuration)
{
	struct client_workload w;
	good(client_config_template(), &w);
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
		{ "[limits]\nfiles = 1\n", ":2:", "4 KiB" },
		{ "[limits]\ntime = 0\n", ":2:", "seconds" },
		{ "[limits]\nfuel = 0\n", ":2:", "" },
		{ "[limits]\nthreads = 0\n", ":2:", "" },
		{ "[limits]\nthreads = 4097\n", ":2:", "" },
		{ "steward = 1\n", ":1:", "string" },
		{ "args = [\n", ":", "" },
		{ "args = [\"a\\u0000b\"]\n", ":1:", "" },
		{ "files = 1\n", ":1:", "array" },
		{ "[[files]]\nkind = \"tcp\"\n", ":2:", "listen, connect" },
		{ "[[files]]\n", ":1:", "kind" },
		{ "[[files]]\nkind = \"stdin\"\nport = 1\n", ":3:", "port" },
		{ "[[files]]\nkind = \"stdin\"\nname = \"a:b\"\n",
			":3:", "':'" },
		{ "[[files]]\nkind = \"listen\"\n", ":1:", "name" },
		{ "[[files]]\nkind = \"listen\"\nname = \"x\"\nport = 0\n",
			":4:", "65535" },
		{ "[[files]]\nkind = \"listen\"\nname = \"x\"\nport = \"1\"\n",
			":4:", "integer" },
		{ "[[files]]\nkind = \"listen\"\nname = \"x\"\n"
		  "prot = \"udp\"\n",
			":4:", "\"tcp\"" },
		{ "[[files]]\nkind = \"listen\"\nname = \"x\"\n"
		  "addr = \"host\"\n",
			":4:", "address" },
		{ "[[files]]\nkind = \"listen\"\nname = \"x\"\n"
		  "prot = \"tcp\"\ntls = {}\n",
			":5:", "tls" },
		{ "[[files]]\nkind = \"connect\"\n", ":1:", "host" },
		{ "[[files]]\nkind = \"connect\"\nhost = \"a b\"\n",
			":3:", "name or an address" },
		{ "[[files]]\nkind = \"dir\"\n", ":1:", "path" },
		{ "[[files]]\nkind = \"dir\"\npath = \"/a/../b\"\n",
			":3:", "" },
		{ "[[files]]\nkind = \"dir\"\npath = \"/a\"\nmode = \"wx\"\n",
			":4:", "scratch" },
		{ "[[files]]\nkind = \"dir\"\npath = \"/a\"\nmode = \"rw\"\n",
			":1:", "source" },
		{ "[[files]]\nkind = \"dir\"\npath = \"/a\"\n"
		  "[[files]]\nkind = \"dir\"\npath = \"/a\"\n",
			":6:", "another directory" },
		{ "[[files]]\nkind = \"file\"\npath = \"/a\"\n",
			":1:", "source" },
		{ "[[files]]\nkind = \"secret\"\npath = \"/a\"\nenv = \"A\"\n"
		  "source = \"b\"\n",
			":1:", "either" },
		{ "[[files]]\nkind = \"file\"\npath = \"a\"\nsource = \"b\"\n",
			":3:", "absolute" },
		{ "[[files]]\nkind = \"file\"\npath = \"/a/\"\nsource = \"b\"\n",
			":3:", "absolute" },
		{ "[[files]]\nkind = \"file\"\npath = \"/a//b\"\n"
		  "source = \"b\"\n",
			":3:", "absolute" },
		{ "[[files]]\nkind = \"file\"\npath = \"/a\"\nsource = \"b\"\n"
		  "mode = \"rw\"\n",
			":5:", "dir" },
		{ "[network]\nconnect = [\"a\"]\n", ":2:", "HOST:PORT" },
		{ "[network]\nconnect = [\"a:0\"]\n", ":2:", "HOST:PORT" },
		{ "[network]\nlisten = [\"x\"]\n", ":2:", "PORT" },
		{ "[network]\nlisten = [80]\n", ":2:", "string" },
		{ "[network]\nudp = []\n", ":2:", "udp" },
		{ "[tls]\npins = [\"12\"]\n", ":2:", "64 hex" },
		{ "[tls]\nalpn = [\"\"]\n", ":2:", "protocol" },
		{ "[tls]\nclient_auth = \"yes\"\n", ":2:", "require" },
		{ "[tls]\nclient_auth = \"require\"\n", ":1:", "good clients" },
		{ "[tls]\nkey = \"k\"\n", ":1:", "belong together" },
		{ "[tls]\nrequire_attested = 1\n", ":2:", "string" },
		{ "[tls.require_attested]\nowner = 1\n", ":2:", "owner" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_workload w;
		struct err e = { 0 };
		print_message("%s", cases[i].text);
		CHECK(!parse(cases[i].text, &w, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, "conf/Donjon.toml");
		CHECK_HAS(e.text, cases[i].place);
		CHECK_HAS(e.text, cases[i].word);
		client_workload_fini(&w);
	}
}

/* Whoever wrote a package gets nothing of the tenant's. */
TEST(a_package_names_nothing_of_the_tenants)
{
	static const char *const bad[] = {
		"[[files]]\nkind = \"file\"\npath = \"/a\"\nsource = \"b\"\n",
		"[[files]]\nkind = \"secret\"\npath = \"/a\"\nenv = \"HOME\"\n",
		"[tls]\nca = \"/etc/ssl/x\"\n",
		"[tls]\ncertificate = \"c\"\nkey = \"k\"\n",
		"[tls]\nrequire_attested = \"policy.toml\"\n",
	};
	struct client_workload w;
	struct err e = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s", bad[i]);
		CHECK(!parse_as(bad[i], true, &w, &e));
		CHECK_HAS(e.text, "package");
		client_workload_fini(&w);
	}
	CHECK(parse_as("[[files]]\nkind = \"dir\"\npath = \"/a\"\n"
		       "source = \"data\"\n[tls]\nrequire_attested = true\n"
		       "ca = \"-----BEGIN CERTIFICATE-----\"\n",
		true, &w, &e));
	CHECK(w.mounts[0].packaged);
	CHECK_STR(w.mounts[0].host, "data");
	client_workload_fini(&w);
}

TEST(a_set_counts_more_than_the_file)
{
	struct client_workload w;
	struct err e = { 0 };
	CHECK(parse("args = [\"a\"]\n[limits]\ntime = 1\nfuel = 2\n"
		    "[network]\nconnect = [\"a:1\"]\n",
		&w, &e));
	CHECK(client_config_set("args=[\"b\", \"c\"]", &w, &e));
	CHECK(client_config_set("limits.time = 5", &w, &e));
	CHECK(client_config_set("network.connect=[]", &w, &e));
	CHECK(client_config_set("env.A=\"x\"", &w, &e));
	CHECK(client_config_set("files=[{kind=\"stdin\"}]", &w, &e));
	CHECK_INT(w.args.count, 2);
	CHECK_INT(w.time_ns, 5000000000);
	CHECK_INT(w.fuel, 2);
	CHECK_INT(w.connect_count, 0);
	CHECK_STR(w.env.ptr[0], "A=x");
	CHECK_INT(w.file_count, 3);
	static const char *const bad[] = { "limits.time", "x=1", "=1",
		"[env]\nA=1", "# args=[]", "limits.time=\"soon\"" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		CHECK(!client_config_set(bad[i], &w, &e));
	}
	client_workload_fini(&w);
}

TEST(sockets_of_the_command_line_come_behind_the_streams)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	CHECK(client_workload_listen(&w, "web=tcp://127.0.0.1:80", &e));
	CHECK(client_workload_listen(&w, "443", &e));
	CHECK(client_workload_connect(&w, "[::1]:5", &e));
	CHECK(client_workload_dir(&w, "a::/a", &e));
	CHECK(client_workload_settle(&w, &e));
	CHECK_INT(w.file_count, 7);
	CHECK_STR(w.files[3].name, "web");
	CHECK_STR(w.files[3].address, "127.0.0.1");
	CHECK_INT(w.files[3].prot, FRAME_PROT_TCP);
	CHECK_INT(w.files[4].port, 443);
	CHECK_INT(w.files[4].prot, FRAME_PROT_TLS);
	CHECK_STR(w.files[5].host, "::1");
	CHECK_INT(w.files[6].kind, FRAME_FD_MOUNT);
	CHECK(client_workload_connects(&w));
	static const char *const bad[] = { "", "x", "tls://", "a:b=80", "0",
		"host:80", "80-90" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		CHECK(!client_workload_listen(&w, bad[i], &e));
	}
	static const char *const worse[] = { "", "80", "x", "x:", "x:0", ":1",
		"a b:1", "x:1-2", "x:*" };
	for (size_t i = 0; i < ARRAY_LEN(worse); i++) {
		print_message("%s\n", worse[i]);
		CHECK(!client_workload_connect(&w, worse[i], &e));
	}
	client_workload_fini(&w);
}
