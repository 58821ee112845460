/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/fmt.h"
#include "cli/command.h"

enum { LEFT = 30, WIDTH = 78 };

/* Wrapped at WIDTH, the first line beginning at `column`. */
static void put_wrapped(const char *text, size_t indent, size_t column)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		if (column + n > WIDTH && column > indent) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
		}
		printf("%.*s", (int)n, text);
		column += n + 1;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void put_option(const struct cli_option *o)
{
	char left[64], letter[4] = "  ";
	if (o->letter)
		fmt(letter, sizeof letter, "-%c", o->letter);
	size_t n = fmt(left, sizeof left, "  %s%s --%s%s%s", letter,
		o->letter ? "," : " ", o->name, o->value ? " " : "",
		o->value ? o->value : "");
	printf("%s", left);
	if (n + 2 > LEFT) {
		putchar('\n');
		n = 0;
	}
	printf("%*s", (int)(LEFT - n), "");
	put_wrapped(o->help, LEFT, LEFT);
}

void cli_help_command(const struct cli_command *c)
{
	printf("Usage: donjon %s [OPTION]...%s%s\n\n%c%s.\n", c->name,
		c->operands[0] ? " " : "", c->operands,
		c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->text[0])
		printf("%s", c->text);
	printf("\nOptions:\n");
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++)
		if (c->options & CLI_BIT(id))
			put_option(&cli_options[id]);
}

void cli_help(void)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	printf("Usage: donjon COMMAND [OPTION]... [ARGUMENT]...\n\n"
	       "Runs wasm programs in Keeps: places that the machine's owner "
	       "can't look into,\nproven before anything is sent to them.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < count; i++)
		printf("  %-20s%s\n", c[i].name, c[i].summary);
	printf("\nOptions:\n"
	       "  -h, --help      show this help; donjon COMMAND --help shows "
	       "a command's\n"
	       "      --version   print the version\n\n"
	       "Exit status: the program's; 121 its input is wrong, 122 "
	       "denied by verification,\npolicy or the Keep, 123 the host "
	       "failed, 124 a limit was reached, 2 wrong usage.\n"
	       "See donjon(1).\n");
}
