/* SPDX-License-Identifier: Apache-2.0 */
/* Each case is a child that confines itself and then does one thing. */
#include "keep/confine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "abi/gate.h"
#include "codec/json.h"

#if defined(__SANITIZE_ADDRESS__)
#define NEEDS_FILTER SKIP_TEST("no filter under the address sanitizer")
#else
#define NEEDS_FILTER
#endif

enum { REFUSED = 77 };

/* The child's wait status.  Its descriptors 3 and 4 are bell and area. */
static int confined(bool (*act)(void))
{
	int pair[2], status = -1;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	int area = memfd_create("area", 0);
	CHECK(area >= 0 && ftruncate(area, GATE_AREA_BYTES) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct err e;
		int bell = dup(pair[1]), copy = dup(area);
		dup2(bell, GATE_BELL_FD);
		dup2(copy, GATE_AREA_FD);
		if (!keep_confine(&e))
			_exit(REFUSED);
		_exit(act() ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	close(pair[0]);
	close(pair[1]);
	close(area);
	return status;
}

static bool does(bool (*act)(void))
{
	int status = confined(act);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool dies(bool (*act)(void))
{
	int status = confined(act);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

/* --- what a Keep does ---------------------------------------------------- */

/* What a peer's evidence may hold. */
static bool read_json(void)
{
	json_t *v;
	struct err e;
	json_seed(7);
	if (!json_parse(BYTES_LIT("{\"a\": {\"b\": [1, 2]}}"), 100, &v, &e))
		return false;
	json_decref(v);
	return true;
}

static bool use_memory(void)
{
	char *volatile small = malloc(100);
	char *volatile big = malloc(100 << 20);
	if (!small || !big)
		return false;
	big[99 << 20] = 1;
	big = realloc(big, 200 << 20);
	free(small);
	free(big);
	return true;
}

static bool tell_time(void)
{
	struct timespec t;
	return !clock_gettime(CLOCK_MONOTONIC, &t) &&
		!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
}

static bool be_random(void)
{
	uint8_t b[32];
	return getrandom(b, sizeof b, 0) == sizeof b;
}

static bool ring(void)
{
	return write(GATE_BELL_FD, "", 1) == 1;
}

static bool map_area(void)
{
	void *p = mmap(NULL, GATE_AREA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED, GATE_AREA_FD, 0);
	return p != MAP_FAILED && !munmap(p, GATE_AREA_BYTES);
}

static int by_number(const void *a, const void *b)
{
	int x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

/* Above some size glibc asks how much memory there is. */
static bool sort(void)
{
	int *list = calloc(100000, sizeof *list);
	for (int i = 0; list && i < 100000; i++)
		list[i] = 100000 - i;
	if (list)
		qsort(list, 100000, sizeof *list, by_number);
	return list && list[0] == 1;
}

#if defined(__x86_64__)
/* mov eax, 7; ret */
static bool make_code(void)
{
	static const uint8_t code[] = { 0xb8, 7, 0, 0, 0, 0xc3 };
	void *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*seven)(void);
	if (p == MAP_FAILED)
		return false;
	memcpy(p, code, sizeof code);
	if (mprotect(p, PAGE_BYTES, PROT_READ | PROT_EXEC))
		return false;
	memcpy(&seven, &p, sizeof seven);
	return seven() == 7;
}

TEST(a_keep_has_memory_for_code_that_nothing_writes_to)
{
	CHECK(does(make_code));
}
#endif

TEST(a_keep_has_memory_time_randomness_its_bell_and_area)
{
	CHECK(does(use_memory));
	CHECK(does(read_json));
	CHECK(does(tell_time));
	CHECK(does(be_random));
	CHECK(does(ring));
	CHECK(does(map_area));
	CHECK(does(sort));
}

/* --- what it may not ------------------------------------------------------ */

static bool open_file(void)
{
	return open("/dev/null", O_RDONLY) >= 0;
}

static bool make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool make_child(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}

static bool run_program(void)
{
	char *none[] = { NULL };
	return execve("/bin/true", none, none) == 0;
}

static bool write_elsewhere(void)
{
	return write(1, "", 0) == 0;
}

static bool read_elsewhere(void)
{
	char b;
	return read(0, &b, 1) >= 0;
}

static bool map_code(void)
{
	return mmap(NULL, PAGE_BYTES, PROT_READ | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool map_writable_code(void)
{
	return mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool protect(int prot)
{
	void *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED && !mprotect(p, PAGE_BYTES, prot);
}

static bool make_writable_code(void)
{
	return protect(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static bool make_hidden_code(void)
{
	return protect(PROT_EXEC);
}

static bool map_file(void)
{
	return mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, 0, 0) !=
		MAP_FAILED;
}

static bool kill_parent(void)
{
	return !kill(getppid(), 0);
}

static bool unconfine(void)
{
	return !prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

#if defined(__x86_64__)
static bool call_as_x32(void)
{
	return syscall(0x40000000 | 39) > 0;
}

/* getpid is 20 there; 20 here is writev. */
static bool call_as_i386(void)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "0"(20L) : "memory");
	return r > 0;
}
#endif

TEST(a_keep_that_reaches_for_anything_else_dies)
{
	NEEDS_FILTER;
	CHECK(dies(open_file));
	CHECK(dies(make_socket));
	CHECK(dies(make_child));
	CHECK(dies(run_program));
	CHECK(dies(write_elsewhere));
	CHECK(dies(read_elsewhere));
	CHECK(dies(map_code));
	CHECK(dies(map_writable_code));
	CHECK(dies(make_writable_code));
	CHECK(dies(make_hidden_code));
	CHECK(dies(map_file));
	CHECK(dies(kill_parent));
	CHECK(dies(unconfine));
}

#if defined(__x86_64__)
TEST(other_numberings_of_the_calls_are_no_way_around)
{
	NEEDS_FILTER;
	CHECK(dies(call_as_x32));
	int status = confined(call_as_i386);
	/* A kernel without that numbering raises its own signal. */
	CHECK(WIFSIGNALED(status));
}
#endif

static bool leaves_no_core(void)
{
	abort();
}

TEST(a_keep_that_crashes_leaves_no_core)
{
	int status = confined(leaves_no_core);
	CHECK(WIFSIGNALED(status));
	CHECK(!WCOREDUMP(status));
}
