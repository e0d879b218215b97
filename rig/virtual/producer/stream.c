/* DS: announcing, queueing and revoking buffers, starting and stopping the stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/camera.h"
#include "producer/sensor.h"
#include "producer/system.h"
#include "protocol.h"

/* ---- queues ---- */

void queue_push(Queue *queue, uint16_t item) {
    queue->items[(queue->first + queue->count++) % MAX_BUFFERS] = item;
}

bool queue_pop(Queue *queue, uint16_t *item) {
    if (queue->count == 0)
        return false;
    *item = queue->items[queue->first];
    queue->first = (queue->first + 1) % MAX_BUFFERS;
    queue->count--;
    return true;
}

static void move_all(Stream *stream, Queue *from, Queue *to, BufferState state) {
    uint16_t item;
    while (queue_pop(from, &item)) {
        stream->buffers[item].state = state;
        if (to != NULL)
            queue_push(to, item);
    }
}

static size_t announced(const Stream *stream) {
    size_t count = 0;
    for (size_t i = 0; i < MAX_BUFFERS; i++)
        count += stream->buffers[i].state != BUFFER_FREE;
    return count;
}

/* ---- buffers ---- */

GC_ERROR buffer_find(Camera *camera, const void *handle, Buffer **buffer) {
    HandleParts parts = handle_parts(handle);
    if (parts.kind != HANDLE_BUFFER || parts.camera != camera->number || parts.index >= MAX_BUFFERS ||
        parts.generation == 0 || camera->stream.buffers[parts.index].state == BUFFER_FREE ||
        camera->stream.buffers[parts.index].generation != parts.generation)
        return fail(GC_ERR_INVALID_HANDLE, "the buffer handle is stale or of another stream");
    *buffer = &camera->stream.buffers[parts.index];
    return GC_ERR_SUCCESS;
}

