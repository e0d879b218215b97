/* The camera's worker thread: lets the sensor's time pass, fills buffers, and runs the automatic functions. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "producer/camera.h"
#include "producer/pfnc.h"
#include "producer/sensor.h"
#include "protocol.h"

#define AUTO_TARGET_DN 1200.0 /* mean code above black that ExposureAuto and GainAuto aim at */
#define AUTO_TOLERANCE 0.05
#define AUTO_LARGEST_STEP 4.0
#define AUTO_GRID 32 /* samples in each direction */

size_t settings_image_bytes(const Settings *settings) {
    return pfnc_bytes(settings->pixel_format, (size_t)settings->width * settings->height);
}

/* ---- automatic functions ---- */

/* Mean code above black of a grid of samples; both coordinates step oddly, so that all Bayer colours are met. */
static double mean_above_black(const Camera *camera, const Frame *frame) {
    const uint16_t *pixels = world_pixels(camera, frame->slot);
    const Settings *settings = &frame->settings;
    double sum = 0;
    for (uint32_t i = 0; i < AUTO_GRID; i++)
        for (uint32_t j = 0; j < AUTO_GRID; j++) {
            uint32_t x = (uint32_t)((uint64_t)settings->width * j / AUTO_GRID + (i & 1));
            uint32_t y = (uint32_t)((uint64_t)settings->height * i / AUTO_GRID + (j & 1));
            sum += pixels != NULL ? pixels[(size_t)y * settings->width + x] : pattern_code(frame, x, y);
        }
    return sum / (AUTO_GRID * AUTO_GRID) - settings->black_level_dn;
}

static const FeatureEntry *entry_at(uint32_t address) {
    size_t i = 0;
    while (feature_table[i].address != address)
        i++;
    return &feature_table[i];
}

static double clamped(uint32_t address, double value) {
    const FeatureEntry *entry = entry_at(address);
    return fmin(fmax(value, entry->minimum), entry->maximum);
}

static void adjust(Camera *camera, const Frame *frame) {
    int32_t exposure_auto = register_enum(camera, REG_ExposureAuto), gain_auto = register_enum(camera, REG_GainAuto);
    if (exposure_auto == ExposureAuto_Off && gain_auto == GainAuto_Off)
        return;
    double mean = mean_above_black(camera, frame);
    double factor = fmin(fmax(AUTO_TARGET_DN / fmax(mean, 1.0), 1 / AUTO_LARGEST_STEP), AUTO_LARGEST_STEP);
    if (fabs(mean / AUTO_TARGET_DN - 1) < AUTO_TOLERANCE) {
        if (exposure_auto == ExposureAuto_Once)
            register_set_enum(camera, REG_ExposureAuto, ExposureAuto_Off);
        if (gain_auto == GainAuto_Once)
            register_set_enum(camera, REG_GainAuto, GainAuto_Off);
        return;
    }
    /* From what this frame had, not from what is set now: frames in flight were made with older settings. */
    if (exposure_auto != ExposureAuto_Off) {
        double wanted_us = (double)(frame->end_ns - frame->start_ns) / 1000.0 * factor;
        double applied_us = nearbyint(clamped(REG_ExposureTime, wanted_us));
        register_set_float(camera, REG_ExposureTime, applied_us);
        factor = wanted_us / applied_us; /* what the exposure time cannot give is left to the gain */
    }
    if (gain_auto != GainAuto_Off)
        register_set_float(camera, REG_Gain, clamped(REG_Gain, frame->settings.gain_db + 20 * log10(factor)));
}

/* ---- delivery ---- */

/* Without the lock: nobody else touches a buffer that is being filled, nor the pixels of its frame. */
static void fill(const Camera *camera, Buffer *buffer) {
    const Frame *frame = &buffer->frame;
    const uint16_t *pixels = world_pixels(camera, frame->slot);
    buffer->image_bytes = settings_image_bytes(&frame->settings);
    buffer->incomplete = frame->failed || settings_payload_bytes(&frame->settings) > buffer->size;
    buffer->filled_bytes = 0;
    if (buffer->incomplete) {
        buffer->image_bytes = 0;
        return;
    }
    if (pixels != NULL)
        pfnc_write(frame->settings.pixel_format, pixels, (size_t)frame->settings.width * frame->settings.height,
                   buffer->base);
    else
        pattern_render(frame, buffer->base);
    if (quirk(QUIRK_msb_aligned))
        pfnc_align_msb(frame->settings.pixel_format, buffer->base,
                       (size_t)frame->settings.width * frame->settings.height);
    buffer->filled_bytes = buffer->image_bytes;
    chunks_write(buffer);
}

static void deliver(Camera *camera) {
    Stream *stream = &camera->stream;
    Frame *frame = sensor_oldest(camera);
    uint16_t item;
    if (!stream->grabbing || stream->frames_to_go == 0 || fault_of_delivery(camera, frame)) {
        sensor_drop_oldest(camera);
        return;
    }
    if (!queue_pop(&stream->input, &item)) {
        stream->underruns++;
        sensor_drop_oldest(camera);
        return;
    }
    Buffer *buffer = &stream->buffers[item];
    buffer->state = BUFFER_FILLING;
    buffer->frame = *frame;
    stream->filling = true;
    pthread_mutex_unlock(&camera->lock);
    fill(camera, buffer);
    pthread_mutex_lock(&camera->lock);
    stream->filling = false;
    if (!frame->failed)
        adjust(camera, frame);
    if (frame->fault == BRW_REPEAT)
        frame->fault = 0; /* once more */
    else
        sensor_drop_oldest(camera);
    buffer->filled = true;
    buffer->state = BUFFER_OUTPUT;
    queue_push(&stream->output, item);
    stream->delivered++;
    stream->fired++;
    if (stream->frames_to_go != GENTL_INFINITE)
        stream->frames_to_go--;
    camera_changed(camera);
}

void *worker_run(void *argument) {
    Camera *camera = argument;
    pthread_mutex_lock(&camera->lock);
    while (!camera->stop_worker) {
        int64_t now = monotonic_ns();
        int64_t next = sensor_advance(camera, now);
        fault_reorder(camera, now);
        const Frame *oldest = sensor_oldest(camera);
        if (oldest != NULL && oldest->rendered && oldest->ready_ns <= now) {
            deliver(camera);
            continue;
        }
        if (oldest != NULL && oldest->rendered && oldest->ready_ns < next)
            next = oldest->ready_ns;
        struct timespec until = {.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000};
        if (next == NEVER)
            pthread_cond_wait(&camera->changed, &camera->lock);
        else
            pthread_cond_timedwait(&camera->changed, &camera->lock, &until);
    }
    pthread_mutex_unlock(&camera->lock);
    return NULL;
}
