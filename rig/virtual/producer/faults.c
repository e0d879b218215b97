/*
 * Faults to order: what a cable, a driver or a maker's library does wrong one day, done on the word of the world.
 *
 * Nothing here happens by itself. The world decides and counts; protocol.h tells what each order means.
 */
#include <math.h>
#include <signal.h>
#include <time.h>

#include "producer/camera.h"
#include "producer/sensor.h"
#include "protocol.h"

#define LONGEST_S 1e6

static int64_t length_ns(double seconds) {
    return seconds >= 0 && seconds < LONGEST_S ? llround(seconds * 1e9) : NEVER;
}

static Frame *in_flight(Sensor *sensor, size_t place) {
    return &sensor->flight[(sensor->flight_first + place) % MAX_FLIGHT];
}

/* What needs no frame; false if there is no such fault. */
static bool strike(Camera *camera, uint32_t fault, int64_t lasts_ns) {
    switch (fault) {
    case BRW_HANG_EVENT:
    case BRW_HANG_PORT:
    case BRW_HANG_STREAM: camera->hang = (Hang){.call = fault, .length_ns = lasts_ns}; return true;
    case BRW_CRASH: raise(SIGSEGV); return true;
    case BRW_UNPLUG: camera_lose(camera, "%s was unplugged", camera->serial); return true;
    case BRW_IGNORE: sensor_ignore_trigger(camera); return true;
    default: return false;
    }
}

bool fault_ordered(Camera *camera, uint32_t fault, uint64_t frame_id, double seconds) {
    Sensor *sensor = &camera->sensor;
    if (frame_id == BRW_AT_ONCE)
        return strike(camera, fault, length_ns(seconds));
    if (fault < BRW_LOSE || fault > BRW_IGNORE)
        return false;
    for (size_t i = 0; i < sensor->flight_count; i++) {
        Frame *frame = in_flight(sensor, i);
        if (frame->id != frame_id)
            continue;
        if (fault == BRW_LATE && length_ns(seconds) != NEVER) {
            frame->ready_ns += length_ns(seconds);
        } else {
            frame->fault = fault;
            frame->fault_ns = length_ns(seconds);
        }
    }
    return true; /* a frame that was dropped meanwhile needs no fault any more */
}

void fault_reorder(Camera *camera, int64_t now_ns) {
    Sensor *sensor = &camera->sensor;
    if (sensor->flight_count == 0)
        return;
    Frame *oldest = in_flight(sensor, 0);
    if (oldest->fault != BRW_SWAP)
        return;
    if (sensor->flight_count > 1) {
        oldest->fault = 0;
        Frame held = *oldest;
        *oldest = *in_flight(sensor, 1);
        held.ready_ns = oldest->ready_ns;
        *in_flight(sensor, 1) = held;
    } else if (oldest->ready_ns <= now_ns) {
        if (oldest->fault_ns > 0 && oldest->fault_ns != NEVER)
            oldest->ready_ns = now_ns + oldest->fault_ns; /* once */
        else
            oldest->fault = 0;
        oldest->fault_ns = 0;
    }
}

bool fault_of_delivery(Camera *camera, Frame *frame) {
    uint32_t fault = frame->fault;
    if (fault == BRW_LOSE)
        return true;
    if (fault > BRW_SWAP) {
        frame->fault = 0;
        strike(camera, fault, frame->fault_ns);
    }
    return camera->lost;
}

void fault_hang(Camera *camera, uint32_t call) {
    if (camera->hang.call != call)
        return;
    int64_t until_ns = camera->hang.length_ns == NEVER ? NEVER : monotonic_ns() + camera->hang.length_ns;
    camera->hang.call = 0;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    while (until_ns == NEVER || monotonic_ns() < until_ns) {
        if (until_ns == NEVER)
            pthread_cond_wait(&camera->changed, &camera->lock);
        else
            pthread_cond_timedwait(&camera->changed, &camera->lock, &until);
    }
}
