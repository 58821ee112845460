/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include <stdlib.h>

#include "wasm/wasm.h"

static bool is(const struct json *v, const char *type)
{
	return !strcmp(json_text(v, "type"), type);
}

static unsigned lane_bits(const char *type)
{
	return (unsigned)strtoul(type + 1, NULL, 10);
}

/* The number in the low `bits` bits. */
static uint64_t number(const char *s, unsigned bits)
{
	uint64_t v = s[0] == '-' ? (uint64_t)strtoll(s, NULL, 10) :
				   strtoull(s, NULL, 10);
	return bits == 64 ? v : v & (((uint64_t)1 << bits) - 1);
}

static void put_lane(uint64_t slots[2], size_t i, unsigned bits, uint64_t v)
{
	size_t at = i * bits;
	slots[at / 64] |= v << at % 64;
}

static uint64_t get_lane(const uint64_t slots[2], size_t i, unsigned bits)
{
	size_t at = i * bits;
	uint64_t v = slots[at / 64] >> at % 64;
	return bits == 64 ? v : v & (((uint64_t)1 << bits) - 1);
}

size_t value_slots(const struct json *v)
{
	if (is(v, "either"))
		v = json_get(v, "values")->items[0];
	return is(v, "v128") ? 2 : 1;
}

size_t value_read(const struct json *v, uint64_t slots[2])
{
	const char *type = json_text(v, "type"), *value = json_text(v, "value");
	slots[0] = slots[1] = 0;
	if (is(v, "v128")) {
		const struct json *lanes = json_get(v, "value");
		unsigned bits = lane_bits(json_text(v, "lane_type"));
		for (size_t i = 0; i < lanes->count; i++)
			put_lane(slots, i, bits,
				number(lanes->items[i]->text, bits));
		return 2;
	}
	if (type[0] == 'i' || type[0] == 'f') {
		unsigned bits = lane_bits(type);
		if (bits == 32 || bits == 64) {
			slots[0] = number(value, bits);
			return 1;
		}
	}
	if (!strcmp(value, "null"))
		return 1;
	slots[0] = wasm_ref_host(strtoull(value, NULL, 10));
	return 1;
}

/* A lane against a number or a kind of NaN. */
static bool lane_matches(const char *want, uint64_t have, unsigned bits)
{
	uint64_t quiet = bits == 32 ? 0x7fc00000 : 0x7ff8000000000000;
	uint64_t sign = (uint64_t)1 << (bits - 1);
	if (!strcmp(want, "nan:canonical"))
		return (have & ~sign) == quiet;
	if (!strcmp(want, "nan:arithmetic"))
		return (have & quiet) == quiet;
	return have == number(want, bits);
}

static bool vector_matches(const struct json *want, const uint64_t slots[2])
{
	const struct json *lanes = json_get(want, "value");
	unsigned bits = lane_bits(json_text(want, "lane_type"));
	for (size_t i = 0; i < lanes->count; i++) {
		const char *s = lanes->items[i]->text;
		if (!lane_matches(s, get_lane(slots, i, bits), bits))
			return false;
	}
	return true;
}

static bool ref_matches(const struct json *want, uint64_t have)
{
	const char *value = json_text(want, "value");
	uint64_t v;
	if (!strcmp(value, "null"))
		return have == 0;
	if (is(want, "i31ref"))
		return have & 1;
	if (!value[0])
		return have != 0;
	return wasm_ref_is_host(have, &v) && v == strtoull(value, NULL, 10);
}

bool value_matches(const struct json *want, const uint64_t slots[2])
{
	const char *type = json_text(want, "type");
	if (is(want, "either")) {
		const struct json *list = json_get(want, "values");
		for (size_t i = 0; i < list->count; i++)
			if (value_matches(list->items[i], slots))
				return true;
		return false;
	}
	if (is(want, "v128"))
		return vector_matches(want, slots);
	if (is(want, "i32") || is(want, "i64") || is(want, "f32") ||
		is(want, "f64"))
		return lane_matches(json_text(want, "value"), slots[0],
			lane_bits(type));
	return ref_matches(want, slots[0]);
}
