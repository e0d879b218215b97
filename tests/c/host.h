/* A host in miniature: opens a camera through the GenTL functions, as harvesters does, and reads and writes registers. */
#ifndef BEAMRIG_TEST_HOST_H
#define BEAMRIG_TEST_HOST_H

#include <stdbool.h>

#include "check.h"
#include "features_generated.h"
#include "producer/gentl.h"

enum { HOST_BUFFERS = 16, SMALL_WIDTH = 64, SMALL_HEIGHT = 64 };

typedef struct {
    TL_HANDLE system;
    IF_HANDLE interface;
} Library;

typedef struct {
    DEV_HANDLE device;
    PORT_HANDLE port;
    DS_HANDLE stream;
    EVENT_HANDLE event;
    BUFFER_HANDLE buffers[HOST_BUFFERS];
    uint8_t *memory[HOST_BUFFERS];
    size_t buffer_count, payload;
} Host;

typedef struct {
    BUFFER_HANDLE handle;
    const uint8_t *data;
    uint64_t id, timestamp_ns;
    bool incomplete;
} Delivered;

Library library_open(void);
void library_close(Library *library);

/* Open camera 0 or 1, reset it to user set Default and to a 64 x 64 region. */
Host host_open(Library *library, int camera);
void host_close(Host *host);
void host_start(Host *host, size_t buffers);
void host_stop(Host *host);
/* The next frame within 2 s; `got` says whether one came. Queue it again with DSQueueBuffer. */
Delivered host_fetch(Host *host, bool *got);
/* Is a frame delivered within 50 ms? It is queued again. */
bool host_silent(Host *host);

GC_ERROR host_write_integer(Host *host, uint32_t address, int64_t value);
GC_ERROR host_write_float(Host *host, uint32_t address, double value);
GC_ERROR host_write_enum(Host *host, uint32_t address, int32_t value);
int64_t host_integer(Host *host, uint32_t address);
double host_float(Host *host, uint32_t address);
int32_t host_enum(Host *host, uint32_t address);

/* Frame trigger from Line0, rising edge. */
void host_line_triggered(Host *host);
int64_t host_now_ns(void);
void host_sleep_ms(int milliseconds);
uint64_t stream_counter(Host *host, int32_t cmd);

#endif
