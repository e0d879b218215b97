/* The per-pixel work of the virtual sensors: spline sampling, exact motion integrals, photons to codes.
 *
 * Three entry points, all on plain arrays, called by rig/virtual/kernel.py through ctypes (which releases
 * the GIL). No allocation, no global state, no I/O. Bayer pattern everywhere: RGGB, decided by the parity of
 * the *sensor* coordinates, so that an even ROI offset keeps the pattern.
 *
 * Noise is a function of (key, sensor pixel) alone: two calls with one key give the same frame whatever the
 * ROI, the thread or the instruction set (the build must not contract a*b+c: -ffp-contract=off).
 */
#include "sensor.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

enum { BLOCK = 256, TABLE_BITS = 12, TABLE_MASK = (1 << TABLE_BITS) - 1 };

static inline int bayer_channel(int64_t x, int64_t y)
{
    return (int)(x & 1) + (int)(y & 1); /* R=0, Gr=Gb=1, B=2 for RGGB */
}

static inline int64_t clampi(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : (v > hi ? hi : v);
}

/* Cubic B-spline weights at the fraction f in [0, 1) for the taps -1, 0, 1, 2. */
static inline void cubic_weights(double f, double w[4])
{
    const double g = 1.0 - f;
    w[0] = g * g * g / 6.0;
    w[1] = 2.0 / 3.0 - 0.5 * f * f * (2.0 - f);
    w[2] = 2.0 / 3.0 - 0.5 * g * g * (2.0 - g);
    w[3] = f * f * f / 6.0;
}

/* Quartic B-spline weights at f in [-0.5, 0.5] for the taps -2 .. 2: the integral of a cubic spline. */
static inline void quartic_weights(double f, double w[5])
{
    const double a = 0.5 - f, b = 0.5 + f, q = f * f;
    const double l = 1.0 + f, r = 1.0 - f;
    w[0] = a * a * a * a / 24.0;
    w[1] = 55.0 / 96.0 + l * (5.0 / 24.0 + l * (-1.25 + l * (5.0 / 6.0 - l / 6.0)));
    w[2] = 115.0 / 192.0 + q * (-0.625 + 0.25 * q);
    w[3] = 55.0 / 96.0 + r * (5.0 / 24.0 + r * (-1.25 + r * (5.0 / 6.0 - r / 6.0)));
    w[4] = b * b * b * b / 24.0;
}

/* Sample three spline planes (coefficients, float32, src_h x src_w each) at the Bayer pixels of a sensor.
 *
 * Pixel (x, y) of rows y0 .. y0+rows-1 reads its own channel at (x + dx + ox, y + dy + oy) * scale; dx, dy
 * (rows x width, or NULL for zero) are the camera's misregistration. out: rows x width. */
CLONES void br_bayer_sample(const float *planes, int64_t src_h, int64_t src_w, const float *dx, const float *dy,
                            int64_t y0, int64_t rows, int64_t width, double scale, double ox, double oy,
                            float *out)
{
    for (int64_t j = 0; j < rows; j++) {
        for (int64_t x = 0; x < width; x++) {
            const int64_t at = j * width + x;
            const double sx = ((double)x + (dx ? (double)dx[at] : 0.0) + ox) * scale;
            const double sy = ((double)(y0 + j) + (dy ? (double)dy[at] : 0.0) + oy) * scale;
            const double fx = floor(sx), fy = floor(sy);
            const int64_t ix = (int64_t)fx, iy = (int64_t)fy;
            const float *plane = planes + (ptrdiff_t)bayer_channel(x, y0 + j) * src_h * src_w;
            double wx[4], wy[4], sum = 0.0;
            cubic_weights(sx - fx, wx);
            cubic_weights(sy - fy, wy);
            for (int k = 0; k < 4; k++) {
                const float *row = plane + clampi(iy - 1 + k, 0, src_h - 1) * src_w;
                double line = 0.0;
                for (int i = 0; i < 4; i++)
                    line += wx[i] * (double)row[clampi(ix - 1 + i, 0, src_w - 1)];
                sum += wy[k] * line;
            }
            out[at] = sum > 0.0 ? (float)sum : 0.0f;
        }
    }
}

