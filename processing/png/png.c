/*
 * A PNG encoder's inner part for photographs. A search for repeats finds none in sensor noise and takes nearly all the
 * time of other encoders; here every byte is a literal. Rows are filtered in bands that stay in the cache; each band is
 * a deflate block with Huffman codes of its own, at most 12 bits long, so that four of them fit into one store.
 */
#include "png.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

enum {
    SYMBOLS = 257,      /* 256 bytes and the end of the block */
    END = 256,
    LONGEST = 12,       /* bits of a code: 4 * 12 + 7 bits fit into 64 */
    BAND_BYTES = 1 << 17,
    HEADER_BYTES = 160, /* of a block: 3 + 14 + 19 * 3 + 258 * 4 bits, the end and what is left of a store */
    AVERAGE = 3,        /* of PNG's filters the one that leaves the least of a noisy photograph */
    ADLER_BASE = 65521,
    ADLER_RUN = 5552,   /* bytes whose sums fit into 32 bits */
};

/* ---- the rows ---- */

static void big_endian(const uint8_t *row, size_t bytes, int sample_bytes, uint8_t *out) {
    const uint16_t probe = 1;
    if (sample_bytes == 1 || *(const uint8_t *)&probe == 0) {
        memcpy(out, row, bytes);
        return;
    }
    for (size_t i = 0; i + 1 < bytes; i += 2) {
        uint16_t sample;
        memcpy(&sample, row + i, 2);
        sample = (uint16_t)(sample << 8 | sample >> 8);
        memcpy(out + i, &sample, 2);
    }
}

/* Write the filter's number and the differences to the mean of the pixels at the left and above. */
static void filter(const uint8_t *restrict row, const uint8_t *restrict above, size_t bytes, size_t pixel_bytes,
                   uint8_t *restrict out) {
    *out++ = AVERAGE;
    size_t first = pixel_bytes < bytes ? pixel_bytes : bytes;
    for (size_t i = 0; i < first; i++)
        out[i] = (uint8_t)(row[i] - (above[i] >> 1));
    for (size_t i = first; i < bytes; i++)
        out[i] = (uint8_t)(row[i] - ((row[i - pixel_bytes] + above[i]) >> 1));
}

static uint32_t adler32(uint32_t adler, const uint8_t *data, size_t bytes) {
    uint32_t a = adler & 0xFFFF, b = adler >> 16;
    while (bytes > 0) {
        uint32_t n = bytes < ADLER_RUN ? (uint32_t)bytes : ADLER_RUN, sum = 0, weighted = 0;
        for (uint32_t i = 0; i < n; i++) {
            sum += data[i];
            weighted += (n - i) * data[i];
        }
        b = (uint32_t)((b + (uint64_t)n * a + weighted) % ADLER_BASE);
        a = (a + sum) % ADLER_BASE;
        data += n;
        bytes -= n;
    }
    return b << 16 | a;
}

/* ---- Huffman codes ---- */

typedef struct {
    uint32_t count;
    uint16_t symbol;
} Leaf;

static int by_count(const void *left, const void *right) {
    const Leaf *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return (int)a->symbol - (int)b->symbol;
}

static void count_bytes(const uint8_t *data, size_t bytes, uint32_t counts[SYMBOLS]) {
    static const size_t lanes = 4; /* neighbours are often equal, and would wait for each other's sum */
    uint32_t of[4][256] = {{0}};
    size_t i = 0;
    for (; i + lanes <= bytes; i += lanes)
        for (size_t lane = 0; lane < lanes; lane++)
            of[lane][data[i + lane]]++;
    for (; i < bytes; i++)
        of[0][data[i]]++;
    for (size_t symbol = 0; symbol < 256; symbol++)
        counts[symbol] = of[0][symbol] + of[1][symbol] + of[2][symbol] + of[3][symbol];
    counts[END] = 1;
}

