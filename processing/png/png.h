/* The compressed part of a PNG file, for photographs: noise repeats nothing, so nothing is searched for. */
#ifndef BEAMRIG_PNG_H
#define BEAMRIG_PNG_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that `br_png_deflate` may need at most for an image. */
size_t br_png_room(size_t height, size_t row_bytes);

/*
 * Filter the rows of an image and write them as a zlib stream: Huffman codes of single bytes, made anew every few rows.
 *
 * pixels: height rows of row_bytes each, without gaps; samples of two bytes in this machine's order.
 * pixel_bytes: of one pixel, for the filter.
 * sample_bytes: 1 or 2.
 *
 * Returns the bytes written to out; 0 when room is less than `br_png_room` or memory is short. The same image always
 * gives the same bytes.
 */
size_t br_png_deflate(const void *pixels, size_t height, size_t row_bytes, size_t pixel_bytes, int sample_bytes,
                      uint8_t *out, size_t room);

#endif
