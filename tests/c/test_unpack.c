/* The unpackers with buffers of exactly the size they need, so that the sanitizer sees every byte too many. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tests.h"
#include "unpack/unpack.h"

static uint8_t *random_bytes(size_t size) {
    static uint32_t state = 12345;
    uint8_t *bytes = malloc(size ? size : 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

typedef int Unpack(int, const uint8_t *, size_t, size_t, size_t, size_t, int, uint16_t *);

static void exactly(Unpack *unpack, int layout, size_t height, size_t width, size_t padding) {
    size_t row = br_unpack_bytes(layout, width), stride = padding ? row + padding : 0;
    size_t size = stride ? (height - 1) * stride + row : br_unpack_bytes(layout, height * width);
    uint8_t *source = random_bytes(size);
    uint16_t *target = malloc(height * width * sizeof *target);
    CHECK_EQUAL(unpack(layout, source, size, stride, height, width, 0, target), UNPACK_DONE);
    if (size > 0)
        CHECK_EQUAL(unpack(layout, source, size - 1, stride, height, width, 0, target), UNPACK_SHORT);
    free(source);
    free(target);
}

void unpackers_touch_no_byte_too_many(void) {
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (size_t width = 1; width < 40; width++)
            for (size_t height = 1; height < 4; height++)
                for (size_t padding = 0; padding < 3; padding++) {
                    exactly(br_unpack, layout, height, width, padding);
                    exactly(br_unpack_base, layout, height, width, padding);
                }
    uint16_t none;
    CHECK_EQUAL(br_unpack(LAYOUTS, (const uint8_t *)&none, 2, 0, 1, 1, 0, &none), UNPACK_NO_LAYOUT);
    CHECK_EQUAL(br_unpack(-1, (const uint8_t *)&none, 2, 0, 1, 1, 0, &none), UNPACK_NO_LAYOUT);
    CHECK_EQUAL(br_unpack(LAYOUT_12P, NULL, 0, 0, 0, 5, 0, NULL), UNPACK_DONE);
}

void unpackers_agree_with_and_without_vectors(void) {
    enum { CODES = 1003 };
    uint16_t *fast = malloc(CODES * sizeof *fast), *plain = malloc(CODES * sizeof *plain);
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int shift = 0; shift < 5; shift++) {
            size_t size = br_unpack_bytes(layout, CODES);
            uint8_t *source = random_bytes(size + 1); /* from an odd address */
            int expected = br_unpack_base(layout, source + 1, size, 0, 1, CODES, shift, plain);
            CHECK_EQUAL(br_unpack(layout, source + 1, size, 0, 1, CODES, shift, fast), expected);
            CHECK_EQUAL(expected, shift ? UNPACK_BITS_LOST : UNPACK_DONE);
            CHECK(memcmp(fast, plain, CODES * sizeof *fast) == 0);
            free(source);
        }
    free(fast);
    free(plain);
}
