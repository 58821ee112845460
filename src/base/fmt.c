/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fmt.h"

struct sink {
	char *out;
	size_t size, len;
};

struct spec {
	bool zero, left, has_precision;
	int width, precision, longs, shorts;
};

static void put(struct sink *s, char c)
{
	if (s->len + 1 < s->size)
		s->out[s->len++] = c;
}

static void pad(struct sink *s, char c, int n)
{
	while (n-- > 0)
		put(s, c);
}

static void put_text(struct sink *s, const struct spec *sp, const char *t,
	int len)
{
	if (!sp->left)
		pad(s, ' ', sp->width - len);
	for (int i = 0; i < len; i++)
		put(s, t[i]);
	if (sp->left)
		pad(s, ' ', sp->width - len);
}

static void put_number(struct sink *s, const struct spec *sp, uint64_t v,
	unsigned base, bool upper, bool negative)
{
	char digits[24];
	int n = 0;
	do {
		unsigned d = (unsigned)(v % base);
		digits[n++] =
			(char)(d < 10 ? '0' + d : (upper ? 'A' : 'a') + d - 10);
		v /= base;
	} while (v);
	int zeros = 0;
	if (sp->has_precision)
		zeros = sp->precision - n;
	else if (sp->zero && !sp->left)
		zeros = sp->width - n - negative;
	if (zeros < 0)
		zeros = 0;
	int len = n + zeros + negative;
	if (!sp->left)
		pad(s, ' ', sp->width - len);
	if (negative)
		put(s, '-');
	pad(s, '0', zeros);
	while (n)
		put(s, digits[--n]);
	if (sp->left)
		pad(s, ' ', sp->width - len);
}

static const char *parse_spec(const char *f, struct spec *sp, va_list *ap)
{
	for (;; f++) {
		if (*f == '0')
			sp->zero = true;
		else if (*f == '-')
			sp->left = true;
		else
			break;
	}
	if (*f == '*') {
		sp->width = va_arg(*ap, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		if (sp->width < 1000)
			sp->width = sp->width * 10 + (*f - '0');
	if (*f == '.') {
		sp->has_precision = true;
		if (*++f == '*') {
			sp->precision = va_arg(*ap, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			if (sp->precision < 1000)
				sp->precision = sp->precision * 10 + (*f - '0');
		if (sp->precision < 0)
			sp->has_precision = false;
	}
	for (;; f++) {
		if (*f == 'l')
			sp->longs++;
		else if (*f == 'z')
			sp->longs = 1;
		else if (*f == 'h')
			sp->shorts++;
		else
			return f;
	}
}

static void put_signed(struct sink *s, const struct spec *sp, va_list *ap)
{
	long long v;
	if (sp->longs > 1)
		v = va_arg(*ap, long long);
	else if (sp->longs)
		v = va_arg(*ap, long);
	else
		v = va_arg(*ap, int);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	put_number(s, sp, u, 10, false, v < 0);
}

static void put_unsigned(struct sink *s, const struct spec *sp, va_list *ap,
	char conv)
{
	uint64_t v;
	if (sp->longs > 1)
		v = va_arg(*ap, unsigned long long);
	else if (sp->longs)
		v = va_arg(*ap, unsigned long);
	else
		v = va_arg(*ap, unsigned);
	if (sp->shorts == 1)
		v = (uint16_t)v;
	else if (sp->shorts > 1)
		v = (uint8_t)v;
	put_number(s, sp, v, conv == 'u' ? 10 : 16, conv == 'X', false);
}

static void put_string(struct sink *s, const struct spec *sp, const char *t)
{
	if (!t)
		t = "(null)";
	int n = 0;
	while ((!sp->has_precision || n < sp->precision) && t[n])
		n++;
	put_text(s, sp, t, n);
}

size_t fmt_v(char *out, size_t size, const char *format, va_list args)
{
	struct sink s = { .out = out, .size = size };
	va_list ap;
	va_copy(ap, args);
	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			put(&s, *f);
			continue;
		}
		const char *start = f;
		struct spec sp = { 0 };
		f = parse_spec(f + 1, &sp, &ap);
		if (*f == 's') {
			put_string(&s, &sp, va_arg(ap, const char *));
		} else if (*f == 'c') {
			char c = (char)va_arg(ap, int);
			put_text(&s, &sp, &c, 1);
		} else if (*f == 'd' || *f == 'i') {
			put_signed(&s, &sp, &ap);
		} else if (*f == 'u' || *f == 'x' || *f == 'X') {
			put_unsigned(&s, &sp, &ap, *f);
		} else if (*f == 'p') {
			put_number(&s, &sp, (uintptr_t)va_arg(ap, void *), 16,
				false, false);
		} else if (*f == '%') {
			put(&s, '%');
		} else {
			f = start;
			put(&s, '%');
		}
	}
	va_end(ap);
	if (size)
		out[s.len] = '\0';
	return s.len;
}

size_t fmt(char *out, size_t size, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	size_t n = fmt_v(out, size, format, ap);
	va_end(ap);
	return n;
}
