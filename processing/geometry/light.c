/* What is done to every pixel after demosaicing, and the distance of a pixel from the background. */
#include "geometry.h"

enum { CHUNK = 64 };

INLINE float least(float a, float b) { return a < b ? a : b; }
INLINE float most(float a, float b) { return a > b ? a : b; }

INLINE float encoded(const float *restrict curve, float light) {
    light = least(most(light, 0), 1);
    float at = light * CURVE_STEPS;
    int32_t step = (int32_t)at;
    float low = curve[step], power = low + (at - (float)step) * (curve[step + 1] - low);
    return light <= 0.0031308f ? light * 12.92f : power;
}

/* 64 pixels at most; a matrix of one's own is a copy of the caller's. */
INLINE void chunk(float *restrict at, int count, const float gains[3], const float *pedestal, const float *matrix,
                  const float *restrict curve) {
    float r[CHUNK], g[CHUNK], b[CHUNK], *light[3] = {r, g, b};
    for (int j = 0; j < count; j++) {
        r[j] = at[3 * j];
        g[j] = at[3 * j + 1];
        b[j] = at[3 * j + 2];
    }
    for (int c = 0; c < 3; c++) {
        float *restrict of = light[c];
        const float gain = gains[c], lift = pedestal ? *pedestal : 0;
        if (pedestal)
            for (int j = 0; j < count; j++)
                of[j] = of[j] * of[j] - lift;
        for (int j = 0; j < count; j++)
            of[j] = least(of[j] * gain, 1);
    }
    if (matrix)
        for (int j = 0; j < count; j++) {
            float red = r[j], green = g[j], blue = b[j];
            r[j] = matrix[0] * red + matrix[1] * green + matrix[2] * blue;
            g[j] = matrix[3] * red + matrix[4] * green + matrix[5] * blue;
            b[j] = matrix[6] * red + matrix[7] * green + matrix[8] * blue;
        }
    if (curve)
        for (int c = 0; c < 3; c++)
            for (int j = 0; j < count; j++)
                light[c][j] = encoded(curve, light[c][j]);
    for (int j = 0; j < count; j++) {
        at[3 * j] = r[j];
        at[3 * j + 1] = g[j];
        at[3 * j + 2] = b[j];
    }
}

EXPORT WIDE void br_finish(float *restrict pixels, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride,
                           const float *gains, const float *pedestal, const float *matrix,
                           const float *restrict curve) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t first = 0; first < columns; first += CHUNK) {
            float *at = pixels + i * stride + 3 * first;
            if (columns - first >= CHUNK)
                chunk(at, CHUNK, gains, pedestal, matrix, curve);
            else
                chunk(at, (int)(columns - first), gains, pedestal, matrix, curve);
        }
}

EXPORT WIDE void br_encode(float *restrict values, ptrdiff_t count, const float *restrict curve) {
    for (ptrdiff_t k = 0; k < count; k++)
        values[k] = encoded(curve, values[k]);
}

EXPORT WIDE void br_distance(const uint8_t *restrict image, const uint16_t *restrict mean,
                             const uint16_t *restrict inverse, ptrdiff_t count, const float *scale, const float *offset,
                             float unit, float *restrict out) {
    for (ptrdiff_t k = 0; k < count; k++) {
        float largest = 0;
        for (int c = 0; c < 3; c++) {
            float expected = least((float)mean[3 * k + c] * scale[c] + offset[c], 255);
            float apart = fabsf((float)image[3 * k + c] - expected) * ((float)inverse[3 * k + c] * unit);
            largest = most(apart, largest);
        }
        out[k] = largest;
    }
}

EXPORT WIDE void br_confidence(const float *restrict distance_b, const float *restrict around_b,
                               const float *restrict distance_s, const float *restrict around_s, ptrdiff_t count,
                               float share, float least_sigmas, const uint8_t *restrict table, float steps, float last,
                               uint8_t *restrict out) {
    for (ptrdiff_t k = 0; k < count; k++) {
        float of_b = distance_b[k] / most(around_b[k] * share, least_sigmas);
        float of_s = distance_s[k] / most(around_s[k] * share, least_sigmas);
        out[k] = table[(int32_t)least(most(of_b, of_s) * steps, last)];
    }
}