static GC_ERROR announce(DS_HANDLE handle, void *base, size_t size, void *user, bool owned, BUFFER_HANDLE *out) {
    Camera *camera;
    GC_ERROR result = camera_enter(handle, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    Stream *stream = &camera->stream;
    uint32_t index = 0;
    while (index < MAX_BUFFERS && stream->buffers[index].state != BUFFER_FREE)
        index++;
    if (index == MAX_BUFFERS) {
        result = fail(GC_ERR_RESOURCE_EXHAUSTED, "more than %d buffers", MAX_BUFFERS);
    } else {
        stream->buffers[index] = (Buffer){.generation = handle_next_generation(), .state = BUFFER_IDLE, .base = base,
                                          .size = size, .user = user, .owned = owned};
        *out = handle_make(HANDLE_BUFFER, camera->number, index, stream->buffers[index].generation);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR DSAnnounceBuffer(DS_HANDLE stream, void *base, size_t size, void *user, BUFFER_HANDLE *buffer) {
    if (base == NULL || size == 0 || buffer == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no memory or no place for the handle");
    return announce(stream, base, size, user, false, buffer);
}

GC_ERROR DSAllocAndAnnounceBuffer(DS_HANDLE stream, size_t size, void *user, BUFFER_HANDLE *buffer) {
    if (size == 0 || buffer == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no size or no place for the handle");
    void *base = calloc(1, size);
    if (base == NULL)
        return fail(GC_ERR_OUT_OF_MEMORY, "%zu bytes could not be allocated", size);
    GC_ERROR result = announce(stream, base, size, user, true, buffer);
    if (result != GC_ERR_SUCCESS)
        free(base);
    return result;
}

static void forget(Buffer *buffer) {
    if (buffer->owned)
        free(buffer->base);
    *buffer = (Buffer){.state = BUFFER_FREE};
}

GC_ERROR DSRevokeBuffer(DS_HANDLE stream, BUFFER_HANDLE handle, void **base, void **user) {
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    Buffer *buffer;
    result = buffer_find(camera, handle, &buffer);
    if (result == GC_ERR_SUCCESS && buffer->state != BUFFER_IDLE && buffer->state != BUFFER_DELIVERED)
        result = fail(GC_ERR_BUSY, "the buffer is queued");
    if (result == GC_ERR_SUCCESS) {
        if (base != NULL)
            *base = buffer->owned ? NULL : buffer->base;
        if (user != NULL)
            *user = buffer->user;
        forget(buffer);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR DSQueueBuffer(DS_HANDLE stream, BUFFER_HANDLE handle) {
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    Buffer *buffer;
    result = buffer_find(camera, handle, &buffer);
    if (result == GC_ERR_SUCCESS && buffer->state != BUFFER_IDLE && buffer->state != BUFFER_DELIVERED)
        result = fail(GC_ERR_BUSY, "the buffer is queued already");
    if (result == GC_ERR_SUCCESS) {
        buffer->state = BUFFER_QUEUED;
        buffer->filled = false;
        queue_push(&camera->stream.input, (uint16_t)(buffer - camera->stream.buffers));
        camera_changed(camera);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR DSGetBufferID(DS_HANDLE stream, uint32_t index, BUFFER_HANDLE *out) {
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    uint32_t seen = 0, place = 0;
    for (; place < MAX_BUFFERS; place++)
        if (camera->stream.buffers[place].state != BUFFER_FREE && seen++ == index)
            break;
    if (out == NULL)
        result = fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    else if (place == MAX_BUFFERS)
        result = fail(GC_ERR_INVALID_INDEX, "there are %u buffers", seen);
    else
        *out = handle_make(HANDLE_BUFFER, camera->number, place, camera->stream.buffers[place].generation);
    camera_leave(camera);
    return result;
}

GC_ERROR DSFlushQueue(DS_HANDLE handle, int32_t operation) {
    Camera *camera;
    GC_ERROR result = camera_enter(handle, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    Stream *stream = &camera->stream;
    switch (operation) {
    case ACQ_QUEUE_INPUT_TO_OUTPUT: move_all(stream, &stream->input, &stream->output, BUFFER_OUTPUT); break;
    case ACQ_QUEUE_OUTPUT_DISCARD: move_all(stream, &stream->output, NULL, BUFFER_IDLE); break;
    case ACQ_QUEUE_ALL_DISCARD:
        move_all(stream, &stream->input, NULL, BUFFER_IDLE);
        move_all(stream, &stream->output, NULL, BUFFER_IDLE);
        break;
    case ACQ_QUEUE_ALL_TO_INPUT: move_all(stream, &stream->output, &stream->input, BUFFER_QUEUED); /* fall through */
    case ACQ_QUEUE_UNQUEUED_TO_INPUT:
        for (uint16_t i = 0; i < MAX_BUFFERS; i++)
            if (stream->buffers[i].state == BUFFER_IDLE || stream->buffers[i].state == BUFFER_DELIVERED) {
                stream->buffers[i].state = BUFFER_QUEUED;
                queue_push(&stream->input, i);
            }
        break;
    default: result = fail(GC_ERR_INVALID_PARAMETER, "flush operation %d is not known", operation);
    }
    camera_changed(camera);
    camera_leave(camera);
    return result;
}

/* ---- the stream ---- */

GC_ERROR DSStartAcquisition(DS_HANDLE stream, int32_t flags, uint64_t frames) {
    (void)flags;
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (camera->stream.grabbing) {
        result = fail(GC_ERR_RESOURCE_IN_USE, "the stream runs already");
    } else {
        sensor_drop_all(camera); /* exposures made while nobody streamed */
        camera->stream.grabbing = true;
        camera->stream.frames_to_go = frames;
        camera->stream.delivered = camera->stream.underruns = camera->stream.started = 0;
        camera_changed(camera);
    }
    camera_leave(camera);
    return result;
}

static void stop(Camera *camera) {
    camera->stream.grabbing = false;
    /* After this no buffer may enter a queue by itself: wait for the running copy, a matter of milliseconds. */
    while (camera->stream.filling)
        pthread_cond_wait(&camera->changed, &camera->lock);
    sensor_drop_all(camera);
    camera_changed(camera);
}

GC_ERROR DSStopAcquisition(DS_HANDLE stream, int32_t flags) {
    (void)flags;
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    stop(camera);
    camera_leave(camera);
    return GC_ERR_SUCCESS;
}

void stream_close(Camera *camera) {
    Stream *stream = &camera->stream;
    if (stream->generation == 0)
        return;
    stop(camera);
    stream->generation = stream->event_generation = 0;
    for (size_t i = 0; i < MAX_BUFFERS; i++)
        if (stream->buffers[i].state != BUFFER_FREE)
            forget(&stream->buffers[i]);
    stream->input.count = stream->output.count = 0;
    camera_changed(camera);
}

GC_ERROR DSClose(DS_HANDLE stream) {
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    stream_close(camera);
    camera_leave(camera);
    return GC_ERR_SUCCESS;
}

GC_ERROR DSGetInfo(DS_HANDLE handle, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    Camera *camera;
    GC_ERROR result = camera_enter(handle, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    const Stream *stream = &camera->stream;
    fault_hang(camera, BRW_HANG_STREAM);
    Settings settings = sensor_settings(camera);
    char id[64];
    snprintf(id, sizeof id, "%s-stream0", camera->serial);
    switch (cmd) {
    case STREAM_INFO_ID: result = answer_text(id, type, buffer, size); break;
    case STREAM_INFO_NUM_DELIVERED: result = answer_uint64(stream->delivered, type, buffer, size); break;
    case STREAM_INFO_NUM_UNDERRUN: result = answer_uint64(stream->underruns, type, buffer, size); break;
    case STREAM_INFO_NUM_ANNOUNCED: result = answer_size(announced(stream), type, buffer, size); break;
    case STREAM_INFO_NUM_QUEUED: result = answer_size(stream->input.count, type, buffer, size); break;
    case STREAM_INFO_NUM_AWAIT_DELIVERY: result = answer_size(stream->output.count, type, buffer, size); break;
    case STREAM_INFO_NUM_STARTED: result = answer_uint64(stream->started, type, buffer, size); break;
    case STREAM_INFO_PAYLOAD_SIZE: result = answer_size(settings_payload_bytes(&settings), type, buffer, size); break;
    case STREAM_INFO_IS_GRABBING: result = answer_bool(stream->grabbing, type, buffer, size); break;
    case STREAM_INFO_DEFINES_PAYLOADSIZE: result = answer_bool(false, type, buffer, size); break;
    case STREAM_INFO_TLTYPE: result = answer_text(TL_TYPE, type, buffer, size); break;
    case STREAM_INFO_NUM_CHUNKS_MAX: result = answer_size(CHUNK_COUNT, type, buffer, size); break;
    case STREAM_INFO_BUF_ANNOUNCE_MIN:
    case STREAM_INFO_BUF_ALIGNMENT: result = answer_size(1, type, buffer, size); break;
    default: result = fail(GC_ERR_NOT_IMPLEMENTED, "stream info %d is not known", cmd);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR DSGetParentDev(DS_HANDLE stream, DEV_HANDLE *device) {
    Camera *camera;
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (device == NULL)
        result = fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    else
        *device = handle_make(HANDLE_DEVICE, camera->number, 0, camera->generation);
    camera_leave(camera);
    return result;
}