/* Lengths of the best codes by Moffat and Katajainen's in-place method; at least two leaves, sorted by count. */
static void best_lengths(const Leaf *leaves, int n, uint8_t *lengths) {
    uint32_t a[SYMBOLS] = {0};
    for (int i = 0; i < n; i++)
        a[i] = leaves[i].count;
    int root = 0, leaf = 2, next;
    a[0] += a[1];
    for (next = 1; next < n - 1; next++) {
        if (leaf >= n || a[root] < a[leaf]) {
            a[next] = a[root];
            a[root++] = (uint32_t)next;
        } else
            a[next] = a[leaf++];
        if (leaf >= n || (root < next && a[root] < a[leaf])) {
            a[next] += a[root];
            a[root++] = (uint32_t)next;
        } else
            a[next] += a[leaf++];
    }
    a[n - 2] = 0;
    for (next = n - 3; next >= 0; next--)
        a[next] = a[a[next]] + 1;
    int available = 1, used = 0, depth = 0;
    root = n - 2;
    next = n - 1;
    while (available > 0) {
        while (root >= 0 && (int)a[root] == depth) {
            used++;
            root--;
        }
        while (available > used) {
            lengths[next--] = (uint8_t)(depth > 255 ? 255 : depth);
            available--;
        }
        available = 2 * used;
        depth++;
        used = 0;
    }
}

/* Shorten codes beyond LONGEST, and lengthen others until all fit; lengths fall from the first leaf to the last. */
static void limit_lengths(uint8_t *lengths, int n) {
    uint32_t taken = 0; /* of the 2^LONGEST codes of full length */
    for (int i = 0; i < n; i++) {
        if (lengths[i] > LONGEST)
            lengths[i] = LONGEST;
        taken += 1u << (LONGEST - lengths[i]);
    }
    for (int i = 0; i < n && taken > 1u << LONGEST; i++)
        while (lengths[i] < LONGEST && taken > 1u << LONGEST)
            taken -= 1u << (LONGEST - ++lengths[i]);
    for (int i = n - 1; i >= 0; i--) /* give back what was too much, to the most frequent first */
        while (lengths[i] > 1 && taken + (1u << (LONGEST - lengths[i])) <= 1u << LONGEST)
            taken += 1u << (LONGEST - lengths[i]--);
}

/* Make canonical codes (RFC 1951, 3.2.2), bit-reversed as deflate writes them. */
static void make_codes(const uint32_t counts[SYMBOLS], uint8_t lengths[SYMBOLS], uint16_t codes[SYMBOLS]) {
    Leaf leaves[SYMBOLS];
    uint8_t sorted[SYMBOLS];
    int n = 0;
    for (int symbol = 0; symbol < SYMBOLS; symbol++)
        if (counts[symbol] > 0)
            leaves[n++] = (Leaf){counts[symbol], (uint16_t)symbol};
    qsort(leaves, (size_t)n, sizeof *leaves, by_count);
    best_lengths(leaves, n, sorted);
    limit_lengths(sorted, n);
    memset(lengths, 0, SYMBOLS);
    uint16_t of_length[LONGEST + 1] = {0}, next[LONGEST + 2] = {0};
    for (int i = 0; i < n; i++) {
        lengths[leaves[i].symbol] = sorted[i];
        of_length[sorted[i]]++;
    }
    for (int bits = 1; bits <= LONGEST; bits++)
        next[bits + 1] = (uint16_t)((next[bits] + of_length[bits]) << 1);
    for (int symbol = 0; symbol < SYMBOLS; symbol++) {
        unsigned bits = lengths[symbol], code = bits ? next[bits]++ : 0, reversed = 0;
        for (unsigned i = 0; i < bits; i++)
            reversed |= (code >> i & 1) << (bits - 1 - i);
        codes[symbol] = (uint16_t)reversed;
    }
}

/* ---- bits ---- */

typedef struct {
    uint8_t *at;
    uint64_t bits;
    unsigned held;
} Writer;

static inline void spill(Writer *w) {
    for (unsigned i = 0; i < 8; i++) /* one store where the machine is little-endian */
        w->at[i] = (uint8_t)(w->bits >> 8 * i);
    w->at += w->held >> 3;
    w->bits >>= w->held & ~7u;
    w->held &= 7;
}

static inline void put(Writer *w, uint32_t value, unsigned bits) {
    w->bits |= (uint64_t)value << w->held;
    w->held += bits;
}

