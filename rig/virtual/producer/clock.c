/* The camera's own clock: an offset and a drift against CLOCK_MONOTONIC, both 0 unless the world gives them. */
#include <math.h>

#include "producer/camera.h"

int64_t clock_timestamp_ns(const Camera *camera, int64_t t_ns) {
    const Clock *clock = &camera->clock;
    return t_ns + clock->offset_ns + llround((double)(t_ns - clock->zero_ns) * clock->drift_ppm * 1e-6);
}
