/* SPDX-License-Identifier: Apache-2.0 */
/* What interpreters ask of an operating system and a Keep has not. */
#ifndef EXAMPLES_WASI_H
#define EXAMPLES_WASI_H

#include <stdio.h>
#include <stdlib.h>

#define system(command) (-1)
#define tmpfile()	((FILE *)NULL)

#endif
