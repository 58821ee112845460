/* SPDX-License-Identifier: Apache-2.0 */
/* As WAMR has them. */
#include "reach.h"

struct wamr_address {
	uint32_t kind;
	uint8_t ip[4];
	uint16_t port;
	uint8_t rest[14];
};
struct wamr_info {
	struct wamr_address a;
	uint32_t type;
};
struct wamr_hints {
	uint32_t type, family;
	uint8_t on;
};
IMPORT("sock_open")
int wamr_open(int pool, uint32_t family, uint32_t type, int *fd);
IMPORT("sock_bind") int wamr_bind(int fd, const struct wamr_address *a);
IMPORT("sock_connect") int wamr_connect(int fd, const struct wamr_address *a);
IMPORT("sock_addr_resolve")
int wamr_resolve(const char *host, const char *service,
	const struct wamr_hints *hints, struct wamr_info *list, uint32_t max,
	uint32_t *n);

static int reach_open(int *fd)
{
	return wamr_open(-1, 0, 1, fd);
}

static int reach_look_up(const char *host, uint8_t ip[4], uint32_t *n)
{
	struct wamr_info info = { 0 };
	const struct wamr_hints hints = { 1, 0, 1 };
	int r = wamr_resolve(host, "", &hints, &info, 1, n);
	memcpy(ip, info.a.ip, 4);
	return r;
}

static struct wamr_address address(const uint8_t ip[4], uint16_t port)
{
	struct wamr_address a = { .kind = 0, .port = port };
	memcpy(a.ip, ip, 4);
	return a;
}

static int reach_connect(int fd, const uint8_t ip[4], uint16_t port)
{
	const struct wamr_address a = address(ip, port);
	return wamr_connect(fd, &a);
}

static int reach_bind(int fd, const uint8_t ip[4], uint16_t port)
{
	const struct wamr_address a = address(ip, port);
	return wamr_bind(fd, &a);
}
