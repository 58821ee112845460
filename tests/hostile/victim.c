/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program below the shim whose host is hostile (snp.c): it uses everything
 * that a shim gives to exec, and checks all of it.  Exit status 0: the right
 * result; VICTIM_TOLD: the host lied, and was caught; from 100 on: the number
 * of a check that failed, which no lie of a host may bring about.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "keep/gate.h"
#include "keep/sanctum.h"
#include "keep/snp.h"
#include "keep/tdx.h"
#include "victim.h"

#define need victim_need

void victim_need(bool ok, int number)
{
	if (!ok)
		_exit(100 + number);
}

static void host(bool ok)
{
	if (!ok)
		_exit(VICTIM_TOLD);
}

/* --- what the shim gives ---------------------------------------------------
 */

/* No instruction of it may be left out, done twice or see another register. */
static uint64_t mix(uint64_t seed, uint64_t *words, size_t n)
{
	uint64_t a = seed, b = ~seed, c = 0x9e3779b97f4a7c15, d = 1;
	for (size_t i = 0; i < n; i++) {
		a += words[i] ^ b >> 7;
		b = (b ^ a) * c;
		c = (c << 13 | c >> 51) + d;
		d ^= a + i;
		words[i] = a ^ d;
	}
	return a ^ b ^ c ^ d;
}

static void compute(unsigned round)
{
	enum { N = 1500 };
	static uint64_t words[2][N];
	uint64_t sums[2];
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < N; i++)
			words[k][i] = i * round;
		sums[k] = mix(round, words[k], N);
	}
	need(sums[0] == sums[1], 0);
	need(!memcmp(words[0], words[1], sizeof words[0]), 1);
	need(round != 1 || sums[0] == VICTIM_SUM, 2);
}

static uint8_t *map(size_t n)
{
	uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(p != MAP_FAILED, 10);
	return p;
}

static void memory(unsigned round)
{
	enum { N = 24 * 4096 };
	uint8_t *p = map(N);
	for (size_t i = 0; i < N; i += 509) {
		need(p[i] == 0, 11);
		p[i] = (uint8_t)(i / 509 + round);
	}
	need(mprotect(p, N, PROT_READ) == 0, 12);
	for (size_t i = 0; i < N; i += 509)
		need(p[i] == (uint8_t)(i / 509 + round), 13);
	need(munmap(p, N) == 0, 14);
	char *heap = malloc(70000);
	need(heap != NULL, 15);
	memset(heap, 7, 70000);
	need(heap[0] == 7 && heap[69999] == 7, 16);
	free(heap);
}

/* Much memory, for a moment: the shim gives it back to the host, and wants it
 * again. */
static void tide(unsigned round)
{
	enum { N = 14 << 20 };
	if (round % 2)
		return;
	uint8_t *p = map(N);
	for (size_t i = 0; i < N; i += 4096) {
		need(p[i] == 0 && p[i + 4095] == 0, 17);
		p[i] = p[i + 4095] = 0x5a;
	}
	for (size_t i = 0; i < N; i += 4096)
		need(p[i] == 0x5a && p[i + 4095] == 0x5a, 18);
	need(munmap(p, N) == 0, 19);
}

static void time_passes(void)
{
	static struct timespec before;
	struct timespec t;
	need(clock_gettime(CLOCK_MONOTONIC, &t) == 0, 20);
	need(t.tv_sec > before.tv_sec ||
			(t.tv_sec == before.tv_sec &&
				t.tv_nsec >= before.tv_nsec),
		21);
	before = t;
}

static void random_bytes(void)
{
	uint64_t a[4] = { 0 }, b[4] = { 0 };
	need(getrandom(a, sizeof a, 0) == sizeof a, 30);
	need(getrandom(b, sizeof b, 0) == sizeof b, 31);
	need(memcmp(a, b, sizeof a) != 0 && a[3] && b[3], 32);
}

static void locks(void)
{
	static __thread unsigned mine = 5;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	need(mine++ >= 5, 60);
	need(pthread_mutex_lock(&lock) == 0, 61);
	need(pthread_mutex_unlock(&lock) == 0, 62);
}

/* --- what the host gives ---------------------------------------------------
 */

