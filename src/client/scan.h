/* SPDX-License-Identifier: Apache-2.0 */
/* Lists what lies in the directories that go into a Keep. */
#ifndef CLIENT_SCAN_H
#define CLIENT_SCAN_H

#include "client/deliver.h"

/* Fills d->entries, parents before children, in the order of names. */
MUST_USE bool client_scan(struct client_deliver *d, struct err *e);

#endif
