/*
 * Sums over cells for the registration. A smooth map is bilinear within a cell; positions are counted from the cell's
 * own corner of B, so that float32 is enough for the fraction of a pixel. Each cell is worked out alone: the result
 * does not depend on how the cells are shared out to threads.
 */
#include "geometry.h"

#include <math.h>

INLINE ptrdiff_t within(ptrdiff_t value, ptrdiff_t low, ptrdiff_t high) {
    return value < low ? low : value > high ? high : value;
}

typedef struct {
    ptrdiff_t first; /* whole pixel that fractions count from */
    float at, across, down, both;
} Bilinear;

INLINE Bilinear bilinear(const double corner[4], ptrdiff_t last) {
    const double step = 1.0 / (CELL - 1);
    double base = corner[0] > 0 ? floor(corner[0]) : 0; /* also if it is no number */
    Bilinear map = {.first = base < (double)last ? (ptrdiff_t)base : last};
    map.at = (float)(corner[0] - base);
    map.across = (float)((corner[1] - corner[0]) * step);
    map.down = (float)((corner[2] - corner[0]) * step);
    map.both = (float)((corner[3] - corner[2] - corner[1] + corner[0]) * step * step);
    return map;
}

/* Sixteen positions along a row of a cell: the first of the four taps of each, and their weights. */
typedef struct {
    int32_t low[CELL];
    float weight[4][CELL];
} Taps;

INLINE void taps(const Bilinear *map, float row, Taps *restrict taps) {
    const float first = map->at + map->down * row, step = map->across + map->both * row;
    for (int j = 0; j < CELL; j++) {
        float at = first + step * (float)j;
        at = at > -1e6f ? at : -1e6f; /* also if it is no number */
        at = at < 1e6f ? at : 1e6f;
        int32_t whole = (int32_t)at;
        whole -= at < (float)whole;
        float t = at - (float)whole, s = 1 - t;
        float before = s * s * s * (1 / 6.f), after = t * t * t * (1 / 6.f);
        float here = 2 / 3.f - t * t * (1 - 0.5f * t);
        taps->low[j] = whole - 1;
        taps->weight[0][j] = before;
        taps->weight[1][j] = here;
        taps->weight[2][j] = 1 - before - here - after;
        taps->weight[3][j] = after;
    }
}

/* B at sixteen positions. Where all have the same whole displacement, as nearly always, they lie side by side. */
INLINE void sample(const float *restrict image, ptrdiff_t height, ptrdiff_t width, ptrdiff_t column, ptrdiff_t row,
                   const Taps *restrict x, const Taps *restrict y, float *restrict out) {
    const int32_t x0 = x->low[0], y0 = y->low[0];
    ptrdiff_t left = column + x0, top = row + y0;
    int32_t apart = 0;
    for (int j = 0; j < CELL; j++)
        apart |= ((x->low[j] - j) ^ x0) | (y->low[j] ^ y0);
    apart |= left < 0 || top < 0 || left + CELL + 3 > width || top + 4 > height;
    float rows[4][CELL];
    for (int m = 0; m < 4; m++) {
        if (apart) {
            for (int j = 0; j < CELL; j++) {
                const float *from = image + within(row + y->low[j] + m, 0, height - 1) * width;
                ptrdiff_t at = column + x->low[j], last = width - 1;
                rows[m][j] = x->weight[0][j] * from[within(at, 0, last)] + x->weight[1][j] * from[within(at + 1, 0, last)] +
                             x->weight[2][j] * from[within(at + 2, 0, last)] + x->weight[3][j] * from[within(at + 3, 0, last)];
            }
        } else {
            const float *from = image + (top + m) * width + left;
            for (int j = 0; j < CELL; j++)
                rows[m][j] = x->weight[0][j] * from[j] + x->weight[1][j] * from[j + 1] + x->weight[2][j] * from[j + 2] +
                             x->weight[3][j] * from[j + 3];
        }
    }
    for (int j = 0; j < CELL; j++)
        out[j] = y->weight[0][j] * rows[0][j] + y->weight[1][j] * rows[1][j] + y->weight[2][j] * rows[2][j] +
                 y->weight[3][j] * rows[3][j];
}

EXPORT WIDE void br_cell_differences(const float *sharp, const float *coefficients, ptrdiff_t height, ptrdiff_t width,
                                float level, const Cell *cells, ptrdiff_t count, float *restrict differences) {
    for (ptrdiff_t k = 0; k < count; k++) {
        const Cell *cell = &cells[k];
        const float gain = cell->gain, offset = cell->offset;
        Bilinear x = bilinear(cell->x, width), y = bilinear(cell->y, height);
        for (int i = 0; i < CELL; i++, differences += CELL) {
            const float *of_s = sharp + (cell->row + i) * width + cell->column;
            Taps across, down;
            float b[CELL];
            taps(&x, (float)i, &across);
            taps(&y, (float)i, &down);
            sample(coefficients, height, width, x.first, y.first, &across, &down, b);
            for (int j = 0; j < CELL; j++)
                differences[j] = of_s[j] - b[j] - gain * (of_s[j] - level) - offset;
        }
    }
}

EXPORT WIDE void br_cell_sums(const float *sharp, ptrdiff_t width, float scale, float level, const Cell *cells,
                              ptrdiff_t count, const float *differences, float limit, double *sums) {
    const float near = scale * (8 / 12.f), far = scale * (1 / 12.f);
    for (ptrdiff_t k = 0; k < count; k++, sums += SUMS) {
        float total[SUMS][CELL] = {{0}}; /* a column each */
        for (int i = 0; i < CELL; i++, differences += CELL) {
            const float *s = sharp + (cells[k].row + i) * width + cells[k].column;
            const float *up = s - width, *down = s + width, *upper = up - width, *lower = down + width;
            for (int j = 0; j < CELL; j++) {
                float x = near * (s[j + 1] - s[j - 1]) - far * (s[j + 2] - s[j - 2]);
                float y = near * (down[j] - up[j]) - far * (lower[j] - upper[j]);
                float known = differences[j] == differences[j] ? 1.f : 0.f, r = known > 0 ? differences[j] : 0;
                float l = s[j] - level, size = fabsf(r), w = known * limit / (size > limit ? size : limit);
                float wx = w * x, wy = w * y, wl = w * l;
                total[0][j] += wx * x;
                total[1][j] += wx * y;
                total[2][j] += wx * l;
                total[3][j] += wx;
                total[4][j] += wy * y;
                total[5][j] += wy * l;
                total[6][j] += wy;
                total[7][j] += wl * l;
                total[8][j] += wl;
                total[9][j] += w;
                total[10][j] += wx * r;
                total[11][j] += wy * r;
                total[12][j] += wl * r;
                total[13][j] += w * r;
            }
        }
        for (int n = 0; n < SUMS; n++) {
            double sum = 0;
            for (int j = 0; j < CELL; j++)
                sum += (double)total[n][j];
            sums[n] = sum;
        }
    }
}
