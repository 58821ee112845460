/* SPDX-License-Identifier: Apache-2.0 */
/* A gate whose Keep is played by the test: it writes the area. */
#ifndef TESTS_UNIT_HOST_HELPERS_SCENE_H
#define TESTS_UNIT_HOST_HELPERS_SCENE_H

#include "host/gate_serve.h"

struct scene {
	struct gate_area *area;
	struct gate_serve *g;
	uint32_t seq;
	struct err e;
	/* what the gate said to its sink */
	bool no_evidence;
	enum err_kind no_publish;
	size_t published, parts[4];
	size_t closed;
	uint64_t channel, in, out;
	char log[64];
	bool names; /* set before scene_open: names can be looked up */
	uint32_t asked;
};

void scene_open(struct scene *s, const struct gate_grants *grants, bool debug);
void scene_close(struct scene *s);
bool scene_ring(struct scene *s, uint32_t op, uint64_t arg0, uint64_t arg1,
	uint32_t len, enum gate_turn *turn);
uint32_t scene_ask(struct scene *s, uint32_t op, uint64_t arg0, uint64_t arg1,
	uint32_t len);
uint32_t scene_advance(struct scene *s, enum gate_phase phase);
uint32_t scene_connect_channel(struct scene *s, uint32_t listener, int *peer,
	uint64_t name);
void scene_wait_for(struct scene *s, uint32_t handle, uint16_t want,
	uint64_t timeout_ns);
enum gate_turn scene_look(struct scene *s);
uint16_t scene_got(const struct scene *s);
uint32_t scene_put_face(struct scene *s);

#endif