/* A domain's: the report is the module's, the quote the host's. */
static void attest_domain(struct keep_gate *g)
{
	static uint8_t report[KEEP_TDX_REPORT_BYTES];
	static const uint8_t data[64] = { 0x42 };
	struct err e = { 0 };
	auto_buf quote = { 0 }, endorsements = { 0 };
	need(keep_tdx_report(data, report, &e), 73);
	need(!memcmp(report + offsetof(struct tdx_report_mac, report_data),
		     data, sizeof data),
		74);
	host(keep_gate_evidence(g, BYTES_ARRAY(report), &quote, &endorsements,
		     &e) &&
		keep_tdx_check(BYTES_ARRAY(report), buf_bytes(&quote), &e));
}

/* An enclave's: nothing of it is the host's, who only adds to it. */
static void attest_enclave(struct keep_gate *g)
{
	static const uint8_t data[64] = { 0x42 };
	struct sanctum_evidence v;
	struct err e = { 0 };
	auto_buf evidence = { 0 }, endorsements = { 0 };
	need(keep_sanctum_report(data, &v, &e), 75);
	need(!memcmp(v.report_data, data, sizeof data), 76);
	host(keep_gate_evidence(g, bytes_of(&v, sizeof v), &evidence,
		&endorsements, &e));
}

static void attest(struct keep_gate *g)
{
	const struct gate_shim *s =
		(const void *)(uintptr_t)getauxval(GATE_AUX_SHIM);
	static uint8_t message[PAGE_BYTES];
	uint8_t data[64];
	struct err e = { 0 };
	auto_buf evidence = { 0 }, endorsements = { 0 }, report = { 0 };
	if (s && s->tee == GATE_TEE_TDX) {
		attest_domain(g);
		return;
	}
	if (s && s->tee == GATE_TEE_SANCTUM) {
		attest_enclave(g);
		return;
	}
	need(s && s->tee == GATE_TEE_SNP, 70);
	memset(data, 0x42, sizeof data);
	need(keep_snp_ask(s, data, message, &e), 71);
	host(keep_gate_evidence(g, BYTES_ARRAY(message), &evidence,
		     &endorsements, &e) &&
		keep_snp_answer(s, buf_bytes(&evidence), data, &report, &e));
	need(report.len == 1184, 72);
}

static void converse(struct keep_gate *g, uint32_t handle)
{
	static uint8_t in[5000], out[3000], taken[GATE_DATA_BYTES + 1];
	struct gate_poll poll = { .handle = handle, .want = GATE_IN };
	struct keep_gate_sent sent;
	struct keep_gate_turn turn = { .polls = &poll,
		.poll_count = 1,
		.sends = &sent,
		.taken = taken };
	enum gate_error why;
	struct err e;
	size_t n;
	memset(out, 0x77, sizeof out);
	poll.most = sizeof in;
	taken[sizeof in] = 0x5a;
	need(keep_gate_turn_send(&turn, handle, BYTES_ARRAY(out)), 83);
	host(keep_gate_poll(g, &turn, 1000000000, &e));
	need(!(poll.got & ~(unsigned)(GATE_IN | GATE_HUP | GATE_END)), 80);
	need(poll.taken <= sizeof in && taken[sizeof in] == 0x5a, 84);
	need(sent.taken <= sizeof out, 85);
	in[sizeof in - 1] = 0x5a;
	host(keep_gate_recv(g, handle, in, sizeof in - 1, &n, &why, &e));
	need(n <= sizeof in - 1 && in[sizeof in - 1] == 0x5a, 81);
	host(keep_gate_send(g, handle, BYTES_ARRAY(out), &n, &why, &e));
	need(n <= sizeof out, 82);
}

int main(void)
{
	struct keep_gate g;
	struct err e = { 0 };
	uint32_t listener, handle;
	enum gate_error why = GATE_OK;
	host(keep_gate_open(&g, GATE_BELL_FD, GATE_AREA_FD, &e));
	attest(&g);
	host(keep_gate_listen(&g, GATE_LISTEN_CHANNEL, 0, &listener, &e));
	host(keep_gate_accept(&g, listener, &handle, &why, &e) && !why);
	for (unsigned round = 1; round <= VICTIM_ROUNDS; round++) {
		compute(round);
		memory(round);
		tide(round);
		time_passes();
		random_bytes();
		victim_registers();
		victim_processor();
		locks();
		converse(&g, handle);
	}
	keep_gate_exit(&g, GATE_EXIT_DONE);
	return 0;
}
