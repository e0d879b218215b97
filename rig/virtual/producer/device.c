/* Dev: opening and closing a camera, and finding it again by its handles. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/camera.h"
#include "producer/sensor.h"
#include "producer/system.h"

#define NANOSECONDS_A_SECOND 1000000000ULL

static uint32_t generation_of(const Camera *camera, HandleKind kind) {
    switch (kind) {
    case HANDLE_DEVICE:
    case HANDLE_PORT: return camera->generation;
    case HANDLE_STREAM: return camera->stream.generation;
    case HANDLE_EVENT: return camera->stream.event_generation;
    default: return 0;
    }
}

GC_ERROR camera_enter(const void *handle, HandleKind kind, Camera **camera) {
    if (!library_is_open())
        return fail(GC_ERR_NOT_INITIALIZED, "GCInitLib was not called");
    HandleParts parts = handle_parts(handle);
    if (parts.kind != kind || parts.camera >= CAMERA_COUNT || parts.generation == 0)
        return fail(GC_ERR_INVALID_HANDLE, "not a handle of that kind");
    Camera *found = &cameras[parts.camera];
    pthread_mutex_lock(&found->lock);
    if (parts.generation != generation_of(found, kind)) {
        pthread_mutex_unlock(&found->lock);
        return fail(GC_ERR_INVALID_HANDLE, "the handle is stale");
    }
    *camera = found;
    return GC_ERR_SUCCESS;
}

void camera_leave(Camera *camera) {
    pthread_mutex_unlock(&camera->lock);
}

void camera_changed(Camera *camera) {
    pthread_cond_broadcast(&camera->changed);
}

void camera_lose(Camera *camera, const char *format, ...) {
    if (camera->lost)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(camera->lost_reason, sizeof camera->lost_reason, format, arguments);
    va_end(arguments);
    camera->lost = true;
    sensor_stop(camera);
    camera_changed(camera);
}

GC_ERROR camera_open(Camera *camera, int32_t flags) {
    if (flags < DEVICE_ACCESS_READONLY || flags > DEVICE_ACCESS_EXCLUSIVE)
        return fail(GC_ERR_INVALID_PARAMETER, "access flags %d are not known", flags);
    if (camera->generation != 0)
        return fail(GC_ERR_RESOURCE_IN_USE, "%s is open in this process already", camera->serial);
    sensor_reset(camera);
    register_set_integer(camera, REG_TLParamsLocked, 0);
    camera->lost = camera->stop_worker = false;
    camera->read_only = flags == DEVICE_ACCESS_READONLY;
    camera->clock = (Clock){0};
    camera->hang = (Hang){0};
    GC_ERROR result = world_connect(camera);
    camera->busy_elsewhere = result == GC_ERR_RESOURCE_IN_USE;
    if (result != GC_ERR_SUCCESS)
        return result;
    if (pthread_create(&camera->worker, NULL, worker_run, camera) != 0) {
        pthread_mutex_unlock(&camera->lock);
        world_disconnect(camera);
        pthread_mutex_lock(&camera->lock);
        return fail(GC_ERR_RESOURCE_EXHAUSTED, "no thread could be started");
    }
    camera->generation = handle_next_generation();
    return GC_ERR_SUCCESS;
}

void camera_close(Camera *camera) {
    pthread_mutex_lock(&camera->lock);
    bool was_open = camera->generation != 0;
    if (was_open) {
        stream_close(camera);
        sensor_reset(camera);
        camera->generation = 0;
        camera->stop_worker = true;
        camera_changed(camera);
    }
    pthread_mutex_unlock(&camera->lock);
    if (was_open) {
        pthread_join(camera->worker, NULL);
        world_disconnect(camera);
    }
}

static int32_t access_status(const Camera *camera) {
    if (camera->generation != 0 && camera->lost)
        return DEVICE_ACCESS_STATUS_NOACCESS;
    if (camera->generation != 0)
        return camera->read_only ? DEVICE_ACCESS_STATUS_OPEN_READONLY : DEVICE_ACCESS_STATUS_OPEN_READWRITE;
    return camera->busy_elsewhere ? DEVICE_ACCESS_STATUS_BUSY : DEVICE_ACCESS_STATUS_READWRITE;
}

GC_ERROR camera_info(Camera *camera, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    const char *name = register_text(camera, REG_DeviceUserID);
    switch (cmd) {
    case DEVICE_INFO_ID:
    case DEVICE_INFO_SERIAL_NUMBER: return answer_text(camera->serial, type, buffer, size);
    case DEVICE_INFO_VENDOR: return answer_text(personality.vendor, type, buffer, size);
    case DEVICE_INFO_MODEL: return answer_text(personality.model, type, buffer, size);
    case DEVICE_INFO_TLTYPE: return answer_text(TL_TYPE, type, buffer, size);
    case DEVICE_INFO_DISPLAYNAME:
    case DEVICE_INFO_USER_DEFINED_NAME: return answer_text(name, type, buffer, size);
    case DEVICE_INFO_ACCESS_STATUS: return answer_int32(access_status(camera), type, buffer, size);
    case DEVICE_INFO_VERSION: return answer_text(VERSION, type, buffer, size);
    case DEVICE_INFO_TIMESTAMP_FREQUENCY: return answer_uint64(NANOSECONDS_A_SECOND / (uint64_t)personality.tick_ns, type, buffer, size);
    default: return fail(GC_ERR_NOT_IMPLEMENTED, "device info %d is not known", cmd);
    }
}

GC_ERROR DevGetInfo(DEV_HANDLE device, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    result = camera_info(camera, cmd, type, buffer, size);
    camera_leave(camera);
    return result;
}

GC_ERROR DevGetPort(DEV_HANDLE device, PORT_HANDLE *port) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (port == NULL)
        result = fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    else
        *port = handle_make(HANDLE_PORT, camera->number, 0, camera->generation);
    camera_leave(camera);
    return result;
}

GC_ERROR DevGetNumDataStreams(DEV_HANDLE device, uint32_t *count) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    camera_leave(camera);
    if (count == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the count");
    *count = 1;
    return GC_ERR_SUCCESS;
}

static void stream_id(const Camera *camera, char id[64]) {
    snprintf(id, 64, "%s-stream0", camera->serial);
}

GC_ERROR DevGetDataStreamID(DEV_HANDLE device, uint32_t index, char *id, size_t *size) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    char text[64];
    stream_id(camera, text);
    camera_leave(camera);
    return index == 0 ? answer_text(text, NULL, id, size) : fail(GC_ERR_INVALID_INDEX, "there is one stream");
}

GC_ERROR DevOpenDataStream(DEV_HANDLE device, const char *id, DS_HANDLE *stream) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    char text[64];
    stream_id(camera, text);
    if (stream == NULL || id == NULL) {
        result = fail(GC_ERR_INVALID_PARAMETER, "no id or no place for the handle");
    } else if (strcmp(id, text) != 0) {
        result = fail(GC_ERR_INVALID_ID, "no such stream");
    } else if (camera->stream.generation != 0) {
        result = fail(GC_ERR_RESOURCE_IN_USE, "the stream is open already");
    } else {
        memset(&camera->stream, 0, sizeof camera->stream);
        camera->stream.generation = handle_next_generation();
        *stream = handle_make(HANDLE_STREAM, camera->number, 0, camera->stream.generation);
    }
    camera_leave(camera);
    return result;
}

GC_ERROR DevClose(DEV_HANDLE device) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    camera_leave(camera);
    camera_close(camera);
    return GC_ERR_SUCCESS;
}

GC_ERROR DevGetParentIF(DEV_HANDLE device, IF_HANDLE *interface) {
    Camera *camera;
    GC_ERROR result = camera_enter(device, HANDLE_DEVICE, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    camera_leave(camera);
    if (interface == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    *interface = system_interface_handle();
    return GC_ERR_SUCCESS;
}
