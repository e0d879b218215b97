/* Resampling by splines, and what is done to every pixel after demosaicing, on memory of exactly the size needed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "geometry/geometry.h"
#include "tests.h"

static float *plane(ptrdiff_t height, ptrdiff_t width, int planes) {
    float *image = malloc((size_t)(planes * height * width) * sizeof *image);
    for (ptrdiff_t i = 0; i < planes * height * width; i++)
        image[i] = 0.01f * (float)(i % width) + 0.02f * (float)(i / width % height) + (float)(i / (width * height));
    return image;
}

static float *curve_of_two_thirds(void) {
    float *curve = malloc((CURVE_STEPS + 2) * sizeof *curve);
    for (int k = 0; k < CURVE_STEPS + 2; k++)
        curve[k] = 2 / 3.f * (float)k / CURVE_STEPS;
    return curve;
}

void a_spline_of_a_ramp_is_the_ramp(void) {
    const ptrdiff_t height = 24, width = 70;
    float *image = plane(height, width, 3);
    for (ptrdiff_t columns = 1; columns < 50; columns += 3)
        for (int bent = 0; bent < 2; bent++) {
            float *x = malloc((size_t)columns * sizeof *x), *y = malloc((size_t)columns * sizeof *y);
            float *out = malloc((size_t)columns * 3 * sizeof *out);
            for (ptrdiff_t j = 0; j < columns; j++) {
                x[j] = 4.3f + (float)j * (bent ? 1.15f : 1);
                y[j] = 7.6f + (bent ? 0.11f * (float)j : 0);
            }
            br_spline(image, height, width, 3, x, y, 1, columns, out);
            for (ptrdiff_t k = 0; k < 3 * columns; k++)
                CHECK(fabsf(out[k] - (0.01f * x[k / 3] + 0.02f * y[k / 3] + (float)(k % 3))) < 1e-5f);
            free(out);
            free(y);
            free(x);
        }
    free(image);
}

void a_spline_reads_no_pixel_too_many(void) {
    const float places[] = {0, 0.999999f, 4, 5.5f, -0.3f, 17, -300, 1e9f, -1e30f, INFINITY, -INFINITY, NAN};
    enum { PLACES = sizeof places / sizeof *places, ALL = PLACES * PLACES };
    float *x = malloc(ALL * sizeof *x), *y = malloc(ALL * sizeof *y);
    for (int i = 0; i < ALL; i++) {
        x[i] = places[i % PLACES];
        y[i] = places[i / PLACES];
    }
    for (ptrdiff_t height = 1; height < 24; height += 5)
        for (ptrdiff_t width = 1; width < 24; width += 5)
            for (int channels = 1; channels <= 3; channels += 2) {
                float *image = plane(height, width, channels), *out = malloc((size_t)(ALL * channels) * sizeof *out);
                br_spline(image, height, width, channels, x, y, 1, ALL, out);
                br_spline(image, height, width, channels, x, y, ALL, 1, out);
                for (int k = 0; k < ALL * channels; k++)
                    CHECK(out[k] >= -1e-5f && out[k] < 3.f);
                free(out);
                free(image);
            }
    free(y);
    free(x);
}

void pixels_are_finished_in_place_and_nothing_beside_them(void) {
    const float gains[] = {2, 1, 0.5f}, turn[] = {0, 0, 1, 1, 0, 0, 0, 1, 0}, lift = 0.25f;
    float *curve = curve_of_two_thirds();
    for (ptrdiff_t columns = 1; columns < 140; columns += 23) {
        const ptrdiff_t rows = 3, stride = 3 * columns + 4, all = (rows - 1) * stride + 3 * columns;
        float *pixels = malloc((size_t)all * sizeof *pixels);
        for (ptrdiff_t k = 0; k < all; k++)
            pixels[k] = k % stride < 3 * columns ? 0.8f : 7.f;
        br_finish(pixels, rows, columns, stride, gains, &lift, turn, curve);
        for (ptrdiff_t k = 0; k < all; k++) {
            /* 0.8^2 - 0.25 = 0.39 times 2, 1, 0.5; blue comes first after the turn */
            const float light[] = {0.195f, 0.78f, 0.39f};
            CHECK(fabsf(pixels[k] - (k % stride < 3 * columns ? 2 / 3.f * light[k % stride % 3] : 7.f)) < 1e-4f);
        }
        for (ptrdiff_t k = 0; k < all; k++)
            pixels[k] = 3.f;
        br_finish(pixels, rows, columns, stride, gains, NULL, NULL, NULL);
        for (ptrdiff_t k = 0; k < all; k++)
            CHECK(pixels[k] == (k % stride < 3 * columns ? 1.f : 3.f)); /* cut at white */
        free(pixels);
    }
    free(curve);
}

