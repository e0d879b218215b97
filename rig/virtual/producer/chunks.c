/*
 * What travels behind the image.
 *
 * GenTL lets a producer say where each chunk lies. Hosts do not ask for that with GigE Vision and USB3 Vision: there
 * they find the chunks themselves, from the end of the buffer backwards. Each is followed by its id and its length,
 * big endian with GigE Vision and little endian with USB3 Vision; the image is the first chunk.
 */
#include <arpa/inet.h>
#include <string.h>

#include "producer/camera.h"

enum { IMAGE_CHUNK_ID = 0x1000, TAG_BYTES = 8, ALIGNMENT = 4 };

static bool big_endian(void) {
    return strcmp(personality.tl_type, "GEV") == 0;
}

static bool tagged(void) {
    return big_endian() || strcmp(personality.tl_type, "U3V") == 0;
}

size_t settings_payload_bytes(const Settings *settings) {
    size_t image = settings_image_bytes(settings);
    if (!settings->chunk_mode)
        return image;
    if (!tagged())
        return image + CHUNK_COUNT * CHUNK_BYTES;
    return image + ALIGNMENT + TAG_BYTES + CHUNK_COUNT * (CHUNK_BYTES + TAG_BYTES);
}

static void put(Buffer *buffer, const void *bytes, size_t length) {
    memcpy(buffer->base + buffer->filled_bytes, bytes, length);
    buffer->filled_bytes += length;
}

static void put_tag(Buffer *buffer, uint32_t id, uint32_t length) {
    uint32_t tag[2] = {big_endian() ? htonl(id) : id, big_endian() ? htonl(length) : length};
    put(buffer, tag, sizeof tag);
}

void chunks_write(Buffer *buffer) {
    static const uint32_t ids[CHUNK_COUNT] = {CHUNK_ID_ChunkFrameID, CHUNK_ID_ChunkTimestamp,
                                              CHUNK_ID_ChunkExposureTime, CHUNK_ID_ChunkGain};
    const Frame *frame = &buffer->frame;
    double exposure_us = (double)(frame->end_ns - frame->start_ns) / 1000.0;
    int64_t start_ticks = frame->timestamp_ns / personality.tick_ns;
    const void *values[CHUNK_COUNT] = {&frame->id, &start_ticks, &exposure_us, &frame->settings.gain_db};
    bool tags = tagged() && frame->settings.chunk_mode;
    if (tags) {
        static const uint8_t padding[ALIGNMENT];
        put(buffer, padding, (ALIGNMENT - buffer->image_bytes % ALIGNMENT) % ALIGNMENT);
        put_tag(buffer, IMAGE_CHUNK_ID, (uint32_t)buffer->filled_bytes);
    }
    for (size_t i = 0; i < CHUNK_COUNT; i++)
        if (frame->settings.chunk_mask >> i & 1) {
            buffer->chunk_offset[i] = buffer->filled_bytes;
            put(buffer, values[i], CHUNK_BYTES);
            if (tags)
                put_tag(buffer, ids[i], CHUNK_BYTES);
        }
}

/* GigE Vision and USB3 Vision count the image as a part of the chunk payload. */
size_t chunks_payload_bytes(const Buffer *buffer) {
    return tagged() ? buffer->filled_bytes : buffer->filled_bytes - buffer->image_bytes;
}
