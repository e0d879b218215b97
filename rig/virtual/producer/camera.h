/*
 * A camera: its registers, its sensor, its stream and where its pixels come from.
 *
 * One lock a camera guards everything below; one condition variable tells every change. Two threads belong to an open
 * camera: the worker (worker.c) advances the sensor and fills buffers, the reader (source_world.c) hears the world.
 */
#ifndef BEAMRIG_CAMERA_H
#define BEAMRIG_CAMERA_H

#include <pthread.h>

#include "producer/handles.h"
#include "producer/registers.h"

enum {
    CAMERA_COUNT = 2,
    MAX_BUFFERS = 1024,
    MAX_FLIGHT = 32,  /* frames between exposure and delivery */
    MAX_EDGES = 128,  /* edges announced for the future */
    WORLD_SLOTS = 32, /* frames that a busy world may owe; memory is taken when they are first used */
    USER_SETS = 3,    /* Default, UserSet0, UserSet1 */
    CHUNK_BYTES = 8,
};

#define NEVER INT64_MAX

/* All settings that a frame depends on, as they were at the start of its exposure. */
typedef struct {
    uint32_t width, height, offset_x, offset_y, pixel_format;
    uint32_t chunk_mask; /* bit n: chunk n is sent */
    bool chunk_mode;
    double gain_db, black_level_dn;
    int64_t exposure_ns; /* planned; the real one is end_ns - start_ns */
    int64_t readout_ns;
} Settings;

/* An exposure that was made (or is being made) and is not delivered yet. */
typedef struct {
    Settings settings;
    uint64_t id;
    int64_t start_ns, end_ns, ready_ns;
    int64_t timestamp_ns; /* start_ns on the camera's own clock */
    bool triggered;
    bool rendered; /* pixels are there */
    bool failed;   /* the world could not render it */
    bool lost;     /* a quirk: the camera keeps it for itself */
    uint32_t slot; /* of the world's staging memory */
    uint32_t fault; /* what the world ordered for it, BRW_LOSE ..., or 0 */
    int64_t fault_ns;
} Frame;

/* The camera's own clock against CLOCK_MONOTONIC. */
typedef struct {
    int64_t zero_ns, offset_ns;
    double drift_ppm;
} Clock;

/* A call that shall hang once: BRW_HANG_EVENT ..., or 0. */
typedef struct {
    uint32_t call;
    int64_t length_ns; /* NEVER: it does not come back */
} Hang;

typedef struct {
    int64_t t_ns;
    int line, level;
} LineEdge;

/* The sensor and its triggers (sensor.c). Times are those of the events, not of their processing. */
typedef struct {
    bool acquiring, awaiting_start_trigger;
    int64_t run_start_ns;
    uint64_t next_id;
    int64_t frames_left;     /* -1: no end */
    int64_t last_start_ns;   /* of the latest exposure; NEVER: none in this run */
    int64_t exposure_end_ns; /* of the latest exposure */
    int64_t readout_end_ns;
    int64_t pending_start_ns; /* an accepted trigger within its delay, or NEVER */
    bool pending_width;       /* that exposure is one of TriggerWidth */
    int64_t pending_end_ns;   /* delayed end of a TriggerWidth exposure, or NEVER */
    bool width_held;          /* a TriggerWidth exposure waits for its closing edge */
    int width_level;          /* the level of the line that holds it */
    bool armed;               /* a quirk: the pulse that only arms has come */
    bool open;                /* a TriggerWidth exposure runs: `current` */
    Frame current;
    int raw_level;
    LineEdge edges[MAX_EDGES];
    size_t edge_count;
    Frame flight[MAX_FLIGHT];
    size_t flight_first, flight_count;
} Sensor;

typedef enum { BUFFER_FREE, BUFFER_IDLE, BUFFER_QUEUED, BUFFER_FILLING, BUFFER_OUTPUT, BUFFER_DELIVERED } BufferState;

typedef struct {
    uint32_t generation;
    BufferState state;
    uint8_t *base;
    size_t size;
    void *user;
    bool owned;    /* allocated by DSAllocAndAnnounceBuffer */
    bool filled;   /* `frame` and the fields below are valid */
    bool incomplete;
    Frame frame;
    size_t image_bytes, filled_bytes, chunk_offset[CHUNK_COUNT];
} Buffer;

