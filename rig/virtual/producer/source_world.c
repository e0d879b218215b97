/* Pixels and line levels from the world process; rig/virtual/protocol.h tells the rules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "producer/camera.h"
#include "producer/sensor.h"
#include "protocol.h"

#define ANSWER_SECONDS 5 /* the only wait in the producer; a busy world is slow to answer, not gone */
#define PAGE 4096u

/* ---- opening ---- */

static void close_all(World *world) {
    if (world->pixels != NULL)
        munmap(world->pixels, world->slot_bytes * WORLD_SLOTS);
    if (world->memory >= 0)
        close(world->memory);
    if (world->socket >= 0)
        close(world->socket);
    world->pixels = NULL;
    world->memory = world->socket = -1;
}

static bool make_staging(World *world, size_t frame_bytes) {
    world->slot_bytes = (frame_bytes + PAGE - 1) / PAGE * PAGE;
    size_t total = world->slot_bytes * WORLD_SLOTS;
    world->memory = memfd_create("beamrig-staging", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (world->memory < 0 || ftruncate(world->memory, (off_t)total) != 0)
        return false;
    if (fcntl(world->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return false;
    void *pixels = mmap(NULL, total, PROT_READ, MAP_SHARED, world->memory, 0);
    if (pixels == MAP_FAILED)
        return false;
    world->pixels = pixels;
    return true;
}

static bool say_hello(const Camera *camera) {
    BrwHello hello = {.header = {BRW_MAGIC, BRW_HELLO}, .pid = (uint32_t)getpid(), .slots = WORLD_SLOTS,
                      .slot_bytes = camera->world.slot_bytes};
    strncpy(hello.serial, camera->serial, sizeof hello.serial - 1);
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {.iov_base = &hello, .iov_len = sizeof hello};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &camera->world.memory, sizeof(int));
    return sendmsg(camera->world.socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof hello;
}

static bool dial(World *world, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcpy(address.sun_path, path);
    world->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (world->socket < 0)
        return false;
    /* Both the connection and the answer to HELLO have this long; later the reader waits as long as it takes. */
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    setsockopt(world->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(world->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return connect(world->socket, (struct sockaddr *)&address, sizeof address) == 0;
}

static GC_ERROR hear_welcome(Camera *camera) {
    BrwWelcome welcome;
    ssize_t length = recv(camera->world.socket, &welcome, sizeof welcome, MSG_TRUNC);
    if (length != (ssize_t)sizeof welcome || welcome.header.magic != BRW_MAGIC || welcome.header.type != BRW_WELCOME)
        return fail(GC_ERR_IO, "the world did not answer within %d s, or not in this protocol", ANSWER_SECONDS);
    switch (welcome.status) {
    case BRW_OK:
        register_set_float(camera, REG_DeviceTemperature, welcome.temperature_c);
        camera->clock = (Clock){welcome.clock_zero_ns, welcome.clock_offset_ns, welcome.clock_drift_ppm};
        camera->world.pattern = welcome.pattern != 0;
        return GC_ERR_SUCCESS;
    case BRW_UNPLUGGED: return fail(GC_ERR_IO, "%s is not plugged in", camera->serial);
    case BRW_IN_USE: return fail(GC_ERR_RESOURCE_IN_USE, "%s is in use by another process", camera->serial);
    case BRW_UNKNOWN_SERIAL: return fail(GC_ERR_IO, "the world has no camera %s", camera->serial);
    default: return fail(GC_ERR_IO, "the world does not speak this version of the protocol");
    }
}

bool world_shows(const char *serial) {
    const char *path = getenv("BEAMRIG_WORLD");
    if (path == NULL || path[0] == '\0')
        return true;
    World asked = {.socket = -1, .memory = -1};
    BrwHello hello = {.header = {BRW_MAGIC, BRW_HELLO}, .pid = (uint32_t)getpid()};
    BrwWelcome welcome = {0};
    strncpy(hello.serial, serial, sizeof hello.serial - 1);
    /* A world that cannot be asked is told of when the camera is opened. */
    bool answered = dial(&asked, path) &&
                    send(asked.socket, &hello, sizeof hello, MSG_NOSIGNAL) == (ssize_t)sizeof hello &&
                    recv(asked.socket, &welcome, sizeof welcome, 0) == (ssize_t)sizeof welcome;
    close_all(&asked);
    return !answered || welcome.status != BRW_UNPLUGGED;
}

/* ---- listening ---- */

static bool take_rendered(Camera *camera, const BrwRendered *rendered) {
    World *world = &camera->world;
    Sensor *sensor = &camera->sensor;
    if (rendered->slot >= WORLD_SLOTS)
        return false;
    SlotState *slot = &world->slots[rendered->slot];
    if (*slot == SLOT_ABANDONED) {
        *slot = SLOT_FREE;
        return true;
    }
    if (*slot != SLOT_PENDING)
        return false;
    *slot = SLOT_RENDERED;
    for (size_t i = 0; i < sensor->flight_count; i++) {
        Frame *frame = &sensor->flight[(sensor->flight_first + i) % MAX_FLIGHT];
        if (frame->slot == rendered->slot) {
            frame->rendered = true;
            frame->failed = rendered->status != 0;
            return frame->id == rendered->frame_id;
        }
    }
    return false;
}

typedef union {
    BrwHeader header;
    BrwEdge edge;
    BrwRendered rendered;
    BrwTemperature temperature;
    BrwClock clock;
    BrwFault fault;
    uint8_t bytes[256];
} Packet;

/* Act on a message; false if it breaks the protocol. */
static bool take(Camera *camera, const Packet *packet, size_t length) {
    if (length < sizeof packet->header || packet->header.magic != BRW_MAGIC)
        return false;
    switch (packet->header.type) {
    case BRW_EDGE:
        if (length != sizeof packet->edge)
            return false;
        sensor_edge(camera, (int)packet->edge.line, packet->edge.level != 0, packet->edge.t_ns);
        return true;
    case BRW_RENDERED: return length == sizeof packet->rendered && take_rendered(camera, &packet->rendered);
    case BRW_TEMPERATURE:
        if (length != sizeof packet->temperature)
            return false;
        register_set_float(camera, REG_DeviceTemperature, packet->temperature.celsius);
        return true;
    case BRW_CLOCK:
        if (length != sizeof packet->clock)
            return false;
        sensor_advance(camera, monotonic_ns()); /* what has begun keeps the old clock */
        camera->clock = (Clock){packet->clock.zero_ns, packet->clock.offset_ns, packet->clock.drift_ppm};
        return true;
    case BRW_FAULT:
        return length == sizeof packet->fault &&
               fault_ordered(camera, packet->fault.fault, packet->fault.frame_id, packet->fault.seconds);
    default: return false;
    }
}

static void *listen_to_world(void *argument) {
    Camera *camera = argument;
    for (;;) {
        Packet packet;
        ssize_t length = recv(camera->world.socket, &packet, sizeof packet, 0);
        if (length < 0 && errno == EINTR)
            continue;
        pthread_mutex_lock(&camera->lock);
        if (length <= 0)
            camera_lose(camera, "the world of %s has gone", camera->serial);
        else if (!take(camera, &packet, (size_t)length))
            camera_lose(camera, "the world of %s broke the protocol", camera->serial);
        else
            camera_changed(camera);
        bool over = camera->lost || camera->stop_worker;
        pthread_mutex_unlock(&camera->lock);
        if (over)
            return NULL;
    }
}

GC_ERROR world_connect(Camera *camera) {
    World *world = &camera->world;
    const char *path = getenv("BEAMRIG_WORLD");
    if (path == NULL || path[0] == '\0')
        return GC_ERR_SUCCESS;
    size_t sensor_bytes =
        2 * (size_t)register_integer(camera, REG_SensorWidth) * (size_t)register_integer(camera, REG_SensorHeight);
    memset(world->slots, 0, sizeof world->slots);
    GC_ERROR result = GC_ERR_SUCCESS;
    if (!dial(world, path))
        result = fail(GC_ERR_IO, "no world at BEAMRIG_WORLD=%s: %s", path, strerror(errno));
    else if (!make_staging(world, sensor_bytes))
        result = fail(GC_ERR_OUT_OF_MEMORY, "no staging memory: %s", strerror(errno));
    else if (!say_hello(camera))
        result = fail(GC_ERR_IO, "the world at %s does not listen: %s", path, strerror(errno));
    else
        result = hear_welcome(camera);
    if (result == GC_ERR_SUCCESS) {
        struct timeval forever = {0};
        setsockopt(world->socket, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
        if (pthread_create(&world->reader, NULL, listen_to_world, camera) != 0)
            result = fail(GC_ERR_RESOURCE_EXHAUSTED, "no thread could be started");
    }
    if (result != GC_ERR_SUCCESS)
        close_all(world);
    return result;
}

void world_disconnect(Camera *camera) {
    if (camera->world.socket < 0)
        return;
    pthread_mutex_lock(&camera->lock);
    camera->stop_worker = true;
    pthread_mutex_unlock(&camera->lock);
    shutdown(camera->world.socket, SHUT_RDWR);
    pthread_join(camera->world.reader, NULL);
    close_all(&camera->world);
}

/* ---- rendering ---- */

static bool renders(const World *world) {
    return world->socket >= 0 && !world->pattern;
}

bool world_request(Camera *camera, Frame *frame) {
    World *world = &camera->world;
    frame->rendered = !renders(world);
    if (frame->rendered)
        return true;
    uint32_t slot = 0;
    while (slot < WORLD_SLOTS && world->slots[slot] != SLOT_FREE)
        slot++;
    if (slot == WORLD_SLOTS || camera->lost)
        return false;
    const Settings *settings = &frame->settings;
    BrwRender render = {
        .header = {BRW_MAGIC, BRW_RENDER}, .frame_id = frame->id, .slot = slot, .bits = 12,
        .t_start_ns = frame->start_ns, .exposure_ns = frame->end_ns - frame->start_ns, .gain_db = settings->gain_db,
        .black_level_dn = settings->black_level_dn, .width = settings->width, .height = settings->height,
        .offset_x = settings->offset_x, .offset_y = settings->offset_y, .triggered = frame->triggered,
        .timestamp_ns = frame->timestamp_ns,
    };
    if (send(world->socket, &render, sizeof render, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof render) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            camera_lose(camera, "the world of %s has gone: %s", camera->serial, strerror(errno));
        return false;
    }
    world->slots[slot] = SLOT_PENDING;
    frame->slot = slot;
    return true;
}

const uint16_t *world_pixels(const Camera *camera, uint32_t slot) {
    if (!renders(&camera->world))
        return NULL;
    return (const uint16_t *)(const void *)(camera->world.pixels + slot * camera->world.slot_bytes);
}

void world_release(Camera *camera, uint32_t slot) {
    if (!renders(&camera->world))
        return;
    SlotState *state = &camera->world.slots[slot];
    *state = *state == SLOT_PENDING ? SLOT_ABANDONED : SLOT_FREE;
}
