/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaks the gate (abi/gate.h) with nothing but libc, well or badly, as the
 * nonce asks.  An exit status tells what went wrong at its own side.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "abi/gate.h"
#include "fake.h"

static struct gate_area *area;
static uint32_t seq;

static void ring(void)
{
	if (write(GATE_BELL_FD, "", 1) != 1)
		_exit(90);
}

static void await(void)
{
	char byte;
	if (read(GATE_BELL_FD, &byte, 1) != 1)
		_exit(91);
}

static void put(uint32_t op, uint64_t arg0, uint64_t arg1, uint32_t len)
{
	area->request = (struct gate_request){ .op = op,
		.seq = ++seq,
		.arg0 = arg0,
		.arg1 = arg1,
		.data_len = len };
}

/* The reply's error. */
static uint32_t ask(uint32_t op, uint64_t arg0, uint64_t arg1, uint32_t len)
{
	put(op, arg0, arg1, len);
	ring();
	await();
	if (area->reply.seq != seq)
		_exit(92);
	return area->reply.error;
}

static void need(uint32_t error)
{
	if (error != GATE_OK)
		_exit(93);
}

static void finish(enum gate_exit reason)
{
	put(GATE_EXIT, reason, 0, 0);
	ring();
	await();
	_exit(94);
}

/* Claims "claims", evidence and endorsements as the host gave them, and
 * `certificate` bytes of certificate. */
static uint32_t publish(uint32_t certificate)
{
	static uint8_t signed_by_host[0x8000];
	static const uint8_t claims[10] = { 6, 0, 0, 0, 'c', 'l', 'a', 'i', 'm',
		's' };
	for (size_t i = 0; i < 64; i++)
		area->data[i] = (uint8_t)i;
	need(ask(GATE_EVIDENCE, 0, 0, 64));
	uint32_t n = area->reply.data_len;
	if (n > sizeof signed_by_host)
		_exit(95);
	memcpy(signed_by_host, area->data, n);
	memcpy(area->data, claims, sizeof claims);
	memcpy(area->data + sizeof claims, signed_by_host, n);
	n += (uint32_t)sizeof claims;
	memcpy(area->data + n, &certificate, sizeof certificate);
	n += (uint32_t)sizeof certificate;
	memset(area->data + n, 'x', certificate);
	return ask(GATE_PUBLISH, 0, 0, n + certificate);
}

static uint32_t listen_channel(void)
{
	need(publish(100));
	need(ask(GATE_LISTEN, GATE_LISTEN_CHANNEL, 0, 0));
	return (uint32_t)area->reply.ret0;
}

static void wait_for(uint32_t handle, uint16_t events)
{
	struct gate_poll p = { .handle = handle, .want = events };
	memcpy(area->data, &p, sizeof p);
	need(ask(GATE_POLL, UINT64_MAX, 1, sizeof p));
	if (area->reply.ret0 != 1 || area->reply.data_len != sizeof p)
		_exit(96);
}

/* What stands in the area, `len` bytes of it. */
static void send_all(uint32_t handle, uint32_t len)
{
	static uint8_t copy[GATE_DATA_BYTES];
	memcpy(copy, area->data, len);
	for (uint32_t at = 0; at < len;) {
		memcpy(area->data, copy + at, len - at);
		uint32_t error = ask(GATE_SEND, handle, 0, len - at);
		if (error == GATE_AGAIN) {
			wait_for(handle, GATE_OUT);
			continue;
		}
		need(error);
		at += (uint32_t)area->reply.ret0;
	}
}

