/* SPDX-License-Identifier: Apache-2.0 */
/* Matrices of f32, four columns at once: products, sums, one lane for all. */
#include <stdio.h>

typedef float f32x4 __attribute__((vector_size(16)));
enum { N = 256 };

static float a[N][N];
static f32x4 b[N][N / 4], c[N][N / 4];

static f32x4 all(float v)
{
	return (f32x4){ v, v, v, v };
}

int main(void)
{
	float sum = 0;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = (float)(i * j % 7) / 7;
			((float *)b[i])[j] = (float)((i + j) % 11) / 11;
		}
	for (int round = 0; round < 60; round++)
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N / 4; j += 4) {
				f32x4 w = c[i][j], x = c[i][j + 1],
				      y = c[i][j + 2], z = c[i][j + 3];
				for (int k = 0; k < N; k++) {
					f32x4 v = all(a[i][k]);
					w += v * b[k][j];
					x += v * b[k][j + 1];
					y += v * b[k][j + 2];
					z += v * b[k][j + 3];
				}
				c[i][j] = w, c[i][j + 1] = x;
				c[i][j + 2] = y, c[i][j + 3] = z;
			}
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N / 4; j++)
			sum += c[i][j][0] + c[i][j][1] - c[i][j][2];
	printf("product %.3f\n", sum);
	return 0;
}
