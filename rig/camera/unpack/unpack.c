/*
 * Unpackers of RAW pixels. Eight codes of every packed layout start at a whole byte and lie within 16 bytes, so one
 * byte shuffle brings both bytes of each code into its lane of 16 bits; a multiplication by a power of two is the
 * shift by a different amount in each lane that SSE and NEON lack for 16 bits. What is left at the end of a row goes
 * through a plain bit reader, which is also all there is on machines without the shuffle.
 */
#include "unpack.h"

#include <stdbool.h>
#include <string.h>

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#define EXPORT __attribute__((visibility("default")))
#else
#define INLINE static inline
#define EXPORT
#endif

#if defined(__has_builtin) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#if __has_builtin(__builtin_shufflevector)
#define VECTORS 1
#endif
#endif

static const uint8_t bits_of[LAYOUTS] = {16, 16, 10, 12, 14, 12, 12}; /* of the buffer, per code */

/* ---- one code after the other ---- */

INLINE uint16_t code_at(int layout, const uint8_t *source, size_t index) {
    const uint8_t *pair = source + index / 2 * 3;
    unsigned odd = index & 1;
    switch (layout) {
    case LAYOUT_16: return (uint16_t)(source[2 * index] | source[2 * index + 1] << 8);
    case LAYOUT_16_BIG: return (uint16_t)(source[2 * index] << 8 | source[2 * index + 1]);
    case LAYOUT_10PACKED: return (uint16_t)(pair[2 * odd] << 2 | (pair[1] >> 4 * odd & 0x3));
    case LAYOUT_12PACKED: return (uint16_t)(pair[2 * odd] << 4 | (pair[1] >> 4 * odd & 0xF));
    default: break;
    }
    unsigned bits = bits_of[layout], at = (unsigned)(index * bits % 8);
    const uint8_t *first = source + index * bits / 8;
    uint32_t window = first[0] | (uint32_t)first[1] << 8;
    if (at + bits > 16)
        window |= (uint32_t)first[2] << 16;
    return (uint16_t)(window >> at & ((1u << bits) - 1));
}

/* ---- eight codes at once ---- */

#ifdef VECTORS
typedef uint8_t Bytes __attribute__((vector_size(16)));
typedef uint16_t Codes __attribute__((vector_size(16)));

#define ZERO 16 /* index of a zero byte */
#define LANES(bytes, ...) ((Codes)__builtin_shufflevector(bytes, (Bytes){0}, __VA_ARGS__))

#define PAIRS(even, odd) ((Codes){even, odd, even, odd, even, odd, even, odd})