static void write_block(Writer *writer, const uint8_t *data, size_t bytes, bool last) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint32_t counts[SYMBOLS], table[256];
    uint8_t lengths[SYMBOLS];
    uint16_t codes[SYMBOLS];
    count_bytes(data, bytes, counts);
    make_codes(counts, lengths, codes);
    Writer w = *writer;
    put(&w, last, 1);
    put(&w, 2, 2);            /* codes of its own */
    put(&w, SYMBOLS - 257, 5);
    put(&w, 0, 5);            /* one distance code, of no bits: nothing refers back */
    put(&w, 19 - 4, 4);
    spill(&w);
    for (int i = 0; i < 19; i++) { /* the lengths 0 to 15 are themselves codes of four bits */
        put(&w, order[i] < 16 ? 4 : 0, 3);
        spill(&w);
    }
    for (int symbol = 0; symbol <= SYMBOLS; symbol++) {
        unsigned length = symbol < SYMBOLS ? lengths[symbol] : 0;
        put(&w, (length & 1) << 3 | (length & 2) << 1 | (length & 4) >> 1 | (length & 8) >> 3, 4);
        spill(&w);
    }
    for (int byte = 0; byte < 256; byte++)
        table[byte] = (uint32_t)codes[byte] | (uint32_t)lengths[byte] << 16;
    size_t i = 0;
    for (; i + 4 <= bytes; i += 4) {
        uint32_t a = table[data[i]], b = table[data[i + 1]], c = table[data[i + 2]], d = table[data[i + 3]];
        uint64_t ab = (a & 0xFFFF) | (uint64_t)(b & 0xFFFF) << (a >> 16);
        uint64_t cd = (c & 0xFFFF) | (uint64_t)(d & 0xFFFF) << (c >> 16);
        unsigned bits_ab = (a >> 16) + (b >> 16), bits_cd = (c >> 16) + (d >> 16);
        w.bits |= (ab | cd << bits_ab) << w.held;
        w.held += bits_ab + bits_cd;
        spill(&w);
    }
    for (; i < bytes; i++) {
        put(&w, table[data[i]] & 0xFFFF, table[data[i]] >> 16);
        spill(&w);
    }
    put(&w, codes[END], lengths[END]);
    spill(&w);
    *writer = w;
}

/* ---- the stream ---- */

static size_t rows_in_band(size_t row_bytes) {
    size_t rows = BAND_BYTES / (row_bytes + 1);
    return rows ? rows : 1;
}

EXPORT size_t br_png_room(size_t height, size_t row_bytes) {
    size_t bands = height / rows_in_band(row_bytes) + 1;
    return height * (row_bytes + 1) / 2 * 3 + height + bands * HEADER_BYTES + 32;
}

EXPORT size_t br_png_deflate(const void *pixels, size_t height, size_t row_bytes, size_t pixel_bytes,
                             int sample_bytes, uint8_t *out, size_t room) {
    size_t band = rows_in_band(row_bytes), line = row_bytes + 1;
    if (height == 0 || row_bytes == 0 || room < br_png_room(height, row_bytes))
        return 0;
    uint8_t *memory = malloc(2 * row_bytes + band * line);
    if (memory == NULL)
        return 0;
    uint8_t *row = memory, *above = memory + row_bytes, *filtered = memory + 2 * row_bytes;
    memset(above, 0, row_bytes);
    Writer w = {out, 0, 0};
    put(&w, 0x0178, 16); /* deflate with a window of 32 KiB, fastest */
    spill(&w);
    uint32_t adler = 1;
    for (size_t first = 0; first < height; first += band) {
        size_t rows = height - first < band ? height - first : band;
        for (size_t i = 0; i < rows; i++) {
            const uint8_t *source = (const uint8_t *)pixels + (first + i) * row_bytes;
            big_endian(source, row_bytes, sample_bytes, row);
            filter(row, above, row_bytes, pixel_bytes, filtered + i * line);
            uint8_t *swap = row;
            row = above;
            above = swap;
        }
        adler = adler32(adler, filtered, rows * line);
        write_block(&w, filtered, rows * line, first + rows == height);
    }
    free(memory);
    put(&w, 0, (8 - w.held) & 7);
    spill(&w);
    for (int shift = 24; shift >= 0; shift -= 8)
        *w.at++ = (uint8_t)(adler >> shift);
    return (size_t)(w.at - out);
}
