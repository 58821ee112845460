/* SPDX-License-Identifier: Apache-2.0 */
/* threads WHAT: what programs with threads do, and how they may end. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../examples/threads/threads.h"

enum { THREADS = 4, NUMBERS = 1 << 18, ITEMS = 20000, PLACES = 16 };

/* --- a parallel sum ------------------------------------------------------- */

static uint32_t numbers[NUMBERS];
static _Atomic uint32_t total;

static void add_part(void *arg)
{
	const uint32_t *from = arg;
	uint32_t sum = 0;
	for (int i = 0; i < NUMBERS / THREADS; i++)
		sum = sum * 3 + from[i];
	atomic_fetch_add(&total, sum);
}

static int sum(void)
{
	struct thread t[THREADS];
	for (uint32_t i = 0; i < NUMBERS; i++)
		numbers[i] = i * 2654435761u;
	for (int i = 0; i < THREADS; i++)
		add_part(numbers + i * (NUMBERS / THREADS));
	uint32_t alone = atomic_exchange(&total, 0);
	for (int i = 0; i < THREADS; i++)
		if (!thread_start(&t[i], add_part,
			    numbers + i * (NUMBERS / THREADS)))
			return 1;
	for (int i = 0; i < THREADS; i++)
		thread_join(&t[i]);
	puts(total == alone ? "the same sum" : "another sum");
	return 0;
}

/* --- producers and consumers ---------------------------------------------- */

static struct mutex lock;
static struct condition changed;
static int queue[PLACES], queued, made, taken;
static long long worth;

static void produce(void *arg)
{
	(void)arg;
	for (;;) {
		mutex_lock(&lock);
		while (queued == PLACES)
			condition_wait(&changed, &lock);
		bool over = made == ITEMS;
		if (!over)
			queue[queued++] = made++;
		condition_signal(&changed);
		mutex_unlock(&lock);
		if (over)
			return;
	}
}

static void consume(void *arg)
{
	(void)arg;
	for (;;) {
		mutex_lock(&lock);
		while (!queued && taken < ITEMS)
			condition_wait(&changed, &lock);
		bool over = !queued;
		if (!over) {
			worth += queue[--queued];
			taken++;
		}
		condition_signal(&changed);
		mutex_unlock(&lock);
		if (over)
			return;
	}
}

static int queues(void)
{
	struct thread t[5];
	for (int i = 0; i < 5; i++)
		if (!thread_start(&t[i], i < 2 ? produce : consume, NULL))
			return 1;
	for (int i = 0; i < 5; i++)
		thread_join(&t[i]);
	printf("%d items of %lld\n", taken, worth);
	return 0;
}

/* --- one listens, the others go on -----------------------------------------
 */

static _Atomic int heard, spun;

static void listen(void *arg)
{
	char text[64];
	ssize_t n;
	(void)arg;
	while ((n = read(0, text, sizeof text)) > 0)
		heard += (int)n;
}

static void spin(void *arg)
{
	(void)arg;
	for (;;)
		spun++;
}

/* Ticks while nobody says anything; a third thread never waits. */
static int input(void)
{
	struct thread listener, spinner;
	int ticks = 0;
	if (!thread_start(&listener, listen, NULL) ||
		!thread_start(&spinner, spin, NULL))
		return 1;
	while (ticks < 3) {
		usleep(2000);
		ticks++;
	}
	printf("ticked %d, heard %d\n", ticks, heard);
	fflush(stdout);
	thread_join(&listener);
	printf("heard %d\n", heard);
	return spun ? 0 : 1;
}

/* --- ends ------------------------------------------------------------------
 */

static void wait_for_ever(void *arg)
{
	static _Atomic int never;
	(void)arg;
	sleep_while(&never, 0);
}

static void trap(void *arg)
{
	(void)arg;
	__builtin_trap();
}

static void leave(void *arg)
{
	(void)arg;
	_exit(7);
}

static int as_many_as_can_be(void)
{
	static struct thread t[200];
	int n = 0;
	while (n < 200 && thread_start(&t[n], wait_for_ever, NULL))
		n++;
	printf("%d threads\n", 1 + n);
	return 0;
}

static int with(void (*run)(void *arg))
{
	struct thread t;
	if (!thread_start(&t, run, NULL))
		return 1;
	thread_join(&t);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (!strcmp(what, "sum"))
		return sum();
	if (!strcmp(what, "queue"))
		return queues();
	if (!strcmp(what, "input"))
		return input();
	if (!strcmp(what, "many"))
		return as_many_as_can_be();
	if (!strcmp(what, "deadlock"))
		return with(wait_for_ever);
	if (!strcmp(what, "trap"))
		return with(trap);
	if (!strcmp(what, "leave"))
		return with(leave);
	return 2;
}
