/*
 * A global-shutter sensor with one trigger input.
 *
 *   exposure start ---- exposure end ---- readout end -> frame may be delivered
 *
 * Everything happens at the time of its event (the edge's own time stamp, the end of a delay), even when this code runs
 * a little later; so the jitter of threads never reaches a time stamp or an exposure time.
 */
#include "producer/sensor.h"

#include <math.h>
#include <string.h>

#define READOUT_FULL_FRAME_NS 13.0e6
#define LATE_FREE_RUN_NS 20000000 /* a free run that was held up longer does not catch up */
#define SHORTEST_EXPOSURE_NS 1000
#define FREE_RUN_RENDERS 2 /* frames in the world's hands before a free run waits */
#define SLOW_TO_ARM_NS 50000000
#define IDLE_NS 1000000000

static bool frame_triggered(const Camera *camera) {
    return register_enum(camera, REG_TriggerMode + 4 * TriggerSelector_FrameStart) == TriggerMode_On;
}

int64_t sensor_delay_ns(const Camera *camera, int selector) {
    return llround(register_float(camera, REG_TriggerDelay + 8 * (uint32_t)selector) * 1000.0);
}

static bool instant(const Camera *camera) {
    return register_enum(camera, REG_SensorReadoutMode) == SensorReadoutMode_Instant;
}

Settings sensor_settings(const Camera *camera) {
    Settings settings = {
        .width = (uint32_t)register_integer(camera, REG_Width),
        .height = (uint32_t)register_integer(camera, REG_Height),
        .offset_x = (uint32_t)register_integer(camera, REG_OffsetX),
        .offset_y = (uint32_t)register_integer(camera, REG_OffsetY),
        .pixel_format = (uint32_t)register_enum(camera, REG_PixelFormat),
        .chunk_mode = register_enum(camera, REG_ChunkModeActive) != 0,
        .gain_db = register_float(camera, REG_Gain),
        .black_level_dn = register_float(camera, REG_BlackLevel),
        .exposure_ns = llround(register_float(camera, REG_ExposureTime) * 1000.0),
    };
    for (uint32_t chunk = 0; chunk < CHUNK_COUNT; chunk++)
        if (settings.chunk_mode && register_enum(camera, REG_ChunkEnable + 4 * chunk) != 0)
            settings.chunk_mask |= 1u << chunk;
    double rows = (double)settings.height / (double)register_integer(camera, REG_SensorHeight);
    settings.readout_ns = instant(camera) ? 0 : llround(READOUT_FULL_FRAME_NS * rows);
    return settings;
}

/* ---- exposures ---- */

static void commit(Camera *camera, Frame frame, int64_t end_ns) {
    Sensor *sensor = &camera->sensor;
    frame.end_ns = end_ns;
    int64_t readout_start = end_ns > sensor->readout_end_ns ? end_ns : sensor->readout_end_ns;
    frame.ready_ns = readout_start + frame.settings.readout_ns;
    sensor->exposure_end_ns = end_ns;
    sensor->readout_end_ns = frame.ready_ns;
    camera->stream.started++;
    if (frame.lost)
        return;
    if (sensor->flight_count == MAX_FLIGHT || !world_request(camera, &frame)) {
        camera->stream.underruns++; /* nowhere to put it: the id is used up all the same */
        return;
    }
    sensor->flight[(sensor->flight_first + sensor->flight_count++) % MAX_FLIGHT] = frame;
}

static void begin(Camera *camera, int64_t start_ns, bool triggered, bool width) {
    Sensor *sensor = &camera->sensor;
    Frame frame = {.settings = sensor_settings(camera), .id = sensor->next_id++, .start_ns = start_ns,
                   .timestamp_ns = clock_timestamp_ns(camera, start_ns), .triggered = triggered};
    frame.lost = quirk(QUIRK_frame_after_idle_lost) &&
                 (sensor->last_start_ns == NEVER || start_ns - sensor->last_start_ns > IDLE_NS);
    sensor->last_start_ns = start_ns;
    if (sensor->frames_left > 0 && --sensor->frames_left == 0)
        sensor->acquiring = false;
    if (width) {
        sensor->open = true;
        sensor->current = frame;
    } else {
        commit(camera, frame, start_ns + frame.settings.exposure_ns);
    }
}

