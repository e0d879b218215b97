/* What registration, resampling, colour and masks do per pixel. Images are float32 in rows without gaps. */
#ifndef BEAMRIG_GEOMETRY_H
#define BEAMRIG_GEOMETRY_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

/* A second copy with wider vectors where the processor has them; without fused steps, so both give the same bits. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && !defined(SANITIZED)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum {
    CELL = 16,          /* side of a cell of registration, px */
    CELL_PIXELS = 256,
    SUMS = 14,          /* weighted products over a cell, see br_cell_sums */
    SINC_TAPS = 10,
    SINC_PHASES = 256,
    CURVE_STEPS = 32768 /* of light from black to white in the table of the sRGB curve above its foot */
};

#define FAR 1e6f /* px, more than any map reaches */

/* The whole number at or below a position. */
INLINE int32_t whole(float at) {
    at = at > -FAR ? at : -FAR; /* also if it is no number */
    at = at < FAR ? at : FAR;
    int32_t down = (int32_t)at;
    return down - (at < (float)down);
}

/* Beyond an image's border is its mirror about the pixel at the border. */
static inline ptrdiff_t mirrored(ptrdiff_t index, ptrdiff_t side) {
    if (side == 1)
        return 0;
    ptrdiff_t period = 2 * (side - 1);
    index %= period;
    if (index < 0)
        index += period;
    return index < side ? index : period - index;
}

/* A cell of S, and where its corners lie in B: upper left, upper right, lower left, lower right. */
typedef struct {
    int32_t row, column; /* of its first pixel */
    float gain, offset;  /* what S - B is brighter by: gain * (S - level) + offset */
    double x[4], y[4];
} Cell;

/* S - B of every pixel of `cells`, 256 each, B taken from its cubic B-spline coefficients. */
void br_cell_differences(const float *sharp, const float *coefficients, ptrdiff_t height, ptrdiff_t width, float level,
                         const Cell *cells, ptrdiff_t count, float *differences);

/* Huber-weighted sums over each cell: of xx, xy, xl, x1, yy, yl, y1, ll, l1, 11 and x, y, l, 1 times the difference,
 * for the derivatives x and y of `sharp`, times `scale`, and light l = sharp - level; the weight is 1 up to
 * |difference| = limit, and 0 where the difference is no number. Two pixels around each cell must be there. */
void br_cell_sums(const float *sharp, ptrdiff_t width, float scale, float level, const Cell *cells, ptrdiff_t count,
                  const float *differences, float limit, double *sums);

/* `count` pixels at (x, y) px of an image of 1 or 3 channels by a kernel of 10 taps: table[phase][tap] at 257 phases
 * from 0 to 1, linear in between. Outside the image is its mirror. */
void br_sinc(const float *image, ptrdiff_t height, ptrdiff_t width, int channels, const float *table, const float *x,
             const float *y, ptrdiff_t count, float *out);

/* `rows` by `columns` pixels at (x, y) px of an image, from its cubic B-spline coefficients: 1 or 3 planes one after the
 * other. The result has its channels side by side. Outside the image is its mirror. */
void br_spline(const float *planes, ptrdiff_t height, ptrdiff_t width, int channels, const float *x, const float *y,
               ptrdiff_t rows, ptrdiff_t columns, float *out);

/* RGB pixels in place, rows `stride` floats apart: squared less the pedestal (where one is given), times gains, cut at
 * white, then the 3x3 colour map and the sRGB curve where they are given; the curve as CURVE_STEPS + 2 values. */
void br_finish(float *pixels, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride, const float *gains,
               const float *pedestal, const float *matrix, const float *curve);

/* The curve alone, on `count` values in place. */
void br_encode(float *values, ptrdiff_t count, const float *curve);

/* How many sigma `count` RGB pixels are off a background, in the channel that is furthest: |image - min(mean * scale +
 * offset, 255)| * inverse * unit. */
void br_distance(const uint8_t *image, const uint16_t *mean, const uint16_t *inverse, ptrdiff_t count,
                 const float *scale, const float *offset, float unit, float *out);

/* table[score * steps], up to table[last], of `count` pixels: the score is the larger one of both cameras' distance over
 * a share of the largest distance around, or over `least_sigmas` where that is more. */
void br_confidence(const float *distance_b, const float *around_b, const float *distance_s, const float *around_s,
                   ptrdiff_t count, float share, float least_sigmas, const uint8_t *table, float steps, float last,
                   uint8_t *out);

#endif