static void echo(void)
{
	uint32_t listener = listen_channel();
	uint32_t error = ask(GATE_ACCEPT, listener, 0, 0);
	if (error == GATE_AGAIN) {
		wait_for(listener, GATE_IN);
		error = ask(GATE_ACCEPT, listener, 0, 0);
	}
	need(error);
	uint32_t channel = (uint32_t)area->reply.ret0;
	for (;;) {
		wait_for(channel, GATE_IN);
		need(ask(GATE_RECV, channel, GATE_DATA_BYTES, 0));
		if (area->reply.data_len == 0)
			break;
		send_all(channel, area->reply.data_len);
	}
	need(ask(GATE_CLOSE, channel, 0, 0));
	finish(GATE_EXIT_DONE);
}

/* --- what a Keep must not be able to do ----------------------------------- */

#ifndef __SANITIZE_ADDRESS__
static bool no_files(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 &&
		open("/proc/self/mem", O_RDWR) < 0 &&
		memfd_create("x", 0) < 0 &&
		mkdtemp((char[]){ "/tmp/XXXXXX" }) == NULL;
}

static bool no_processes(void)
{
	return syscall(SYS_fork) < 0 &&
		syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 &&
		syscall(SYS_execve, "/bin/true", NULL, NULL) < 0 &&
		kill(-1, 0) < 0 && syscall(SYS_ptrace, 0, 0, 0, 0) < 0 &&
		syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0) < 0;
}

static bool no_network(void)
{
	int pair[2];
	return socket(AF_INET, SOCK_STREAM, 0) < 0 &&
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0;
}

static bool no_memory(void)
{
	return mmap(NULL, area->boot.memory_bytes + (128u << 20), PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static bool nothing_left_over(void)
{
	for (int fd = GATE_AREA_FD + 1; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return false;
	return !environ[0] && prctl(PR_GET_DUMPABLE) != 1 &&
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && geteuid() != 0;
}

static bool (*const walls[])(void) = { no_files, no_processes, no_network,
	no_memory, nothing_left_over };
#else
static bool no_wall(void)
{
	return true;
}

static bool (*const walls[])(void) = { no_wall };
#endif

static void probe(void)
{
	for (size_t i = 0; i < ARRAY_LEN(walls); i++)
		if (!walls[i]())
			_exit(100 + (int)i);
	/* Its area can't be pulled away from under the host. */
	if (ftruncate(GATE_AREA_FD, 0) == 0)
		_exit(99);
	finish(GATE_EXIT_DONE);
}

static void drop_bell(void)
{
	close(GATE_BELL_FD);
	for (;;)
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
}

static void impatient(void)
{
	listen_channel();
	put(GATE_POLL, UINT64_MAX, 0, 0);
	ring();
	ring();
	await();
	_exit(98);
}

static void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	mprotect(area, GATE_AREA_BYTES, PROT_NONE);
	area->magic = 0;
}

static void deaf(void)
{
	for (;;) {
		put(GATE_TIME_HINT, 0, 0, 0);
		ring();
	}
}

int main(void)
{
	void *p = mmap(NULL, GATE_AREA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED, GATE_AREA_FD, 0);
	if (p == MAP_FAILED)
		_exit(89);
	area = p;
	switch (area->boot.nonce[0]) {
	case FAKE_ECHO:
		echo();
		break;
	case FAKE_CRASH:
		crash();
		break;
	case FAKE_QUIT:
		_exit(7);
	case FAKE_DROP_BELL:
		drop_bell();
		break;
	case FAKE_PROBE:
		probe();
		break;
	case FAKE_UNKNOWN_OP:
		ask(99, 0, 0, 0);
		break;
	case FAKE_TOO_EARLY:
		ask(GATE_LISTEN, GATE_LISTEN_CHANNEL, 0, 0);
		break;
	case FAKE_IMPATIENT:
		impatient();
		break;
	case FAKE_WAIT:
		wait_for(listen_channel(), 0);
		break;
	case FAKE_DEAF:
		deaf();
		break;
	case FAKE_CHATTY:
		finish(publish(200000) == GATE_LIMIT ? GATE_EXIT_LIMIT :
						       GATE_EXIT_INTERNAL);
		break;
	default:
		break;
	}
	return 88;
}
