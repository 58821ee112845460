/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payroll FILE: one thread reads lines, four add up what they say.  They
 * share a queue, and take turns inside the Keep, which has one processor.
 */
#include <stdio.h>
#include <string.h>

#include "threads.h"

enum { ADDERS = 4, LINE = 80, PLACES = 8 };

struct payroll {
	struct mutex lock;
	struct condition changed;
	char lines[PLACES][LINE];
	unsigned first, count;
	bool over;
	const char *path;
	long total;
	int people;
};

static void put(struct payroll *p, const char line[LINE])
{
	mutex_lock(&p->lock);
	while (p->count == PLACES)
		condition_wait(&p->changed, &p->lock);
	if (line)
		memcpy(p->lines[(p->first + p->count++) % PLACES], line, LINE);
	else
		p->over = true;
	condition_signal(&p->changed);
	mutex_unlock(&p->lock);
}

static bool take(struct payroll *p, char line[LINE])
{
	mutex_lock(&p->lock);
	while (!p->count && !p->over)
		condition_wait(&p->changed, &p->lock);
	bool some = p->count;
	if (some) {
		memcpy(line, p->lines[p->first], LINE);
		p->first = (p->first + 1) % PLACES;
		p->count--;
		condition_signal(&p->changed);
	}
	mutex_unlock(&p->lock);
	return some;
}

static void reader(void *arg)
{
	struct payroll *p = arg;
	char line[LINE] = "";
	FILE *f = fopen(p->path, "r");
	while (f && fgets(line, sizeof line, f))
		put(p, line);
	if (f)
		fclose(f);
	put(p, NULL);
}

static long amount(const char *line)
{
	long n = 0;
	for (; *line; line++)
		if (*line >= '0' && *line <= '9')
			n = n * 10 + (*line - '0');
	return n;
}

static void adder(void *arg)
{
	struct payroll *p = arg;
	char line[LINE];
	while (take(p, line)) {
		long n = amount(line);
		mutex_lock(&p->lock);
		p->total += n;
		p->people++;
		mutex_unlock(&p->lock);
	}
}

int main(int argc, char **argv)
{
	static struct payroll p;
	struct thread threads[1 + ADDERS];
	int started = 0;
	if (argc < 2)
		return 2;
	p.path = argv[1];
	printf("hello from %d threads inside a Keep\n", 1 + ADDERS);
	while (started < 1 + ADDERS &&
		thread_start(&threads[started], started ? adder : reader, &p))
		started++;
	if (started < 1 + ADDERS)
		return 1;
	for (int i = 0; i < started; i++)
		thread_join(&threads[i]);
	printf("%d people earn %ld\n", p.people, p.total);
	return 0;
}
