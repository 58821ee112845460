/* SPDX-License-Identifier: Apache-2.0 */
/* Documents from the web, by libcurl. */
#ifndef REPOSITORY_HTTPS_H
#define REPOSITORY_HTTPS_H

#include "repository/repository.h"

MUST_USE bool repository_https(const struct repository_config *cfg,
	const char *url, struct buf *out, struct err *e);

#endif
