/* SPDX-License-Identifier: Apache-2.0 */
/* Moving packages, and looking at them. */
#ifndef REPOSITORY_COPY_H
#define REPOSITORY_COPY_H

#include "repository/repository.h"

/* Registry to registry as it stands, signatures and all; anything to a
 * registry; anything to an archive or folder. */
MUST_USE bool repository_copy(struct repository *r, const char *from,
	const char *to, const struct repository_trust *trust,
	uint8_t digest[32], struct err *e);

/* What a package consists of, as JSON on one line; appended. */
MUST_USE bool repository_describe(const struct repository_package *p,
	struct buf *out, struct err *e);
/* A registry's tags, one a line, or a JSON array. */
MUST_USE bool repository_list(struct repository *r, const char *reference,
	bool json, struct buf *out, struct err *e);

/* user, secret: as the tenant typed them; the registry must let them in. */
MUST_USE bool repository_login(struct repository *r, const char *registry,
	const char *user, const char *secret, struct err *e);
MUST_USE bool repository_logout(const char *registry, bool *found,
	struct err *e);

#endif
