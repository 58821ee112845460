/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Keep of the real shim under a host that lies: each run launches it on the
 * software platform's SEV-SNP, TDX or Sanctum, as this program is called (snp,
 * tdx, sanctum), with one lie, drawn from its seed.  It has to end with the
 *right result or in an error that says what was wrong; a wrong result, a hang
 *or words that name nothing fail the test.
 *
 *	snp			a few runs of each kind of lie, as TAP
 *	snp FIRST [COUNT]	those seeds: one line each, then a table
 *
 * A run's moments are exact where a lie is tied to an exit or to a count of
 * instructions, and the machine's where it comes from a thread of its own.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fmt.h"
#include "hal/hal.h"
#include "lies.h"
#include "victim.h"

enum { PATIENCE_MS = 120000, SAMPLE = 2, ALL = 200 };

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum outcome { RIGHT, NAMED, WRONG, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = { "right", "named",
	"WRONG" };

struct run {
	struct lies lies;
	struct hal_config cfg;
	const struct hal_tech *tech;
	struct hal_keep *keep;
	bool launched;
	bool finished; /* the program asked for its end */
	bool given;    /* its connection */
	char why[256];
};

/* --- an honest host ---------------------------------------------------------
 */

static void put_part(struct gate_area *a, uint32_t *at, struct bytes part)
{
	uint32_t n = (uint32_t)part.len;
	if (*at + sizeof n + part.len > sizeof a->data)
		return;
	memcpy(a->data + *at, &n, sizeof n);
	memcpy(a->data + *at + sizeof n, part.ptr, part.len);
	*at += (uint32_t)sizeof n + n;
}

static void give_evidence(struct run *r, const struct gate_request *q,
	struct gate_area *a, struct gate_reply *out)
{
	static uint8_t copy[GATE_DATA_BYTES];
	struct buf evidence = { 0 }, endorsements = { 0 };
	struct err e;
	size_t n = size_min(q->data_len, sizeof copy);
	memcpy(copy, a->data, n);
	if (r->tech->evidence(r->keep, bytes_of(copy, n), &evidence,
		    &endorsements, &e)) {
		put_part(a, &out->data_len, buf_bytes(&evidence));
		put_part(a, &out->data_len, buf_bytes(&endorsements));
	} else {
		out->error = GATE_FAILED;
	}
	buf_fini(&evidence);
	buf_fini(&endorsements);
}

/* Everything was sent, everything is ready, a little came. */
static void give_turn(const struct gate_request *q, struct gate_area *a,
	struct gate_reply *out)
{
	struct gate_poll list[4];
	size_t n = size_min(q->arg1, 4), len = n * sizeof list[0];
	size_t end = size_min(q->data_len, GATE_DATA_BYTES), at = len, sum = 0;
	memcpy(list, a->data, len);
	for (size_t i = 0; i < n; i++) {
		list[i].got = list[i].want;
		list[i].taken = (uint32_t)size_min(list[i].most, 700);
		sum += list[i].taken;
		out->ret0 += list[i].got != 0;
	}
	struct gate_send s;
	struct gate_sent sent[4];
	size_t sends = 0;
	while (sends < 4 && end >= at + sizeof s) {
		memcpy(&s, a->data + at, sizeof s);
		sent[sends++] = (struct gate_sent){ GATE_OK, s.len };
		at += sizeof s + size_min(s.len, GATE_DATA_BYTES);
	}
	memcpy(a->data, list, len);
	memcpy(a->data + len, sent, sends * sizeof sent[0]);
	len += sends * sizeof sent[0];
	memset(a->data + len, 0x11, sum);
	out->data_len = (uint32_t)(len + sum);
}

static void serve(struct run *r)
{
	struct gate_area *a = r->tech->area(r->keep);
	struct gate_request q;
	memcpy(&q, &a->request, sizeof q);
	struct gate_reply out = { .seq = q.seq };
	switch (q.op) {
	case GATE_EVIDENCE:
		give_evidence(r, &q, a, &out);
		break;
	case GATE_LISTEN:
		out.ret0 = 1;
		break;
	case GATE_ACCEPT:
		out.ret0 = r->given ? 0 : 2;
		out.error = r->given ? GATE_AGAIN : GATE_OK;
		r->given = true;
		break;
	case GATE_POLL:
		give_turn(&q, a, &out);
		break;
	case GATE_RECV:
		out.data_len = (uint32_t)size_min(q.arg1, 4000);
		memset(a->data, 0x11, out.data_len);
		break;
	case GATE_SEND:
		out.ret0 = q.data_len;
		break;
	case GATE_EXIT:
		r->finished = true;
		break;
	default:
		break;
	}
	memcpy(&a->reply, &out, sizeof out);
}

/* --- one run ----------------------------------------------------------------
 */

/* What a Keep, its loader or its processor says when something is wrong. */
static const char *const names[] = { "the host refused a call",
	"the firmware refused a message", "exception ", "page fault 0x",
	"boot: ", "a page was valid before it was used", "of the host's",
	"ended at its start, reason 0x", "memory of another kind expected",
	"out of memory", "a page was accepted before it was used",
	"the processor has no answer", "the host does not take memory back",
	"ended at its start, reason 0x",
	/* The loader's, of what its own kernel made of the lie. */
	"triple fault", "the processor refused its state", "halted",
	"access outside its memory", "unexpected exit", "unknown event",
	"KVM_RUN: ", "launch snp: ", "launch tdx: ", "launch sanctum: " };

static enum outcome judge(const struct run *r)
{
	char told[32];
	fmt(told, sizeof told, "exit status %d", VICTIM_TOLD);
	/* Certificates come with the report; memory goes, and comes back. */
	if (r->lies.kind == LIE_NONE && r->tech->tee != GATE_TEE_SANCTUM &&
		(r->lies.certs + r->lies.quotes != 1 || r->lies.states < 2))
		return WRONG;
	if (!strcmp(r->why, "exit status 0") && r->lies.kind != LIE_LEVEL)
		return r->finished		? RIGHT :
			r->lies.kind == LIE_RACE ||
				r->lies.kind == LIE_GHCB ||
				r->lies.kind == LIE_CALL ?
						  NAMED : /* it lied to itself */
						  WRONG;
	/* Certificates are no reason to have no report, but where the kernel
	 * ends its guest for a number that is none. */
	if (r->lies.kind == LIE_CERTS)
		return strstr(r->why, "KVM_RUN: ") ? NAMED : WRONG;
	/* It must not run at all: reason 17 (END_NOT_VMPL0). */
	if (r->lies.kind == LIE_LEVEL)
		return strstr(r->why, "ended at its start, reason 0x110100") ?
			NAMED :
			WRONG;
	/* Interrupts change nothing, whenever they come. */
	if (r->lies.kind == LIE_STORM)
		return strstr(r->why, "within another") ? NAMED : WRONG;
	if (!strcmp(r->why, told))
		return NAMED;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strstr(r->why, names[i]))
			return NAMED;
	return WRONG;
}

