/* Events: NEW_BUFFER of a stream is the only one; its queue is the stream's output queue. */
#include <string.h>
#include <time.h>

#include "producer/camera.h"
#include "protocol.h"

GC_ERROR GCRegisterEvent(EVENTSRC_HANDLE source, int32_t kind, EVENT_HANDLE *event) {
    if (handle_parts(source).kind != HANDLE_STREAM || kind != EVENT_NEW_BUFFER)
        return library_is_open() ? fail(GC_ERR_NOT_IMPLEMENTED, "only streams have an event, NEW_BUFFER")
                                 : fail(GC_ERR_NOT_INITIALIZED, "GCInitLib was not called");
    Camera *camera;
    GC_ERROR result = camera_enter(source, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (event == NULL) {
        result = fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    } else if (camera->stream.event_generation != 0) {
        result = fail(GC_ERR_RESOURCE_IN_USE, "the event is registered already");
    } else {
        camera->stream.event_generation = handle_next_generation();
        camera->stream.fired = camera->stream.kills = 0;
        *event = handle_make(HANDLE_EVENT, camera->number, 0, camera->stream.event_generation);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR GCUnregisterEvent(EVENTSRC_HANDLE source, int32_t kind) {
    Camera *camera;
    GC_ERROR result = camera_enter(source, HANDLE_STREAM, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (kind != EVENT_NEW_BUFFER || camera->stream.event_generation == 0)
        result = fail(GC_ERR_INVALID_PARAMETER, "that event is not registered");
    else
        camera->stream.event_generation = 0;
    camera_changed(camera);
    camera_leave(camera);
    return result;
}

/* Wait for a buffer, a kill, the loss of the camera or the deadline. */
static GC_ERROR wait_for_buffer(Camera *camera, uint32_t generation, uint64_t timeout_ms) {
    Stream *stream = &camera->stream;
    int64_t deadline_ns = NEVER;
    if (timeout_ms < (uint64_t)(INT64_MAX - monotonic_ns()) / 1000000)
        deadline_ns = monotonic_ns() + (int64_t)timeout_ms * 1000000;
    struct timespec until = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    for (;;) {
        if (stream->event_generation != generation)
            return fail(GC_ERR_ABORT, "the event was closed");
        if (stream->kills > 0) {
            stream->kills--;
            return fail(GC_ERR_ABORT, "the wait was ended by EventKill");
        }
        if (stream->output.count > 0)
            return GC_ERR_SUCCESS;
        if (camera->lost)
            return fail(GC_ERR_IO, "%s", camera->lost_reason);
        if (timeout_ms == 0 || monotonic_ns() >= deadline_ns)
            return fail(GC_ERR_TIMEOUT, "no frame within %llu ms", (unsigned long long)timeout_ms);
        if (deadline_ns == NEVER)
            pthread_cond_wait(&camera->changed, &camera->lock);
        else
            pthread_cond_timedwait(&camera->changed, &camera->lock, &until);
    }
}

GC_ERROR EventGetData(EVENT_HANDLE event, void *buffer, size_t *size, uint64_t timeout_ms) {
    Camera *camera;
    GC_ERROR result = camera_enter(event, HANDLE_EVENT, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    Stream *stream = &camera->stream;
    fault_hang(camera, BRW_HANG_EVENT);
    if (buffer == NULL || size == NULL)
        result = fail(GC_ERR_INVALID_PARAMETER, "no buffer or no size");
    else if (*size < sizeof(EVENT_NEW_BUFFER_DATA))
        result = fail(GC_ERR_BUFFER_TOO_SMALL, "%zu bytes are needed", sizeof(EVENT_NEW_BUFFER_DATA));
    else
        result = wait_for_buffer(camera, handle_parts(event).generation, timeout_ms);
    uint16_t item;
    if (result == GC_ERR_SUCCESS && queue_pop(&stream->output, &item)) {
        Buffer *filled = &stream->buffers[item];
        filled->state = BUFFER_DELIVERED;
        EVENT_NEW_BUFFER_DATA data = {
            .BufferHandle = handle_make(HANDLE_BUFFER, camera->number, item, filled->generation),
            .pUserPointer = filled->user,
        };
        memcpy(buffer, &data, sizeof data);
        *size = sizeof data;
    }
    camera_leave(camera);
    return result;
}

GC_ERROR EventGetDataInfo(EVENT_HANDLE event, const void *in, size_t in_size, int32_t cmd, INFO_DATATYPE *type,
                          void *out, size_t *size) {
    (void)in, (void)in_size, (void)cmd, (void)type, (void)out, (void)size;
    Camera *camera;
    GC_ERROR result = camera_enter(event, HANDLE_EVENT, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    camera_leave(camera);
    return fail(GC_ERR_NOT_AVAILABLE, "NEW_BUFFER carries nothing but its struct");
}

GC_ERROR EventGetInfo(EVENT_HANDLE event, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    Camera *camera;
    GC_ERROR result = camera_enter(event, HANDLE_EVENT, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    switch (cmd) {
    case EVENT_EVENT_TYPE: result = answer_int32(EVENT_NEW_BUFFER, type, buffer, size); break;
    case EVENT_NUM_IN_QUEUE: result = answer_size(camera->stream.output.count, type, buffer, size); break;
    case EVENT_NUM_FIRED: result = answer_uint64(camera->stream.fired, type, buffer, size); break;
    case EVENT_SIZE_MAX: result = answer_size(sizeof(EVENT_NEW_BUFFER_DATA), type, buffer, size); break;
    case EVENT_INFO_DATA_SIZE_MAX: result = answer_size(0, type, buffer, size); break;
    default: result = fail(GC_ERR_NOT_IMPLEMENTED, "event info %d is not known", cmd);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR EventFlush(EVENT_HANDLE event) {
    Camera *camera;
    GC_ERROR result = camera_enter(event, HANDLE_EVENT, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    uint16_t item;
    while (queue_pop(&camera->stream.output, &item))
        camera->stream.buffers[item].state = BUFFER_IDLE;
    camera_leave(camera);
    return GC_ERR_SUCCESS;
}

GC_ERROR EventKill(EVENT_HANDLE event) {
    Camera *camera;
    GC_ERROR result = camera_enter(event, HANDLE_EVENT, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    camera->stream.kills++;
    camera_changed(camera);
    camera_leave(camera);
    return GC_ERR_SUCCESS;
}
