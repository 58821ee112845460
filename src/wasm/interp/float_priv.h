/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounding, without the mathematics library: a number of large magnitude is
 * an integer already, a small one goes through the integer unit, and the
 * sign of zero is kept.  Shared by scalars and vectors.
 */
#ifndef WASM_INTERP_FLOAT_PRIV_H
#define WASM_INTERP_FLOAT_PRIV_H

#include "base/base.h"

/* From this magnitude on every float is an integer. */
#define WASM_F32_WHOLE 8388608.0f
#define WASM_F64_WHOLE 4503599627370496.0

static inline float trunc_f32(float v)
{
	if (!(__builtin_fabsf(v) < WASM_F32_WHOLE))
		return v;
	return __builtin_copysignf((float)(int32_t)v, v);
}

static inline double trunc_f64(double v)
{
	if (!(__builtin_fabs(v) < WASM_F64_WHOLE))
		return v;
	return __builtin_copysign((double)(int64_t)v, v);
}

static inline float floor_f32(float v)
{
	float t = trunc_f32(v);
	return t > v ? t - 1.0f : t;
}

static inline double floor_f64(double v)
{
	double t = trunc_f64(v);
	return t > v ? t - 1.0 : t;
}

/* -0.5 rounds up to -0. */
static inline float ceil_f32(float v)
{
	float t = trunc_f32(v);
	return t < v ? t + 1.0f : t;
}

static inline double ceil_f64(double v)
{
	double t = trunc_f64(v);
	return t < v ? t + 1.0 : t;
}

/* Ties to even: adding and taking off 2^23 (2^52) lets the adder round. */
static inline float near_f32(float v)
{
	if (!(__builtin_fabsf(v) < WASM_F32_WHOLE))
		return v;
	float up = __builtin_fabsf(v) + WASM_F32_WHOLE;
	return __builtin_copysignf(up - WASM_F32_WHOLE, v);
}

static inline double near_f64(double v)
{
	if (!(__builtin_fabs(v) < WASM_F64_WHOLE))
		return v;
	double up = __builtin_fabs(v) + WASM_F64_WHOLE;
	return __builtin_copysign(up - WASM_F64_WHOLE, v);
}

/* The result r of an operation on v, with a NaN made quiet. */
static inline float quiet_f32(float v, float r)
{
	return v != v ? v + v : r;
}

static inline double quiet_f64(double v, double r)
{
	return v != v ? v + v : r;
}

static inline float sqrt_f32(float v)
{
	return __builtin_sqrtf(v);
}

static inline double sqrt_f64(double v)
{
	return __builtin_sqrt(v);
}

#endif
