/* Resampling by a windowed sinc: ten by ten taps a pixel, the phases from a table. */
#include "geometry.h"

#define BEFORE 4 /* taps left of the pixel's whole position */

/* The first tap at a position, and all weights. */
INLINE ptrdiff_t taps(const float *table, float position, float weight[SINC_TAPS]) {
    float known = position > -1e6f && position < 1e6f ? position : 0;
    float whole = floorf(known), at = (known - whole) * SINC_PHASES;
    int phase = (int)at < SINC_PHASES ? (int)at : SINC_PHASES - 1;
    float part = at - (float)phase;
    const float *low = table + phase * SINC_TAPS, *high = low + SINC_TAPS;
    for (int n = 0; n < SINC_TAPS; n++)
        weight[n] = low[n] + part * (high[n] - low[n]);
    return (ptrdiff_t)whole - BEFORE;
}

INLINE void inside(const float *first, ptrdiff_t stride, int channels,
                                                         const float wx[SINC_TAPS], const float wy[SINC_TAPS],
                                                         float *out) {
    float lane[3 * SINC_TAPS] = {0};
    const int lanes = channels * SINC_TAPS;
    for (int i = 0; i < SINC_TAPS; i++, first += stride)
        for (int n = 0; n < lanes; n++)
            lane[n] += wy[i] * first[n];
    for (int c = 0; c < channels; c++) {
        float sum = 0;
        for (int j = 0; j < SINC_TAPS; j++)
            sum += wx[j] * lane[j * channels + c];
        out[c] = sum;
    }
}

static void at_edge(const float *image, ptrdiff_t height, ptrdiff_t width, int channels, ptrdiff_t row,
                    ptrdiff_t column, const float wx[SINC_TAPS], const float wy[SINC_TAPS], float *out) {
    for (int c = 0; c < channels; c++) {
        float sum = 0;
        for (int j = 0; j < SINC_TAPS; j++) {
            float lane = 0;
            ptrdiff_t x = mirrored(column + j, width);
            for (int i = 0; i < SINC_TAPS; i++)
                lane += wy[i] * image[(mirrored(row + i, height) * width + x) * channels + c];
            sum += wx[j] * lane;
        }
        out[c] = sum;
    }
}

EXPORT WIDE void br_sinc(const float *image, ptrdiff_t height, ptrdiff_t width, int channels, const float *table,
                    const float *x, const float *y, ptrdiff_t count, float *out) {
    for (ptrdiff_t k = 0; k < count; k++, out += channels) {
        float wx[SINC_TAPS], wy[SINC_TAPS];
        ptrdiff_t column = taps(table, x[k], wx), row = taps(table, y[k], wy);
        if (column < 0 || row < 0 || column + SINC_TAPS > width || row + SINC_TAPS > height)
            at_edge(image, height, width, channels, row, column, wx, wy, out);
        else if (channels == 3)
            inside(image + (row * width + column) * 3, width * 3, 3, wx, wy, out);
        else
            inside(image + row * width + column, width, 1, wx, wy, out);
    }
}
