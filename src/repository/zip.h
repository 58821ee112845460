/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZIP archives (PKWARE's APPNOTE 6.3): files that are stored or deflated, and
 * folders.  Refused as a whole, as tar.h says, and besides when anything is
 * encrypted, split, larger than 4 GiB, or a link, when a checksum or length is
 * wrong, or when it unpacks to more than `max` bytes or, beyond 64 MiB, to
 * more than a hundred times its size.
 */
#ifndef REPOSITORY_ZIP_H
#define REPOSITORY_ZIP_H

#include "repository/tar.h"

/* Begins like one. */
bool repository_zip_is(struct bytes head);
/* Unpacks the contents one behind the other into fd, from its beginning; the
 * index says what lies where. */
MUST_USE bool repository_zip_unpack(const struct repository_source *s, int fd,
	uint64_t max, struct repository_tar *out, struct err *e);

#endif