INLINE Codes eight(int layout, Bytes b) {
    Codes both;
    switch (layout) {
    case LAYOUT_10P: /* at bits 0, 2, 4, 6 of their first byte: moved to the top, then down */
        return LANES(b, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9) * (Codes){64, 16, 4, 1, 64, 16, 4, 1} >> 6;
    case LAYOUT_12P:
        return LANES(b, 0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11) * PAIRS(16, 1) >> 4;
    case LAYOUT_14P: { /* at bits 0, 6, 4, 2: three bytes, so the first one and the two above it apart */
        const Codes up = {256, 4, 16, 64, 256, 4, 16, 64};
        Codes first = LANES(b, 0, ZERO, 1, ZERO, 3, ZERO, 5, ZERO, 7, ZERO, 8, ZERO, 10, ZERO, 12, ZERO);
        Codes above = LANES(b, 1, ZERO, 2, 3, 4, 5, 6, ZERO, 8, ZERO, 9, 10, 11, 12, 13, ZERO);
        return (above * up | first * up >> 8) & 0x3FFF;
    }
    case LAYOUT_10PACKED: /* each lane has its own byte on top and the shared one below */
        both = LANES(b, 1, 0, 1, 2, 4, 3, 4, 5, 7, 6, 7, 8, 10, 9, 10, 11);
        return (both >> 6 & 0x3FC) | both * PAIRS(1 << 14, 1 << 10) >> 14;
    case LAYOUT_12PACKED:
        both = LANES(b, 1, 0, 1, 2, 4, 3, 4, 5, 7, 6, 7, 8, 10, 9, 10, 11);
        return (both >> 4 & PAIRS(0xFF0, 0xFFF)) | (both & PAIRS(0xF, 0));
    case LAYOUT_16_BIG: return LANES(b, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    default: return (Codes)b; /* LAYOUT_16 */
    }
}

/* Whole groups of eight codes as long as 16 bytes are left to read. Returns the codes written. */
INLINE size_t groups(int layout, bool shifted, const uint8_t *source, size_t bytes, size_t codes, int shift,
                     uint16_t *target, uint16_t *lost) {
    const size_t group = bits_of[layout];
    if (bytes < sizeof(Bytes))
        return 0;
    size_t here = codes / 8, readable = (bytes - sizeof(Bytes)) / group + 1, count = here < readable ? here : readable;
    Codes dropped = {0}, mask = (Codes){0} + (uint16_t)((1u << shift) - 1);
    for (size_t i = 0; i < count; i++, source += group) {
        Bytes loaded;
        memcpy(&loaded, source, sizeof loaded);
        Codes unpacked = eight(layout, loaded);
        if (shifted) {
            dropped |= unpacked & mask;
            unpacked >>= shift;
        }
        memcpy(target + 8 * i, &unpacked, sizeof unpacked);
    }
    for (int i = 0; i < 8; i++)
        *lost |= dropped[i];
    return 8 * count;
}

/* The layout a constant in each call, so that each gets a loop of its own. */
#define CASE(layout)                                                                           \
    case layout:                                                                               \
        return shift ? groups(layout, true, source, bytes, codes, shift, target, lost)         \
                     : groups(layout, false, source, bytes, codes, shift, target, lost)

INLINE size_t by_eight(int layout, const uint8_t *source, size_t bytes, size_t codes, int shift, uint16_t *target,
                       uint16_t *lost) {
    switch (layout) {
        CASE(LAYOUT_16);
        CASE(LAYOUT_16_BIG);
        CASE(LAYOUT_10P);
        CASE(LAYOUT_12P);
        CASE(LAYOUT_14P);
        CASE(LAYOUT_10PACKED);
        CASE(LAYOUT_12PACKED);
    default: return 0;
    }
}
#else
INLINE size_t by_eight(int layout, const uint8_t *source, size_t bytes, size_t codes, int shift, uint16_t *target,
                       uint16_t *lost) {
    (void)layout, (void)source, (void)bytes, (void)codes, (void)shift, (void)target, (void)lost;
    return 0;
}
#endif

/* ---- rows and frames ---- */

/* Write one row; returns every bit that the shift dropped. */
INLINE uint16_t row(bool vectors, int layout, const uint8_t *source, size_t bytes, size_t codes, int shift,
                    uint16_t *target) {
    uint16_t lost = 0, dropped = (uint16_t)((1u << shift) - 1);
    size_t done = vectors ? by_eight(layout, source, bytes, codes, shift, target, &lost) : 0;
    for (; done < codes; done++) {
        uint16_t code = code_at(layout, source, done);
        lost |= code & dropped;
        target[done] = (uint16_t)(code >> shift);
    }
    return lost;
}

typedef struct {
    int layout, shift;
    const uint8_t *source;
    size_t stride, row_bytes, height, width;
    uint16_t *target;
} Frame;

INLINE uint16_t frame(bool vectors, const Frame *f) {
    uint16_t lost = 0;
    for (size_t y = 0; y < f->height; y++)
        lost |= row(vectors, f->layout, f->source + y * f->stride, f->row_bytes, f->width, f->shift,
                    f->target + y * f->width);
    return lost;
}

#if defined(VECTORS) && defined(__x86_64__)
/* The byte shuffle came after SSE2, which is all that a program for every x86-64 may use unasked. */
__attribute__((target("avx2"))) static uint16_t frame_avx2(const Frame *f) {
    return frame(true, f);
}

__attribute__((target("ssse3"))) static uint16_t frame_ssse3(const Frame *f) {
    return frame(true, f);
}

static uint16_t frame_base(const Frame *f) {
    return frame(false, f);
}

static uint16_t frame_best(const Frame *f) {
    if (__builtin_cpu_supports("avx2"))
        return frame_avx2(f);
    return __builtin_cpu_supports("ssse3") ? frame_ssse3(f) : frame_base(f);
}
#else
static uint16_t frame_base(const Frame *f) {
    return frame(false, f);
}

static uint16_t frame_best(const Frame *f) {
    return frame(true, f);
}
#endif

EXPORT size_t br_unpack_bytes(int layout, size_t codes) {
    return layout < 0 || layout >= LAYOUTS ? 0 : (codes * bits_of[layout] + 7) / 8;
}

static int unpack(uint16_t (*way)(const Frame *), int layout, const uint8_t *source, size_t source_bytes,
                  size_t stride, size_t height, size_t width, int shift, uint16_t *target) {
    if (layout < 0 || layout >= LAYOUTS || shift < 0 || shift > 15)
        return UNPACK_NO_LAYOUT;
    if (height == 0 || width == 0)
        return UNPACK_DONE;
    if (stride == 0) { /* one long row */
        width *= height;
        height = 1;
    }
    Frame f = {layout, shift, source, stride, br_unpack_bytes(layout, width), height, width, target};
    if ((height > 1 && stride < f.row_bytes) || (height - 1) * stride + f.row_bytes > source_bytes)
        return UNPACK_SHORT;
    return way(&f) ? UNPACK_BITS_LOST : UNPACK_DONE;
}

EXPORT int br_unpack(int layout, const uint8_t *source, size_t source_bytes, size_t stride, size_t height,
                     size_t width, int shift, uint16_t *target) {
    return unpack(frame_best, layout, source, source_bytes, stride, height, width, shift, target);
}

EXPORT int br_unpack_base(int layout, const uint8_t *source, size_t source_bytes, size_t stride, size_t height,
                          size_t width, int shift, uint16_t *target) {
    return unpack(frame_base, layout, source, source_bytes, stride, height, width, shift, target);
}
