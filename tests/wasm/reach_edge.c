/* SPDX-License-Identifier: Apache-2.0 */
/* As WasmEdge has them. */
#include "reach.h"

struct edge_address {
	const void *ptr;
	uint32_t len;
};
struct edge_sockaddr {
	uint8_t family;
	uint32_t len;
	uint8_t *data;
};
struct edge_info {
	uint16_t flags;
	uint8_t family, type, protocol;
	uint32_t len;
	struct edge_sockaddr *addr;
	char *name;
	uint32_t name_len;
	struct edge_info *next;
};
IMPORT("sock_open") int edge_open(uint32_t family, uint32_t type, int *fd);
IMPORT("sock_bind")
int edge_bind(int fd, const struct edge_address *a, uint32_t port);
IMPORT("sock_connect")
int edge_connect(int fd, const struct edge_address *a, uint32_t port);
IMPORT("sock_getaddrinfo")
int edge_getaddrinfo(const char *node, uint32_t node_len, const char *service,
	uint32_t service_len, const struct edge_info *hints,
	struct edge_info **list, uint32_t max, uint32_t *n);

static int reach_open(int *fd)
{
	return edge_open(1, 2, fd);
}

static int reach_look_up(const char *host, uint8_t ip[4], uint32_t *n)
{
	uint8_t data[26] = { 0 };
	struct edge_sockaddr addr = { 1, sizeof data, data };
	struct edge_info info = { .addr = &addr }, *list = &info;
	struct edge_info hints = { .family = 1, .type = 2 };
	int r = edge_getaddrinfo(host, strlen(host), "", 0, &hints, &list, 1,
		n);
	memcpy(ip, data + 2, 4);
	return r;
}

static int reach_connect(int fd, const uint8_t ip[4], uint16_t port)
{
	const struct edge_address a = { ip, 4 };
	return edge_connect(fd, &a, port);
}

static int reach_bind(int fd, const uint8_t ip[4], uint16_t port)
{
	const struct edge_address a = { ip, 4 };
	return edge_bind(fd, &a, port);
}
