#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t host_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void host_sleep_ms(int milliseconds) {
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

Library library_open(void) {
    Library library;
    char id[64];
    size_t size = sizeof id;
    CHECK_EQUAL(GCInitLib(), GC_ERR_SUCCESS);
    CHECK_EQUAL(TLOpen(&library.system), GC_ERR_SUCCESS);
    CHECK_EQUAL(TLUpdateInterfaceList(library.system, NULL, 10), GC_ERR_SUCCESS);
    CHECK_EQUAL(TLGetInterfaceID(library.system, 0, id, &size), GC_ERR_SUCCESS);
    CHECK_EQUAL(TLOpenInterface(library.system, id, &library.interface), GC_ERR_SUCCESS);
    return library;
}

void library_close(Library *library) {
    CHECK_EQUAL(IFClose(library->interface), GC_ERR_SUCCESS);
    CHECK_EQUAL(TLClose(library->system), GC_ERR_SUCCESS);
    CHECK_EQUAL(GCCloseLib(), GC_ERR_SUCCESS);
}

Host host_open(Library *library, int camera) {
    Host host = {0};
    char id[64], stream[64];
    size_t size = sizeof id;
    CHECK_EQUAL(IFGetDeviceID(library->interface, (uint32_t)camera, id, &size), GC_ERR_SUCCESS);
    CHECK_EQUAL(IFOpenDevice(library->interface, id, DEVICE_ACCESS_EXCLUSIVE, &host.device), GC_ERR_SUCCESS);
    CHECK_EQUAL(DevGetPort(host.device, &host.port), GC_ERR_SUCCESS);
    size = sizeof stream;
    CHECK_EQUAL(DevGetDataStreamID(host.device, 0, stream, &size), GC_ERR_SUCCESS);
    CHECK_EQUAL(DevOpenDataStream(host.device, stream, &host.stream), GC_ERR_SUCCESS);
    CHECK_EQUAL(GCRegisterEvent(host.stream, EVENT_NEW_BUFFER, &host.event), GC_ERR_SUCCESS);
    host_write_enum(&host, REG_UserSetSelector, UserSetSelector_Default);
    CHECK_EQUAL(host_write_enum(&host, REG_UserSetLoad, 1), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_integer(&host, REG_Width, SMALL_WIDTH), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_integer(&host, REG_Height, SMALL_HEIGHT), GC_ERR_SUCCESS);
    return host;
}

void host_close(Host *host) {
    CHECK_EQUAL(DSClose(host->stream), GC_ERR_SUCCESS);
    CHECK_EQUAL(DevClose(host->device), GC_ERR_SUCCESS);
    for (size_t i = 0; i < host->buffer_count; i++)
        free(host->memory[i]);
}

void host_start(Host *host, size_t buffers) {
    host->payload = (size_t)host_integer(host, REG_PayloadSize);
    host->buffer_count = buffers;
    for (size_t i = 0; i < buffers; i++) {
        host->memory[i] = calloc(1, host->payload);
        CHECK_EQUAL(DSAnnounceBuffer(host->stream, host->memory[i], host->payload, &host->memory[i], &host->buffers[i]),
                    GC_ERR_SUCCESS);
        CHECK_EQUAL(DSQueueBuffer(host->stream, host->buffers[i]), GC_ERR_SUCCESS);
    }
    CHECK_EQUAL(host_write_integer(host, REG_TLParamsLocked, 1), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSStartAcquisition(host->stream, 0, GENTL_INFINITE), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_enum(host, REG_AcquisitionStart, 1), GC_ERR_SUCCESS);
}

void host_stop(Host *host) {
    CHECK_EQUAL(host_write_enum(host, REG_AcquisitionStop, 1), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_integer(host, REG_TLParamsLocked, 0), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSStopAcquisition(host->stream, ACQ_STOP_FLAGS_KILL), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSFlushQueue(host->stream, ACQ_QUEUE_ALL_DISCARD), GC_ERR_SUCCESS);
    CHECK_EQUAL(EventFlush(host->event), GC_ERR_SUCCESS);
    for (size_t i = 0; i < host->buffer_count; i++) {
        void *base, *user;
        CHECK_EQUAL(DSRevokeBuffer(host->stream, host->buffers[i], &base, &user), GC_ERR_SUCCESS);
        CHECK(base == host->memory[i] && user == &host->memory[i]);
        free(host->memory[i]);
    }
    host->buffer_count = 0;
}

static uint64_t buffer_number(Host *host, BUFFER_HANDLE buffer, int32_t cmd) {
    uint64_t value = 0;
    size_t size = sizeof value;
    CHECK_EQUAL(DSGetBufferInfo(host->stream, buffer, cmd, NULL, &value, &size), GC_ERR_SUCCESS);
    return value;
}

Delivered host_fetch(Host *host, bool *got) {
    EVENT_NEW_BUFFER_DATA data = {0};
    size_t size = sizeof data;
    GC_ERROR result = EventGetData(host->event, &data, &size, 2000);
    *got = result == GC_ERR_SUCCESS;
    if (!*got)
        return (Delivered){0};
    return (Delivered){
        .handle = data.BufferHandle,
        .data = *(uint8_t **)data.pUserPointer,
        .id = buffer_number(host, data.BufferHandle, BUFFER_INFO_FRAMEID),
        .timestamp_ns = buffer_number(host, data.BufferHandle, BUFFER_INFO_TIMESTAMP_NS),
        .incomplete = buffer_number(host, data.BufferHandle, BUFFER_INFO_IS_INCOMPLETE) != 0,
    };
}

bool host_silent(Host *host) {
    EVENT_NEW_BUFFER_DATA data;
    size_t size = sizeof data;
    GC_ERROR result = EventGetData(host->event, &data, &size, 50);
    if (result == GC_ERR_SUCCESS)
        DSQueueBuffer(host->stream, data.BufferHandle);
    return result == GC_ERR_TIMEOUT;
}

GC_ERROR host_write_integer(Host *host, uint32_t address, int64_t value) {
    size_t size = sizeof value;
    return GCWritePort(host->port, address, &value, &size);
}

GC_ERROR host_write_float(Host *host, uint32_t address, double value) {
    size_t size = sizeof value;
    return GCWritePort(host->port, address, &value, &size);
}

GC_ERROR host_write_enum(Host *host, uint32_t address, int32_t value) {
    size_t size = sizeof value;
    return GCWritePort(host->port, address, &value, &size);
}

static void read_register(Host *host, uint32_t address, void *value, size_t length) {
    CHECK_EQUAL(GCReadPort(host->port, address, value, &length), GC_ERR_SUCCESS);
}

int64_t host_integer(Host *host, uint32_t address) {
    int64_t value = 0;
    read_register(host, address, &value, sizeof value);
    return value;
}

double host_float(Host *host, uint32_t address) {
    double value = 0;
    read_register(host, address, &value, sizeof value);
    return value;
}

int32_t host_enum(Host *host, uint32_t address) {
    int32_t value = 0;
    read_register(host, address, &value, sizeof value);
    return value;
}

void host_line_triggered(Host *host) {
    CHECK_EQUAL(host_write_enum(host, REG_TriggerMode, TriggerMode_On), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_enum(host, REG_TriggerSource, TriggerSource_Line0), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_enum(host, REG_TriggerActivation, TriggerActivation_RisingEdge), GC_ERR_SUCCESS);
}

uint64_t stream_counter(Host *host, int32_t cmd) {
    uint64_t value = 0;
    size_t size = sizeof value;
    CHECK_EQUAL(DSGetInfo(host->stream, cmd, NULL, &value, &size), GC_ERR_SUCCESS);
    return value;
}