static void end_open(Camera *camera, int64_t end_ns) {
    Sensor *sensor = &camera->sensor;
    int64_t earliest = sensor->current.start_ns + SHORTEST_EXPOSURE_NS;
    sensor->open = sensor->width_held = false;
    sensor->pending_end_ns = NEVER;
    commit(camera, sensor->current, end_ns > earliest ? end_ns : earliest);
}

static int64_t open_limit_ns(const Camera *camera) {
    return camera->sensor.current.start_ns + (int64_t)10 * 1000000000; /* the longest exposure time there is */
}

bool sensor_can_start(const Camera *camera, int64_t start_ns, bool width) {
    const Sensor *sensor = &camera->sensor;
    if (!sensor->acquiring || sensor->awaiting_start_trigger || start_ns < sensor->run_start_ns)
        return false;
    if (quirk(QUIRK_slow_to_arm) && start_ns < sensor->run_start_ns + SLOW_TO_ARM_NS)
        return false;
    if (sensor->open || sensor->pending_start_ns != NEVER)
        return false;
    if (register_enum(camera, REG_TriggerOverlap) == TriggerOverlap_Off)
        return start_ns >= sensor->readout_end_ns;
    int64_t end_ns = start_ns + sensor_settings(camera).exposure_ns;
    return start_ns >= sensor->exposure_end_ns && (width || end_ns >= sensor->readout_end_ns);
}

/* ---- time ---- */

static size_t unrendered(const Sensor *sensor) {
    size_t count = 0;
    for (size_t i = 0; i < sensor->flight_count; i++)
        count += !sensor->flight[(sensor->flight_first + i) % MAX_FLIGHT].rendered;
    return count;
}

static int64_t free_run_period_ns(const Camera *camera) {
    if (register_enum(camera, REG_AcquisitionFrameRateEnable) == 0)
        return 0;
    return llround(1e9 / register_float(camera, REG_AcquisitionFrameRate));
}

static int64_t free_run_start_ns(const Camera *camera) {
    const Sensor *sensor = &camera->sensor;
    if (!sensor->acquiring || sensor->awaiting_start_trigger || frame_triggered(camera) || sensor->open ||
        sensor->pending_start_ns != NEVER)
        return NEVER;
    if (sensor->flight_count == MAX_FLIGHT || unrendered(sensor) >= FREE_RUN_RENDERS)
        return NEVER; /* the worker is told when that changes */
    if (instant(camera) && camera->stream.input.count <= sensor->flight_count)
        return NEVER;
    int64_t start_ns = sensor->run_start_ns;
    int64_t after_readout = sensor->readout_end_ns - sensor_settings(camera).exposure_ns;
    if (sensor->exposure_end_ns > start_ns)
        start_ns = sensor->exposure_end_ns;
    if (after_readout > start_ns)
        start_ns = after_readout;
    if (sensor->last_start_ns != NEVER && sensor->last_start_ns + free_run_period_ns(camera) > start_ns)
        start_ns = sensor->last_start_ns + free_run_period_ns(camera);
    return start_ns;
}

int64_t sensor_advance(Camera *camera, int64_t now_ns) {
    Sensor *sensor = &camera->sensor;
    for (;;) {
        int64_t edge = sensor->edge_count > 0 ? sensor->edges[0].t_ns : NEVER;
        int64_t start = sensor->pending_start_ns;
        int64_t end = sensor->open ? sensor->pending_end_ns : NEVER;
        if (sensor->open && open_limit_ns(camera) < end)
            end = open_limit_ns(camera);
        int64_t free_run = free_run_start_ns(camera);
        int64_t due = start < end ? start : end;
        due = edge < due ? edge : due;
        due = free_run < due ? free_run : due;
        if (due > now_ns)
            return due;
        if (start == due) {
            sensor->pending_start_ns = NEVER;
            begin(camera, start, true, sensor->pending_width);
        } else if (end == due) {
            end_open(camera, end);
        } else if (edge == due) {
            LineEdge first = sensor->edges[0];
            sensor->edge_count--;
            memmove(sensor->edges, sensor->edges + 1, sensor->edge_count * sizeof first);
            trigger_line_changed(camera, &first);
        } else {
            begin(camera, now_ns - free_run > LATE_FREE_RUN_NS ? now_ns : free_run, false, false);
        }
    }
}

