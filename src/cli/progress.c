/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fmt.h"
#include "client/run.h"

#define NS	UINT64_C(1000000000)
#define PATIENT (NS / 4) /* what is quicker needs no bar */
#define REDRAW	(NS / 10)

enum { BAR = 24 };

static void size_text(uint64_t bytes, char out[16])
{
	static const char units[] = "kMGT";
	size_t u = 0;
	double v = (double)bytes / 1000;
	while (v >= 999.5 && u + 1 < strlen(units)) {
		v /= 1000;
		u++;
	}
	snprintf(out, 16, v < 9.95 ? "%.1f %cB" : "%.0f %cB", v, units[u]);
}

static double rate_of(const struct cli_progress *s,
	const struct repository_progress *p, uint64_t now)
{
	double seconds = (double)(now - s->begin) / (double)NS;
	uint64_t moved = p->done > s->before ? p->done - s->before : 0;
	return seconds > 0.001 ? (double)moved / seconds : 0;
}

static void left_text(double seconds, char out[16])
{
	unsigned long n = seconds < 359999 ? (unsigned long)seconds : 359999;
	if (n >= 3600)
		fmt(out, 16, "%lu:%02lu:%02lu", n / 3600, n / 60 % 60, n % 60);
	else
		fmt(out, 16, "%lu:%02lu", n / 60, n % 60);
}

static void draw(struct cli_progress *s, const struct repository_progress *p,
	uint64_t now)
{
	char bar[BAR + 1], done[16], total[16], speed[16], left[16];
	double rate = rate_of(s, p, now);
	uint64_t all = p->total > p->done ? p->total : p->done;
	size_t filled = all ? (size_t)((double)p->done / (double)all * BAR) : 0;
	for (size_t i = 0; i < BAR; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR] = '\0';
	size_text(p->done, done);
	size_text(all, total);
	size_text((uint64_t)rate, speed);
	left_text(rate > 0 ? (double)(all - p->done) / rate : 359999, left);
	if (p->total)
		fprintf(stderr, "\r\033[K  %-9s %.24s [%s] %s of %s, %s/s, %s",
			p->what, p->name, bar, done, total, speed, left);
	else
		fprintf(stderr, "\r\033[K  %-9s %.24s %s, %s/s", p->what,
			p->name, done, speed);
	s->drawn = true;
	s->last = now;
}

static void finish(struct cli_progress *s, const struct repository_progress *p,
	uint64_t now)
{
	char done[16];
	if (s->drawn)
		fprintf(stderr, "\r\033[K");
	size_text(p->done, done);
	if (p->done && p->done >= p->total)
		fprintf(stderr, "  %-9s %.24s %s in %.1f s\n",
			!strcmp(p->what, "push") ? "pushed" : "pulled", p->name,
			done,
			s->begin ? (double)(now - s->begin) / (double)NS : 0);
	s->begin = s->before = 0;
	s->drawn = false;
}

void cli_progress(void *ctx, const struct repository_progress *p)
{
	struct cli_progress *s = ctx;
	uint64_t now = client_run_clock();
	if (s->quiet)
		return;
	if (p->end) {
		finish(s, p, now);
		return;
	}
	if (!s->begin) {
		s->begin = s->last = now;
		s->before = p->done;
		return;
	}
	if (now - s->begin > PATIENT && now - s->last > REDRAW &&
		isatty(STDERR_FILENO))
		draw(s, p, now);
}
