/*
 * Sums over cells for the registration. A smooth map is bilinear within a cell; positions are counted from the cell's
 * own corner of B, so that float32 is enough for the fraction of a pixel. Each cell is worked out alone: the result
 * does not depend on how the cells are shared out to threads.
 */
#include "geometry.h"

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

/* Sixteen positions along a row of a cell: first + j * step. */
typedef struct {
    float first, step;
    int32_t low; /* whole part of the first */
} Along;

INLINE Along along(const Bilinear *map, float row) {
    Along line = {.first = map->at + map->down * row, .step = map->across + map->both * row};
    line.low = whole(line.first);
    return line;
}

INLINE void spline(float t, float weight[4]) {
    float s = 1 - t;
    weight[0] = s * s * s * (1 / 6.f);
    weight[1] = 2 / 3.f - t * t * (1 - 0.5f * t);
    weight[3] = t * t * t * (1 / 6.f);
    weight[2] = 1 - weight[0] - weight[1] - weight[3];
}

/* B at one position, wherever it is. */
INLINE float anywhere(const float *image, ptrdiff_t height, ptrdiff_t width, ptrdiff_t column, ptrdiff_t row, float x,
                      float y) {
    int32_t left = whole(x), top = whole(y);
    float wx[4], wy[4], sum = 0;
    spline(x > -FAR && x < FAR ? x - (float)left : 0, wx);
    spline(y > -FAR && y < FAR ? y - (float)top : 0, wy);
    for (int m = 0; m < 4; m++) {
        const float *from = image + within(row + top - 1 + m, 0, height - 1) * width;
        for (int n = 0; n < 4; n++)
            sum += wy[m] * wx[n] * from[within(column + left - 1 + n, 0, width - 1)];
    }
    return sum;
}

/* B at sixteen positions. Where all have the same whole displacement, as nearly always, they lie side by side. */
INLINE void sample(const float *restrict image, ptrdiff_t height, ptrdiff_t width, ptrdiff_t column, ptrdiff_t row,
                   Along x, Along y, float *restrict out) {
    const int last = CELL - 1;
    ptrdiff_t left = column + x.low - 1, top = row + y.low - 1;
    int together = whole(x.first + x.step * (float)last) == x.low + last && whole(y.first + y.step * (float)last) == y.low;
    if (!together || left < 0 || top < 0 || left + CELL + 3 > width || top + 4 > height) {
        for (int j = 0; j < CELL; j++)
            out[j] = anywhere(image, height, width, column, row, x.first + x.step * (float)j, y.first + y.step * (float)j);
        return;
    }
    const float *r0 = image + top * width + left, *r1 = r0 + width, *r2 = r1 + width, *r3 = r2 + width;
    const float x0 = x.first - (float)x.low, y0 = y.first - (float)y.low, dx = x.step - 1;
    for (int j = 0; j < CELL; j++) {
        float wx[4], wy[4], sum = 0;
        spline(x0 + dx * (float)j, wx);
        spline(y0 + y.step * (float)j, wy);
        for (int n = 0; n < 4; n++)
            sum += wx[n] * (wy[0] * r0[j + n] + wy[1] * r1[j + n] + wy[2] * r2[j + n] + wy[3] * r3[j + n]);
        out[j] = sum;
    }
}

EXPORT WIDE void br_cell_differences(const float *sharp, const float *coefficients, ptrdiff_t height, ptrdiff_t width,
                                float level, const Cell *cells, ptrdiff_t count, float *restrict differences) {
    for (ptrdiff_t k = 0; k < count; k++) {
        const Cell *cell = &cells[k];
        const float gain = cell->gain, offset = cell->offset;
        Bilinear x = bilinear(cell->x, width), y = bilinear(cell->y, height);
        for (int i = 0; i < CELL; i++, differences += CELL) {
            const float *of_s = sharp + (cell->row + i) * width + cell->column;
            float b[CELL];
            sample(coefficients, height, width, x.first, y.first, along(&x, (float)i), along(&y, (float)i), b);
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
