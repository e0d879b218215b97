/*
 * The built-in pattern, for unit tests and benchmarks: every pixel follows from the frame's own numbers.
 *
 *   k(x, y, n)  = (x + 2 y + 16 n) mod 2048          x, y on the sensor (offsets included), n = frame id
 *   light       = k * exposure_ns div 10 000 000     10 ms show the bare ramp
 *   code        = min(4095, black + (light * gain_q16 div 65536))
 *   gain_q16    = round(65536 * 10^(gain_db / 20)),  black = round(BlackLevel)
 *
 * Diagonal stripes that move left by 16 pixels a frame, get brighter with exposure and gain, and saturate like a sensor.
 * One row of codes holds all rows of the image as windows, so that a frame costs little more than a memcpy.
 */
#include <math.h>
#include <string.h>

#include "producer/camera.h"
#include "producer/pfnc.h"

#define PERIOD 2048
#define WIDEST 2448

typedef struct {
    int64_t exposure_ns, gain_q16, black;
} Response;

static Response response_of(const Frame *frame) {
    return (Response){
        .exposure_ns = frame->end_ns - frame->start_ns,
        .gain_q16 = llround(65536.0 * pow(10.0, frame->settings.gain_db / 20.0)),
        .black = llround(frame->settings.black_level_dn),
    };
}

static uint16_t code_of(const Response *response, int64_t k) {
    int64_t light = k * response->exposure_ns / 10000000;
    int64_t code = response->black + (light * response->gain_q16 >> 16);
    return (uint16_t)(code < 4095 ? code : 4095);
}

static uint64_t phase_of(const Frame *frame, uint32_t y) {
    return (frame->settings.offset_x + 2 * (uint64_t)(frame->settings.offset_y + y) + 16 * frame->id) % PERIOD;
}

uint32_t pattern_code(const Frame *frame, uint32_t x, uint32_t y) {
    Response response = response_of(frame);
    return code_of(&response, (int64_t)((phase_of(frame, y) + x) % PERIOD));
}

void pattern_render(const Frame *frame, uint8_t *target) {
    uint16_t codes[PERIOD + WIDEST + 4];
    uint8_t rows[2][2 * (PERIOD + WIDEST)];
    Response response = response_of(frame);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        codes[i] = i < PERIOD ? code_of(&response, (int64_t)i) : codes[i - PERIOD];
    uint32_t format = frame->settings.pixel_format;
    size_t row_bytes = pfnc_bytes(format, frame->settings.width);
    /*
     * Phases are even (increments of the offsets, 2 y, 16 n), but four codes of BayerRG10p share five bytes: a second
     * row that begins two codes later, so that every window starts at a whole byte of one of them.
     */
    for (size_t i = 0; i < 2; i++)
        pfnc_write(format, codes + 2 * i, PERIOD + WIDEST, rows[i]);
    for (uint32_t y = 0; y < frame->settings.height; y++) {
        uint64_t phase = phase_of(frame, y);
        memcpy(target + y * row_bytes, rows[phase / 2 & 1] + pfnc_bytes(format, phase & ~(uint64_t)3), row_bytes);
    }
}