static void follow(struct run *r)
{
	struct err e = { 0 };
	bool gone = false;
	while (!gone) {
		struct pollfd f = { .fd = r->tech->bell(r->keep),
			.events = POLLIN };
		int n = poll(&f, 1, PATIENCE_MS);
		char why[128] = "";
		if (n != 1) {
			fmt(r->why, sizeof r->why, "it hangs");
			return;
		}
		if (!r->tech->take(r->keep, &gone, why, &e)) {
			fmt(r->why, sizeof r->why, "%s", e.text);
			return;
		}
		if (gone) {
			fmt(r->why, sizeof r->why, "%s", why);
			return;
		}
		serve(r);
		lies_at_bell(&r->lies, r->tech->area(r->keep));
		if (!r->tech->resume(r->keep, &e))
			gone = true;
	}
}

static void once(struct run *r, uint64_t seed, enum lie kind)
{
	struct err e = { 0 };
	r->keep = NULL;
	r->finished = r->given = r->launched = false;
	r->why[0] = '\0';
	lies_begin(&r->lies, seed, kind);
	r->launched = r->tech->launch(&r->cfg, &r->keep, &e);
	if (r->launched)
		follow(r);
	else
		fmt(r->why, sizeof r->why, "%.*s", 250, e.text);
	lies_end(&r->lies);
	r->tech->destroy(r->keep);
}

