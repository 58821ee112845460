/* SPDX-License-Identifier: Apache-2.0 */
/* A Keep's images: files in <image_dir>/<technology>.  What is not what it
 * should be is named by its path (ERR_HOST; ERR_LIMIT: too long). */
#ifndef HAL_IMAGE_H
#define HAL_IMAGE_H

#include "hal/hal.h"

/* As much of exec's file as image_exec_check wants to see, or all of it. */
enum { IMAGE_HEAD = 4096 };

/* A file of 1 to `most` bytes.  errno is ENOENT where there is none. */
MUST_USE bool image_open(const char *image_dir, const char *tech,
	const char *name, uint64_t most, int *fd, uint64_t *bytes,
	struct err *e);
/* An ELF program of that machine (EM_*; EM_NONE: of any) that is as long as it
 * says. */
MUST_USE bool image_exec_check(struct bytes head, uint64_t bytes,
	unsigned machine, struct err *e);

#endif
