/* From the line and from software to the sensor: which edges are triggers, and which triggers are taken. */
#include "producer/sensor.h"

void sensor_ignore_trigger(Camera *camera) {
    if (camera->sensor.acquiring)
        register_set_integer(camera, REG_FrameTriggerIgnoredCount,
                             register_integer(camera, REG_FrameTriggerIgnoredCount) + 1);
}

static void frame_trigger(Camera *camera, int64_t t_ns, bool width, int held_level) {
    Sensor *sensor = &camera->sensor;
    if (!sensor->acquiring || (t_ns < sensor->run_start_ns && !sensor->awaiting_start_trigger))
        return; /* the camera was not listening yet */
    if (quirk(QUIRK_slow_to_arm) && !sensor_can_start(camera, t_ns, width))
        return;
    if (quirk(QUIRK_pulse_arms)) {
        sensor->armed = !sensor->armed;
        if (sensor->armed)
            return;
    }
    int64_t start_ns = t_ns + sensor_delay_ns(camera, TriggerSelector_FrameStart);
    if (!sensor_can_start(camera, start_ns, width)) {
        sensor_ignore_trigger(camera);
        return;
    }
    sensor->pending_start_ns = start_ns;
    sensor->pending_width = sensor->width_held = width;
    sensor->width_level = held_level;
}

static void trigger(Camera *camera, int selector, int64_t t_ns, bool width, int held_level) {
    Sensor *sensor = &camera->sensor;
    if (register_enum(camera, REG_TriggerMode + 4 * (uint32_t)selector) != TriggerMode_On)
        return;
    if (selector == TriggerSelector_FrameStart) {
        frame_trigger(camera, t_ns, width, held_level);
    } else if (sensor->acquiring && sensor->awaiting_start_trigger) {
        sensor->awaiting_start_trigger = false;
        sensor->run_start_ns = t_ns + sensor_delay_ns(camera, selector);
    }
}

static bool activated(const Camera *camera, int selector, int level) {
    switch (register_enum(camera, REG_TriggerActivation + 4 * (uint32_t)selector)) {
    case TriggerActivation_RisingEdge: return level == 1;
    case TriggerActivation_FallingEdge: return level == 0;
    default: return true;
    }
}

void trigger_line_changed(Camera *camera, const LineEdge *edge) {
    Sensor *sensor = &camera->sensor;
    if (edge->level == sensor->raw_level)
        return;
    sensor->raw_level = edge->level;
    int level = sensor_line_level(camera) ? 1 : 0;
    if (sensor->width_held && level != sensor->width_level) {
        sensor->width_held = false;
        sensor->pending_end_ns = edge->t_ns + sensor_delay_ns(camera, TriggerSelector_FrameStart);
        return;
    }
    bool width = register_enum(camera, REG_ExposureMode) == ExposureMode_TriggerWidth;
    for (int selector = TriggerSelector_AcquisitionStart; selector >= TriggerSelector_FrameStart; selector--)
        if (register_enum(camera, REG_TriggerSource + 4 * (uint32_t)selector) == TriggerSource_Line0 &&
            activated(camera, selector, level))
            trigger(camera, selector, edge->t_ns, width, level);
}

void sensor_edge(Camera *camera, int line, int level, int64_t t_ns) {
    Sensor *sensor = &camera->sensor;
    if (line != 0 || sensor->edge_count == MAX_EDGES)
        return;
    /* Kept in the order of their times, because some may lie ahead. */
    size_t place = sensor->edge_count++;
    for (; place > 0 && sensor->edges[place - 1].t_ns > t_ns; place--)
        sensor->edges[place] = sensor->edges[place - 1];
    sensor->edges[place] = (LineEdge){.t_ns = t_ns, .line = line, .level = level != 0};
    sensor_advance(camera, monotonic_ns()); /* at once: the worker may be busy with a copy */
}

void sensor_software_trigger(Camera *camera, int selector, int64_t t_ns) {
    if (register_enum(camera, REG_TriggerSource + 4 * (uint32_t)selector) != TriggerSource_Software)
        return;
    sensor_advance(camera, t_ns);
    trigger(camera, selector, t_ns, false, 0);
    sensor_advance(camera, t_ns);
}