typedef struct {
    uint16_t items[MAX_BUFFERS];
    size_t first, count;
} Queue;

typedef struct {
    uint32_t generation;       /* of the stream's handle */
    uint32_t event_generation; /* of its NEW_BUFFER event */
    uint32_t kills;            /* EventKill calls not yet answered */
    bool grabbing;
    uint64_t frames_to_go; /* of DSStartAcquisition */
    uint64_t delivered, underruns, started, fired;
    Buffer buffers[MAX_BUFFERS];
    Queue input, output;
    bool filling; /* the worker writes a buffer, without the lock */
} Stream;

typedef enum { SLOT_FREE, SLOT_PENDING, SLOT_RENDERED, SLOT_ABANDONED } SlotState;

/* Connection to the world process (source_world.c); socket is -1 without one: then pixels come from the pattern. */
typedef struct {
    int socket, memory;
    bool pattern; /* the world gives line levels only */
    uint8_t *pixels;
    size_t slot_bytes;
    SlotState slots[WORLD_SLOTS];
    pthread_t reader;
} World;

struct Camera {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t number;
    const char *serial;
    uint32_t generation; /* of the device and its port; 0: closed */
    bool absent; /* at the latest look at who is there */
    bool read_only, lost, busy_elsewhere, stop_worker;
    char lost_reason[128];
    pthread_t worker;
    _Alignas(8) uint8_t registers[REGISTER_BYTES];
    _Alignas(8) uint8_t user_sets[USER_SETS][REGISTER_BYTES];
    Sensor sensor;
    Stream stream;
    World world;
    Clock clock;
    Hang hang;
};

extern Camera cameras[CAMERA_COUNT];

/* system.c */
void cameras_power_up(void); /* once a process */
bool library_is_open(void);
int64_t monotonic_ns(void);

/* device.c: find, check and lock; on success the caller must unlock. */
GC_ERROR camera_enter(const void *handle, HandleKind kind, Camera **camera);
void camera_leave(Camera *camera);
void camera_changed(Camera *camera);
void camera_lose(Camera *camera, const char *format, ...) __attribute__((format(printf, 2, 3)));
GC_ERROR camera_open(Camera *camera, int32_t flags);
void camera_close(Camera *camera); /* without the lock; closes the stream too */
GC_ERROR camera_info(Camera *camera, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size);

/* clock.c */
int64_t clock_timestamp_ns(const Camera *camera, int64_t t_ns);

/* faults.c: what the world orders to go wrong. With the lock. */
bool fault_ordered(Camera *camera, uint32_t fault, uint64_t frame_id, double seconds);
void fault_reorder(Camera *camera, int64_t now_ns); /* frames that are to wait for the next one */
bool fault_of_delivery(Camera *camera, Frame *frame); /* true: it is not delivered */
void fault_hang(Camera *camera, uint32_t call);       /* waits without the lock when that call shall hang */

/* stream.c */
void stream_close(Camera *camera);
void queue_push(Queue *queue, uint16_t item);
bool queue_pop(Queue *queue, uint16_t *item);
GC_ERROR buffer_find(Camera *camera, const void *handle, Buffer **buffer);

/* worker.c */
void *worker_run(void *camera);
size_t settings_image_bytes(const Settings *settings);

/* chunks.c */
size_t settings_payload_bytes(const Settings *settings);
void chunks_write(Buffer *buffer); /* behind the image */
size_t chunks_payload_bytes(const Buffer *buffer);

/* pattern (source_pattern.c): writes a whole image in its pixel format */
void pattern_render(const Frame *frame, uint8_t *target);
uint32_t pattern_code(const Frame *frame, uint32_t x, uint32_t y);

/* world (source_world.c) */
GC_ERROR world_connect(Camera *camera);
void world_disconnect(Camera *camera); /* without the lock */
bool world_shows(const char *serial);  /* is that camera plugged in? without a lock: the world is asked */
bool world_request(Camera *camera, Frame *frame);
const uint16_t *world_pixels(const Camera *camera, uint32_t slot);
void world_release(Camera *camera, uint32_t slot);

#endif