void sensor_start(Camera *camera, int64_t now_ns) {
    Sensor *sensor = &camera->sensor;
    if (sensor->acquiring)
        return;
    sensor->acquiring = true;
    sensor->awaiting_start_trigger =
        register_enum(camera, REG_TriggerMode + 4 * TriggerSelector_AcquisitionStart) == TriggerMode_On;
    sensor->run_start_ns = now_ns;
    sensor->last_start_ns = NEVER;
    sensor->next_id = 0;
    switch (register_enum(camera, REG_AcquisitionMode)) {
    case AcquisitionMode_SingleFrame: sensor->frames_left = 1; break;
    case AcquisitionMode_MultiFrame: sensor->frames_left = register_integer(camera, REG_AcquisitionFrameCount); break;
    default: sensor->frames_left = -1;
    }
    register_set_integer(camera, REG_FrameTriggerIgnoredCount, 0);
}

void sensor_stop(Camera *camera) {
    Sensor *sensor = &camera->sensor;
    sensor->acquiring = sensor->awaiting_start_trigger = sensor->open = sensor->width_held = false;
    sensor->armed = false;
    sensor->pending_start_ns = sensor->pending_end_ns = NEVER;
}

void sensor_reset(Camera *camera) {
    Sensor *sensor = &camera->sensor;
    sensor_stop(camera);
    sensor_drop_all(camera);
    sensor->edge_count = 0;
    sensor->last_start_ns = NEVER;
    sensor->exposure_end_ns = sensor->readout_end_ns = 0;
}

bool sensor_line_level(const Camera *camera) {
    return (camera->sensor.raw_level != 0) != (register_enum(camera, REG_LineInverter) != 0);
}

bool sensor_status(const Camera *camera, int which, int64_t now_ns) {
    const Sensor *sensor = &camera->sensor;
    switch (which) {
    case AcquisitionStatusSelector_AcquisitionTriggerWait: return sensor->awaiting_start_trigger;
    case AcquisitionStatusSelector_AcquisitionActive: return sensor->acquiring;
    case AcquisitionStatusSelector_ExposureActive:
        return sensor->open || (sensor->last_start_ns <= now_ns && now_ns < sensor->exposure_end_ns);
    default: {
        if (quirk(QUIRK_pulse_arms) && !sensor->armed)
            return false;
        bool width = register_enum(camera, REG_ExposureMode) == ExposureMode_TriggerWidth;
        int64_t start_ns = now_ns + sensor_delay_ns(camera, TriggerSelector_FrameStart);
        return frame_triggered(camera) && sensor_can_start(camera, start_ns, width);
    }
    }
}

double sensor_resulting_rate_hz(const Camera *camera) {
    Settings settings = sensor_settings(camera);
    int64_t period = settings.exposure_ns > settings.readout_ns ? settings.exposure_ns : settings.readout_ns;
    int64_t asked = free_run_period_ns(camera);
    return 1e9 / (double)(asked > period ? asked : period);
}

/* ---- frames in flight ---- */

Frame *sensor_oldest(Camera *camera) {
    Sensor *sensor = &camera->sensor;
    return sensor->flight_count > 0 ? &sensor->flight[sensor->flight_first] : NULL;
}

void sensor_drop_oldest(Camera *camera) {
    Sensor *sensor = &camera->sensor;
    world_release(camera, sensor->flight[sensor->flight_first].slot);
    sensor->flight_first = (sensor->flight_first + 1) % MAX_FLIGHT;
    sensor->flight_count--;
}

void sensor_drop_all(Camera *camera) {
    while (camera->sensor.flight_count > 0)
        sensor_drop_oldest(camera);
}