/* Four doubles as one vector, at any address of doubles. */
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));

/* Integrals along u of four splines whose running sums of coefficients are `sums` (nv x nu x 4), at (u, rows
 * iv-1 .. iv+2 with weights wv); added to mean[0..3] with the factor `part`. The four lie side by side so that one
 * vector instruction serves all. */
static inline void add_integrals(const double *sums, int64_t nu, int64_t nv, double u, int64_t iv, const double wv[4],
                                 double part, double *mean)
{
    const double t = u - 0.5, near = floor(t + 0.5);
    const int64_t iu = (int64_t)near - 2;
    double wu[5];
    four total = {0.0, 0.0, 0.0, 0.0};
    if (iu + 4 < 0)
        return;
    quartic_weights(t - near, wu);
    for (int k = 0; k < 4; k++) {
        const int64_t v = iv - 1 + k;
        four line = {0.0, 0.0, 0.0, 0.0};
        if (v < 0 || v >= nv)
            continue;
        if (iu >= 0 && iu + 4 < nu) {
            const double *at = sums + (v * nu + iu) * 4;
            const four *tap = (const four *)at; /* unrolled by hand: gcc does not */
            line = wu[0] * tap[0] + wu[1] * tap[1] + wu[2] * tap[2] + wu[3] * tap[3] + wu[4] * tap[4];
        } else {
            for (int i = iu < 0 ? (int)-iu : 0; i < 5; i++)
                line += wu[i] * *(const four *)(sums + (v * nu + clampi(iu + i, 0, nu - 1)) * 4);
        }
        total += wv[k] * line;
    }
    for (int c = 0; c < 4; c++)
        mean[c] += part * total[c];
}

/* Lay a moving object over a frame of rates: rate = rate * (1 - A) + C * gain, A and C the means over the
 * exposure of opacity and of premultiplied radiance.
 *
 * cumulative: nv x nu x 4 running sums along u of the spline coefficients (R, G, B premultiplied; alpha).
 * The sprite's sample (0, 0) lies at distance `a` along the path (direction cos, sin; in pixels of the ideal
 * grid) and at `v0` across it; it goes from a[i] to b[i] > a[i] (order does not matter) in the i-th of `pieces`
 * straight pieces of the exposure, which makes the fraction share[i] of it. alpha_out (NULL or h x w): A. */
CLONES void br_compose(float *rate, const float *gain, int64_t width, int64_t x0, int64_t y0, int64_t w, int64_t h,
                       const float *dx, const float *dy, const double *cumulative, int64_t nu, int64_t nv,
                       double cosine, double sine, double v0, const double *a, const double *b, const double *share,
                       int64_t pieces, float *alpha_out)
{
    for (int64_t y = y0; y < y0 + h; y++) {
        for (int64_t x = x0; x < x0 + w; x++) {
            const int64_t at = y * width + x;
            const double px = (double)x + (dx ? (double)dx[at] : 0.0);
            const double py = (double)y + (dy ? (double)dy[at] : 0.0);
            const double u = px * cosine + py * sine;
            const double v = py * cosine - px * sine - v0;
            const double fv = floor(v);
            double wv[4], mean[4] = {0.0, 0.0, 0.0, 0.0};
            if (!(v > -2.0 && v < (double)nv + 1.0)) {
                if (alpha_out)
                    alpha_out[(y - y0) * w + (x - x0)] = 0.0f;
                continue;
            }
            cubic_weights(v - fv, wv);
            for (int64_t i = 0; i < pieces; i++) {
                const double part = share[i] / (b[i] - a[i]);
                add_integrals(cumulative, nu, nv, u - a[i], (int64_t)fv, wv, part, mean);
                add_integrals(cumulative, nu, nv, u - b[i], (int64_t)fv, wv, -part, mean);
            }
            const double mean_alpha = mean[3] < 0.0 ? 0.0 : (mean[3] > 1.0 ? 1.0 : mean[3]);
            if (alpha_out)
                alpha_out[(y - y0) * w + (x - x0)] = (float)mean_alpha;
            if (rate) {
                const double lit = (double)rate[at] * (1.0 - mean_alpha) + mean[bayer_channel(x, y)] * (double)gain[at];
                rate[at] = lit > 0.0 ? (float)lit : 0.0f;
            }
        }
    }
}