/* A machine too busy to start QEMU in time has lied to nobody: again. */
static enum outcome run(struct run *r, uint64_t seed, enum lie kind)
{
	enum { TRIES = 5 };
	for (int i = 0; i < TRIES; i++) {
		once(r, seed, kind);
		if (r->launched || (r->lies.told && kind != LIE_LEVEL))
			break;
	}
	return judge(r);
}

/* --- all of them ------------------------------------------------------------
 */

static void show(const struct run *r, uint64_t seed, enum outcome o)
{
	printf("# seed %llu, %s (%s): %s: %s\n", (unsigned long long)seed,
		lie_names[r->lies.kind], r->lies.told ? r->lies.what : "-",
		outcome_names[o], r->why);
	fflush(stdout);
}

/* Seeds of one kind, which stand in the seed itself. */
static bool run_kind(struct run *r, enum lie kind, unsigned count)
{
	unsigned got[OUTCOMES] = { 0 };
	for (unsigned i = 0; i < count; i++) {
		uint64_t seed = (uint64_t)i * LIES + kind;
		enum outcome o = run(r, seed, kind);
		got[o]++;
		if (o == WRONG)
			show(r, seed, o);
	}
	bool ok = !got[WRONG] && (kind != LIE_NONE || !got[NAMED]);
	printf("# %u runs: %u right, %u named\n", count, got[RIGHT],
		got[NAMED]);
	return ok;
}

static int run_tap(struct run *r)
{
	unsigned count = getenv("DONJON_ALL") ? ALL : SAMPLE;
	bool all = true;
	int number = 0;
	for (int kind = 0; kind < LIES; kind++) {
		if (!lies_has(r->tech->name, (enum lie)kind))
			continue;
		bool ok = run_kind(r, (enum lie)kind,
			kind == LIE_NONE ? SAMPLE : count);
		all = all && ok;
		printf("%sok %d - a Keep stands a hostile host: %s\n",
			ok ? "" : "not ", ++number, lie_names[kind]);
		fflush(stdout);
	}
	printf("1..%d\n", number);
	return all ? 0 : 1;
}

static int run_seeds(struct run *r, uint64_t first, uint64_t count)
{
	unsigned got[LIES][OUTCOMES] = { 0 }, wrong = 0;
	for (uint64_t seed = first; seed - first < count; seed++) {
		enum lie kind = (enum lie)(seed % LIES);
		if (!lies_has(r->tech->name, kind))
			continue;
		enum outcome o = run(r, seed, kind);
		got[kind][o]++;
		wrong += o == WRONG;
		show(r, seed, o);
	}
	for (int kind = 0; kind < LIES; kind++)
		printf("%-26s %5u right %5u named %5u wrong\n", lie_names[kind],
			got[kind][RIGHT], got[kind][NAMED], got[kind][WRONG]);
	return wrong ? 1 : 0;
}

static int go(struct run *r, int argc, char **argv)
{
	if (argc == 1)
		return run_tap(r);
	uint64_t first = strtoull(argv[1], NULL, 10);
	return run_seeds(r, first, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
}

int main(int argc, char **argv)
{
	char self[2048] = "", images[4096],
	     dir[] = "/tmp/donjon-hostile-XXXXXX";
	char root[64];
	struct err e = { 0 };
	static struct run r;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0 || !mkdtemp(dir))
		return 2;
	const char *tech = strrchr(self, '/') + 1;
	self[tech - self - 1] = '\0';
	fmt(images, sizeof images, "%s/keep", self);
	fmt(root, sizeof root, "%s/root.pem", dir);
	r.cfg = (struct hal_config){ .platform = HAL_SOFTWARE,
		.image_dir = images,
		.root_path = root,
		.boot.memory_bytes = 32u << 20 };
	int status = 0;
	if (SANITIZED)
		printf("ok 1 - hostile # SKIP under a sanitizer exec is no "
		       "static program\n");
	else if (hal_find(tech, &r.cfg, &r.tech, &e))
		status = go(&r, argc, argv);
	else
		printf("ok 1 - hostile # SKIP %s\n", e.text);
	unlink(root);
	rmdir(dir);
	return status;
}
