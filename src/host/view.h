/* SPDX-License-Identifier: Apache-2.0 */
/* What the host agent shows of itself: Keeps as JSON, metrics as text. */
#ifndef HOST_VIEW_H
#define HOST_VIEW_H

#include <jansson.h>

#include "host/http.h"
#include "host/keeps.h"

/* The caller owns it; NULL: no memory. */
json_t *view_keep(const struct keep *k, bool evidence);
json_t *view_keeps(const struct keeps *ks);
json_t *view_error(enum err_kind kind, const char *text);

/* Prometheus text format 0.0.4. */
bool view_metrics(const struct keeps *ks, const struct http_totals *http,
	struct buf *out);

#endif
