/* Resampling by cubic B-splines: four by four coefficients a pixel, sixteen pixels of a row at a time. */
#include "geometry.h"

enum { BLOCK = 16 };

INLINE void weights(float t, float *w0, float *w1, float *w2, float *w3) {
    float s = 1 - t;
    *w0 = s * s * s * (1 / 6.f);
    *w1 = 2 / 3.f - t * t * (1 - 0.5f * t);
    *w3 = t * t * t * (1 / 6.f);
    *w2 = 1 - *w0 - *w1 - *w3;
}

/* One pixel, wherever it is. */
static float anywhere(const float *plane, ptrdiff_t height, ptrdiff_t width, int32_t left, int32_t top,
                      const float wx[4], const float wy[4]) {
    float sum = 0;
    if (left >= 0 && top >= 0 && left + 4 <= width && top + 4 <= height) {
        const float *r0 = plane + top * width + left, *r1 = r0 + width, *r2 = r1 + width, *r3 = r2 + width;
        for (int n = 0; n < 4; n++)
            sum += wx[n] * (wy[0] * r0[n] + wy[1] * r1[n] + wy[2] * r2[n] + wy[3] * r3[n]);
        return sum;
    }
    for (int n = 0; n < 4; n++) {
        ptrdiff_t x = mirrored(left + n, width);
        float lane = 0;
        for (int m = 0; m < 4; m++)
            lane += wy[m] * plane[mirrored(top + m, height) * width + x];
        sum += wx[n] * lane;
    }
    return sum;
}

/* `used` pixels, 16 at most, side by side in a row of the result. */
INLINE void block(const float *planes, ptrdiff_t height, ptrdiff_t width, int channels, const float *x, const float *y,
                  ptrdiff_t used, float *restrict out) {
    float wx[4][BLOCK], wy[4][BLOCK], line[3][BLOCK];
    int32_t left[BLOCK], top[BLOCK], apart = 0;
    for (int j = 0; j < BLOCK; j++) {
        ptrdiff_t k = j < used ? j : used - 1;
        left[j] = whole(x[k]);
        top[j] = whole(y[k]);
        wx[0][j] = x[k] > -FAR && x[k] < FAR ? x[k] - (float)left[j] : 0;
        wy[0][j] = y[k] > -FAR && y[k] < FAR ? y[k] - (float)top[j] : 0;
    }
    for (int j = 0; j < BLOCK; j++) {
        apart |= (left[j] - j - left[0]) | (top[j] - top[0]);
        weights(wx[0][j], &wx[0][j], &wx[1][j], &wx[2][j], &wx[3][j]);
        weights(wy[0][j], &wy[0][j], &wy[1][j], &wy[2][j], &wy[3][j]);
    }
    const ptrdiff_t column = left[0] - 1, row = top[0] - 1, size = height * width;
    if (apart || column < 0 || row < 0 || column + BLOCK + 3 > width || row + 4 > height) {
        for (ptrdiff_t j = 0; j < used; j++) {
            const float of_x[4] = {wx[0][j], wx[1][j], wx[2][j], wx[3][j]};
            const float of_y[4] = {wy[0][j], wy[1][j], wy[2][j], wy[3][j]};
            for (int c = 0; c < channels; c++)
                out[j * channels + c] =
                    anywhere(planes + c * size, height, width, left[j] - 1, top[j] - 1, of_x, of_y);
        }
        return;
    }
    for (int c = 0; c < channels; c++) {
        const float *r0 = planes + c * size + row * width + column, *r1 = r0 + width, *r2 = r1 + width, *r3 = r2 + width;
        for (int j = 0; j < BLOCK; j++) {
            float sum = 0;
            for (int n = 0; n < 4; n++)
                sum += wx[n][j] * (wy[0][j] * r0[j + n] + wy[1][j] * r1[j + n] + wy[2][j] * r2[j + n] +
                                   wy[3][j] * r3[j + n]);
            line[c][j] = sum;
        }
    }
    if (channels == 1)
        for (int j = 0; j < BLOCK; j++)
            out[j] = line[0][j];
    else
        for (int j = 0; j < BLOCK; j++)
            for (int c = 0; c < 3; c++)
                out[3 * j + c] = line[c][j];
}

EXPORT WIDE void br_spline(const float *planes, ptrdiff_t height, ptrdiff_t width, int channels, const float *x,
                           const float *y, ptrdiff_t rows, ptrdiff_t columns, float *restrict out) {
    for (ptrdiff_t i = 0; i < rows; i++) {
        const float *of_x = x + i * columns, *of_y = y + i * columns;
        float *row = out + i * columns * channels;
        for (ptrdiff_t j = 0; j < columns; j += BLOCK) {
            ptrdiff_t used = columns - j < BLOCK ? columns - j : BLOCK;
            if (used == BLOCK) {
                if (channels == 3)
                    block(planes, height, width, 3, of_x + j, of_y + j, BLOCK, row + 3 * j);
                else
                    block(planes, height, width, 1, of_x + j, of_y + j, BLOCK, row + j);
                continue;
            }
            float last[3 * BLOCK];
            block(planes, height, width, channels, of_x + j, of_y + j, used, last);
            for (ptrdiff_t k = 0; k < used * channels; k++)
                row[j * channels + k] = last[k];
        }
    }
}
