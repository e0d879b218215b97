/* From the bytes of a camera's buffer to codes of 16 bits, in one pass. */
#ifndef BEAMRIG_UNPACK_H
#define BEAMRIG_UNPACK_H

#include <stddef.h>
#include <stdint.h>

enum {
    LAYOUT_16,       /* two bytes a code, least significant first */
    LAYOUT_16_BIG,   /* two bytes a code, most significant first */
    LAYOUT_10P,      /* PFNC: codes follow each other without gaps, least significant bit first */
    LAYOUT_12P,
    LAYOUT_14P,
    LAYOUT_10PACKED, /* GigE Vision 1.x: two codes in three bytes, their low bits in the middle one */
    LAYOUT_12PACKED,
    LAYOUTS
};

enum { UNPACK_DONE = 0, UNPACK_NO_LAYOUT = -1, UNPACK_SHORT = -2, UNPACK_BITS_LOST = -3 };

/* Bytes that `codes` codes of a layout take when they follow each other; no code shares its byte with the next row. */
size_t br_unpack_bytes(int layout, size_t codes);

/*
 * Write height * width codes, shifted down by `shift` bits.
 *
 * stride: bytes from one row to the next; 0 where rows follow each other without a gap, and then a row may start in
 * the middle of a byte. Nothing is read behind source + source_bytes nor written behind the last code.
 *
 * Returns UNPACK_DONE; UNPACK_NO_LAYOUT; UNPACK_SHORT, when source_bytes are too few (nothing is written);
 * UNPACK_BITS_LOST, when a bit that the shift drops was set: the codes are written and must not be used.
 */
int br_unpack(int layout, const uint8_t *source, size_t source_bytes, size_t stride, size_t height, size_t width,
              int shift, uint16_t *target);

/* The same without vectors, as on a machine that lacks them; for tests. */
int br_unpack_base(int layout, const uint8_t *source, size_t source_bytes, size_t stride, size_t height, size_t width,
                   int shift, uint16_t *target);

#endif
