#include "producer/pfnc.h"

#include <string.h>

#include "features_generated.h"

size_t pfnc_bytes(uint32_t pixel_format, size_t pixels) {
    switch (pixel_format) {
    case PixelFormat_BayerRG8: return pixels;
    case PixelFormat_BayerRG12p: return pixels / 2 * 3;
    default: return pixels * 2;
    }
}

void pfnc_write(uint32_t pixel_format, const uint16_t *codes, size_t pixels, uint8_t *target) {
    switch (pixel_format) {
    case PixelFormat_BayerRG8:
        for (size_t i = 0; i < pixels; i++)
            target[i] = (uint8_t)(codes[i] >> 4);
        break;
    case PixelFormat_BayerRG12p:
        for (size_t i = 0; i < pixels / 2; i++) {
            unsigned a = codes[2 * i], b = codes[2 * i + 1];
            target[3 * i] = (uint8_t)a;
            target[3 * i + 1] = (uint8_t)((a >> 8 & 0x0F) | (b & 0x0F) << 4);
            target[3 * i + 2] = (uint8_t)(b >> 4);
        }
        break;
    case PixelFormat_BayerRG16:
        for (size_t i = 0; i < pixels; i++) {
            uint16_t wide = (uint16_t)(codes[i] << 4);
            memcpy(target + 2 * i, &wide, sizeof wide); /* the host's buffer may be at any address */
        }
        break;
    default: memcpy(target, codes, pixels * sizeof *codes);
    }
}

void pfnc_align_msb(uint32_t pixel_format, uint8_t *image, size_t pixels) {
    if (pixel_format != PixelFormat_BayerRG12)
        return;
    for (size_t i = 0; i < pixels; i++) {
        uint16_t code;
        memcpy(&code, image + 2 * i, sizeof code);
        code = (uint16_t)(code << 4);
        memcpy(image + 2 * i, &code, sizeof code);
    }
}
