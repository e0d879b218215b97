/* The PNG encoder with buffers of exactly the room it asks for, so that the sanitizer sees every byte too many. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "png/png.h"
#include "tests.h"

static uint32_t next(uint32_t *state) { return *state = *state * 1664525 + 1013904223; }

/* Bytes from even (spread 0) to nearly always the same (spread 24): rare ones ask for codes that are too long. */
static void fill(uint8_t *bytes, size_t size, unsigned spread, uint32_t *state) {
    for (size_t i = 0; i < size; i++) {
        uint32_t value = next(state) >> 8;
        bytes[i] = (uint8_t)(value & 0xFF);
        for (unsigned j = 0; j < spread && bytes[i]; j++)
            bytes[i] = next(state) >> 31 ? bytes[i] >> 1 : bytes[i];
    }
}

static void exactly(size_t height, size_t row_bytes, size_t pixel_bytes, int sample_bytes, unsigned spread) {
    static uint32_t state = 4711;
    size_t size = height * row_bytes, room = br_png_room(height, row_bytes);
    uint8_t *pixels = malloc(size), *out = malloc(room), *again = malloc(room);
    fill(pixels, size, spread, &state);
    size_t used = br_png_deflate(pixels, height, row_bytes, pixel_bytes, sample_bytes, out, room);
    CHECK(used > 0 && used <= room);
    CHECK_EQUAL((out[0] << 8 | out[1]) % 31, 0);
    CHECK_EQUAL(br_png_deflate(pixels, height, row_bytes, pixel_bytes, sample_bytes, again, room), used);
    CHECK_EQUAL(memcmp(out, again, used), 0);
    CHECK_EQUAL(br_png_deflate(pixels, height, row_bytes, pixel_bytes, sample_bytes, out, room - 1), 0);
    free(pixels);
    free(out);
    free(again);
}

void the_png_encoder_stays_within_its_room(void) {
    for (unsigned spread = 0; spread < 25; spread += 6) {
        for (size_t width = 1; width < 12; width++)
            for (size_t height = 1; height < 5; height++) {
                exactly(height, width, 1, 1, spread);
                exactly(height, 6 * width, 6, 2, spread);
            }
        exactly(60, 4800, 6, 2, spread); /* several bands */
        exactly(2, 300000, 3, 1, spread); /* a row longer than a band */
    }
    uint8_t none[64];
    CHECK_EQUAL(br_png_deflate(none, 0, 4, 1, 1, none, sizeof none), 0);
}
