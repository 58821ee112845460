/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "base/fmt.h"

enum { LINE = 1024 };

struct line {
	char text[LINE];
	size_t len;
};

static void put(struct line *l, char c)
{
	if (l->len < LINE - 1)
		l->text[l->len++] = c;
}

static void put_plain(struct line *l, const char *s)
{
	while (*s)
		put(l, *s++);
}

static bool is_bare(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' ||
			*s == 0x7f)
			return false;
	return true;
}

static void put_value(struct line *l, const char *s)
{
	if (is_bare(s)) {
		put_plain(l, s);
		return;
	}
	put(l, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char hex[8];
		if (c == '"' || c == '\\') {
			put(l, '\\');
			put(l, *s);
		} else if (c < ' ' || c == 0x7f) {
			fmt(hex, sizeof hex, "\\x%02x", c);
			put_plain(l, hex);
		} else {
			put(l, *s);
		}
	}
	put(l, '"');
}

static void put_time(struct line *l)
{
	struct timespec ts;
	struct tm tm;
	char text[40];
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	fmt(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000);
	put_plain(l, text);
}

void log_event(const struct log *l, enum log_level level, const char *event,
	...)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	if (level > l->level)
		return;
	struct line line = { .len = 0 };
	put_plain(&line, "time=");
	put_time(&line);
	put_plain(&line, " level=");
	put_plain(&line, names[level]);
	put_plain(&line, " program=");
	put_value(&line, l->program);
	put_plain(&line, " event=");
	put_value(&line, event);
	va_list ap;
	va_start(ap, event);
	for (;;) {
		const char *key = va_arg(ap, const char *);
		const char *value = key ? va_arg(ap, const char *) : NULL;
		if (!value)
			break;
		put(&line, ' ');
		put_plain(&line, key);
		put(&line, '=');
		put_value(&line, value);
	}
	va_end(ap);
	line.text[line.len++] = '\n';
	ssize_t ignored = write(l->fd, line.text, line.len);
	(void)ignored;
}