/* A 32-bit mix with full avalanche: two multiply-xorshift rounds over the pixel and both halves of the key. */
static inline uint32_t mix(uint32_t pixel, uint32_t low, uint32_t high)
{
    uint32_t v = pixel * UINT32_C(0x9E3779B1) ^ low;
    v ^= v >> 16;
    v *= UINT32_C(0x7FEB352D);
    v ^= v >> 15;
    v += high;
    v *= UINT32_C(0x846CA68B);
    v ^= v >> 16;
    v *= UINT32_C(0xC2B2AE3D);
    v ^= v >> 15;
    return v;
}

/* Poisson draw by inversion: the smallest k with CDF(k) >= uniform. For small means. */
static inline float poisson(double mean, double uniform)
{
    if (uniform <= 1.0 - mean) /* exp(-m) >= 1 - m: nearly every pixel of a dark frame */
        return 0.0f;
    double p = exp(-mean), cdf = p;
    int k = 0;
    while (uniform > cdf && k < 255) {
        k++;
        p *= mean / (double)k;
        cdf += p;
    }
    return (float)k;
}

/* Rates to codes. rate: e-/s of a full sensor, `width` a row; the ROI (x0, y0, w, h) goes to out (h x w).
 *
 * electrons = photons + dark current (Poisson) + read noise, clipped at full_well; above `few` e- the law is
 * the normal one with its first Cornish-Fisher term, which has the mean, variance and skewness of the true one;
 * code = round(electrons * gain + black) in 0 .. max_code. table: 4096 quantiles of a normal law of variance
 * 1/2; two draws from it, added, make the unit normal. */
CLONES void br_expose(const float *rate, int64_t width, int64_t x0, int64_t y0, int64_t w, int64_t h,
                      double exposure_s, double dark_e, double read_e, double full_well_e, double gain, double black,
                      int64_t max_code, uint64_t key, const float *table, uint16_t *out)
{
    const uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
    const float t = (float)exposure_s, dark = (float)dark_e, well = (float)full_well_e, g = (float)gain;
    const float read = (float)read_e, read2 = (float)(read_e * read_e), few = 10.0f, tiny = 1e-6f;
    const float offset = (float)black + 0.5f, top = (float)max_code + 0.5f;
    for (int64_t j = 0; j < h; j++) {
        const float *line = rate + (y0 + j) * width + x0;
        uint16_t *codes = out + j * w;
        for (int64_t start = 0; start < w; start += BLOCK) {
            const int64_t n = w - start < BLOCK ? w - start : BLOCK;
            const uint32_t first = (uint32_t)((y0 + j) * width + x0 + start);
            uint32_t random[BLOCK];
            float mean[BLOCK], unit[BLOCK];
            int dim = 0;
            for (int64_t i = 0; i < n; i++) {
                random[i] = mix(first + (uint32_t)i, low, high);
                mean[i] = line[start + i] * t + dark;
                dim |= mean[i] < few;
            }
            for (int64_t i = 0; i < n; i++)
                unit[i] = table[random[i] & TABLE_MASK] + table[(random[i] >> TABLE_BITS) & TABLE_MASK];
            for (int64_t i = 0; i < n; i++) {
                const float variance = mean[i] + read2, z = unit[i];
                float e = mean[i] + z * sqrtf(variance) + (z * z - 1.0f) * mean[i] / (6.0f * variance + tiny);
                e = e < well ? e : well;
                float code = e * g + offset;
                code = code > 0.0f ? code : 0.0f;
                code = code < top ? code : top;
                codes[start + i] = (uint16_t)(int32_t)code;
            }
            if (!dim)
                continue;
            for (int64_t i = 0; i < n; i++) {
                if (mean[i] >= few)
                    continue;
                const uint32_t again = mix(first + (uint32_t)i, ~high, low);
                float e = poisson((double)mean[i], ((double)again + 0.5) * (1.0 / 4294967296.0)) + unit[i] * read;
                float code = e * g + offset;
                code = code > 0.0f ? code : 0.0f;
                code = code < top ? code : top;
                codes[start + i] = (uint16_t)(int32_t)code;
            }
        }
    }
}
