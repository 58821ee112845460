/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that nobody here may call: each has a safe way in base/.
 * gcc reports them; alloca is refused by -Walloca. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#if defined(__GNUC__) && !defined(__clang__) && !defined(__cplusplus)
#define BANNED(why) __attribute__((error(why)))
char *strcpy(char *, const char *) BANNED("use fmt or buf");
char *strcat(char *, const char *) BANNED("use fmt or buf");
int sprintf(char *, const char *, ...) BANNED("use fmt");
char *gets(char *) BANNED("use fgets");
char *strtok(char *, const char *) BANNED("use strchr");
int atoi(const char *) BANNED("use strtol and check");
long atol(const char *) BANNED("use strtol and check");
#endif

#endif
