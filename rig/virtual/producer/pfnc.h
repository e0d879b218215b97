/* Pixel formats: from 12-bit codes in uint16 to what travels. */
#ifndef BEAMRIG_PFNC_H
#define BEAMRIG_PFNC_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of `pixels` (a multiple of 4) in that PFNC pixel format. */
size_t pfnc_bytes(uint32_t pixel_format, size_t pixels);

/*
 * Write `pixels` (a multiple of 4) codes 0..4095 in that PFNC pixel format:
 *   BayerRG8         code >> 4
 *   BayerRG10        code >> 2, uint16, low bits
 *   BayerRG10p       of those, four in five bytes, least significant bit first
 *   BayerRG10Packed  of those, two in three bytes (GigE Vision): a[9:2], b[1:0] at bit 4 and a[1:0] at bit 0, b[9:2]
 *   BayerRG12        code, uint16, low bits
 *   BayerRG12p       two codes in three bytes: a[7:0], b[3:0] a[11:8], b[11:4]
 *   BayerRG12Packed  two codes in three bytes (GigE Vision): a[11:4], b[3:0] a[3:0], b[11:4]
 *   BayerRG16        code << 4, so that full scale is 65520
 */
void pfnc_write(uint32_t pixel_format, const uint16_t *codes, size_t pixels, uint8_t *target);

/* A quirk: shift codes of less than 16 bits in 16-bit containers to the top; other formats stay. */
void pfnc_align_msb(uint32_t pixel_format, uint8_t *image, size_t pixels);

#endif
