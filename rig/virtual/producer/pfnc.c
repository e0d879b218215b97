#include "producer/pfnc.h"

#include <string.h>

#include "features_generated.h"

size_t pfnc_bytes(uint32_t pixel_format, size_t pixels) {
    return pixels * (pixel_format >> 16 & 0xFF) / 8; /* PFNC: bits a pixel in the value itself */
}

/* The host's buffer may be at any address. */
static void put_16(uint8_t *target, unsigned code) {
    uint16_t wide = (uint16_t)code;
    memcpy(target, &wide, sizeof wide);
}

static void put_10p(const uint16_t *codes, uint8_t *target) {
    uint64_t group = 0;
    for (unsigned i = 0; i < 4; i++)
        group |= (uint64_t)(codes[i] >> 2) << 10 * i;
    for (unsigned i = 0; i < 5; i++)
        target[i] = (uint8_t)(group >> 8 * i);
}

static void put_12p(unsigned a, unsigned b, uint8_t *target) {
    target[0] = (uint8_t)a;
    target[1] = (uint8_t)((a >> 8 & 0x0F) | (b & 0x0F) << 4);
    target[2] = (uint8_t)(b >> 4);
}

/* GigE Vision: the high bytes first and last, what is left of both between them. */
static void put_packed(unsigned a, unsigned b, unsigned low_bits, uint8_t *target) {
    unsigned low = (1u << low_bits) - 1;
    target[0] = (uint8_t)(a >> low_bits);
    target[1] = (uint8_t)((a & low) | (b & low) << 4);
    target[2] = (uint8_t)(b >> low_bits);
}

void pfnc_write(uint32_t pixel_format, const uint16_t *codes, size_t pixels, uint8_t *target) {
    switch (pixel_format) {
    case PixelFormat_BayerRG8:
        for (size_t i = 0; i < pixels; i++)
            target[i] = (uint8_t)(codes[i] >> 4);
        break;
    case PixelFormat_BayerRG10:
        for (size_t i = 0; i < pixels; i++)
            put_16(target + 2 * i, codes[i] >> 2);
        break;
    case PixelFormat_BayerRG10p:
        for (size_t i = 0; i < pixels; i += 4)
            put_10p(codes + i, target + i / 4 * 5);
        break;
    case PixelFormat_BayerRG10Packed:
        for (size_t i = 0; i < pixels; i += 2)
            put_packed(codes[i] >> 2, codes[i + 1] >> 2, 2, target + i / 2 * 3);
        break;
    case PixelFormat_BayerRG12p:
        for (size_t i = 0; i < pixels; i += 2)
            put_12p(codes[i], codes[i + 1], target + i / 2 * 3);
        break;
    case PixelFormat_BayerRG12Packed:
        for (size_t i = 0; i < pixels; i += 2)
            put_packed(codes[i], codes[i + 1], 4, target + i / 2 * 3);
        break;
    case PixelFormat_BayerRG16:
        for (size_t i = 0; i < pixels; i++)
            put_16(target + 2 * i, codes[i] << 4);
        break;
    default: memcpy(target, codes, pixels * sizeof *codes);
    }
}

void pfnc_align_msb(uint32_t pixel_format, uint8_t *image, size_t pixels) {
    unsigned shift = pixel_format == PixelFormat_BayerRG10 ? 6 : 4;
    if (pixel_format != PixelFormat_BayerRG10 && pixel_format != PixelFormat_BayerRG12)
        return;
    for (size_t i = 0; i < pixels; i++) {
        uint16_t code;
        memcpy(&code, image + 2 * i, sizeof code);
        code = (uint16_t)(code << shift);
        memcpy(image + 2 * i, &code, sizeof code);
    }
}
