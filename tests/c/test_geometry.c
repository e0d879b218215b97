/* Registration and resampling on images of exactly their size, at positions inside, at the edge and far outside. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "geometry/geometry.h"
#include "tests.h"

static float *ramp(ptrdiff_t height, ptrdiff_t width, int channels) {
    float *image = malloc((size_t)(height * width * channels) * sizeof *image);
    for (ptrdiff_t i = 0; i < height * width * channels; i++)
        image[i] = 0.01f * (float)(i / channels % width) + 0.02f * (float)(i / channels / width);
    return image;
}

static Cell cell_at(int32_t row, int32_t column, double dx, double dy) {
    Cell cell = {.row = row, .column = column};
    for (int k = 0; k < 4; k++) {
        cell.x[k] = column + (k % 2) * (CELL - 1) + dx;
        cell.y[k] = row + (k / 2) * (CELL - 1) + dy;
    }
    return cell;
}

void cells_of_a_ramp_differ_by_its_slope(void) {
    const ptrdiff_t height = 20, width = 24;
    float *image = ramp(height, width, 1), *differences = malloc(CELL_PIXELS * sizeof *differences);
    Cell cell = cell_at(2, 3, 0.75, -0.5);
    br_cell_differences(image, image, height, width, 0, &cell, 1, differences);
    for (int k = 0; k < CELL_PIXELS; k++)
        CHECK(fabs(differences[k] - (-0.75 * 0.01 + 0.5 * 0.02)) < 1e-6);
    double sums[SUMS];
    br_cell_sums(image, width, 1, 0, &cell, 1, differences, 1, sums);
    CHECK(fabs(sums[0] - CELL_PIXELS * 0.01 * 0.01) < 1e-6); /* gx gx */
    CHECK(fabs(sums[4] - CELL_PIXELS * 0.02 * 0.02) < 1e-6); /* gy gy */
    CHECK(fabs(sums[9] - CELL_PIXELS) < 1e-6);
    CHECK(fabs(sums[13] - CELL_PIXELS * 0.0025) < 1e-5);
    free(differences);
    free(image);
}

void cells_far_outside_read_no_pixel_too_many(void) {
    const ptrdiff_t height = 16, width = 17;
    const double places[] = {0, 0.4, -3.2, 9.7, -1e3, 1e5, 1e18, -1e300, INFINITY, -INFINITY, NAN};
    float *image = ramp(height, width, 1), *differences = malloc(CELL_PIXELS * sizeof *differences);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            Cell cell = cell_at(0, 1, places[i], places[j]);
            br_cell_differences(image, image, height, width, 0.5f, &cell, 1, differences);
            cell.x[3] = NAN;
            br_cell_differences(image, image, height, width, 0.5f, &cell, 1, differences);
        }
    free(differences);
    free(image);
}

void a_sinc_reads_no_pixel_too_many(void) {
    float table[(SINC_PHASES + 1) * SINC_TAPS];
    for (int k = 0; k < (SINC_PHASES + 1) * SINC_TAPS; k++)
        table[k] = 1.f / SINC_TAPS;
    const float places[] = {0, 0.999999f, 4, 5.5f, -0.3f, 17, -300, 1e9f, -1e30f, INFINITY, -INFINITY, NAN};
    enum { PLACES = sizeof places / sizeof *places };
    for (ptrdiff_t height = 1; height < 14; height += 3)
        for (ptrdiff_t width = 1; width < 14; width += 4)
            for (int channels = 1; channels <= 3; channels += 2) {
                float *image = ramp(height, width, channels), *out = malloc((size_t)channels * sizeof *out);
                for (int i = 0; i < PLACES * PLACES; i++) {
                    br_sinc(image, height, width, channels, table, &places[i % PLACES], &places[i / PLACES], 1, out);
                    CHECK(out[0] >= -1e-6f && out[0] < 0.5f);
                }
                free(out);
                free(image);
            }
}