void the_curve_is_read_within_its_table_whatever_the_light(void) {
    float *curve = curve_of_two_thirds();
    const float light[] = {-1, 0, 0.003f, 0.5f, 1, 1.5f, 1e30f, INFINITY, -INFINITY, NAN};
    const float wanted[] = {0, 0, 0.03876f, 1 / 3.f, 2 / 3.f, 2 / 3.f, 2 / 3.f, 2 / 3.f, 0, 0};
    enum { COUNT = sizeof light / sizeof *light };
    float *values = malloc(sizeof light);
    memcpy(values, light, sizeof light);
    br_encode(values, COUNT, curve);
    for (int k = 0; k < COUNT; k++)
        CHECK(fabsf(values[k] - wanted[k]) < 1e-5f);
    free(values);
    free(curve);
}

void the_channel_furthest_from_the_background_counts(void) {
    enum { COUNT = 37 };
    const float scale[] = {1, 0.5f, 1}, offset[] = {0, 10, 300};
    uint8_t *image = malloc(3 * COUNT);
    uint16_t *mean = malloc(3 * COUNT * sizeof *mean), *inverse = malloc(3 * COUNT * sizeof *inverse);
    float *out = malloc(COUNT * sizeof *out);
    for (int k = 0; k < COUNT; k++) {
        image[3 * k] = (uint8_t)(100 + k);
        image[3 * k + 1] = 60;
        image[3 * k + 2] = 255; /* the background is cut at 255 */
        mean[3 * k] = mean[3 * k + 1] = mean[3 * k + 2] = 100;
        inverse[3 * k] = inverse[3 * k + 1] = inverse[3 * k + 2] = 2000;
    }
    br_distance(image, mean, inverse, COUNT, scale, offset, 0.001f, out);
    for (int k = 0; k < COUNT; k++)
        CHECK(fabsf(out[k] - 2 * (float)k) < 1e-4f);
    free(out);
    free(inverse);
    free(mean);
    free(image);
}

void a_confidence_is_read_within_its_table_whatever_the_distance(void) {
    const float distance[] = {0, 1, 2, 5, 1e30f, INFINITY, NAN}, around[] = {0, 0, 10, 10, 1e30f, INFINITY, NAN};
    enum { COUNT = sizeof distance / sizeof *distance, LAST = 39 };
    uint8_t *table = malloc(LAST + 1), *out = malloc(COUNT);
    float *none = calloc(COUNT, sizeof *none);
    for (int k = 0; k <= LAST; k++)
        table[k] = (uint8_t)k;
    br_confidence(distance, around, none, none, COUNT, 0.5f, 2, table, 10, LAST, out);
    CHECK(out[0] == 0);
    CHECK(out[1] == 5);  /* half of the two sigmas at least */
    CHECK(out[2] == 4);  /* of half of the ten around */
    CHECK(out[3] == 10);
    CHECK(out[4] == 20); /* twice as far as half of what is around */
    for (int k = 5; k < COUNT; k++)
        CHECK(out[k] <= LAST);
    br_confidence(none, none, distance, none, COUNT, 0.5f, 2, table, 10, LAST, out);
    CHECK(out[4] == LAST && out[5] == LAST);
    free(none);
    free(out);
    free(table);
}
