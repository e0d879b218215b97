/* The sensor's state machine: triggers in, exposures out. All functions want the camera's lock. */
#ifndef BEAMRIG_SENSOR_H
#define BEAMRIG_SENSOR_H

#include "producer/camera.h"

Settings sensor_settings(const Camera *camera);
void sensor_start(Camera *camera, int64_t now_ns);
void sensor_stop(Camera *camera);
void sensor_reset(Camera *camera); /* forget everything but the level of the line */
void sensor_edge(Camera *camera, int line, int level, int64_t t_ns);
void sensor_software_trigger(Camera *camera, int selector, int64_t t_ns);
void trigger_line_changed(Camera *camera, const LineEdge *edge);
void sensor_ignore_trigger(Camera *camera); /* count one */
bool sensor_status(const Camera *camera, int which, int64_t now_ns);
bool sensor_line_level(const Camera *camera);
double sensor_resulting_rate_hz(const Camera *camera);

/* Time from a trigger to its effect. */
int64_t sensor_delay_ns(const Camera *camera, int selector);

/* Could an exposure start at that time? `width`: its length is not known yet. */
bool sensor_can_start(const Camera *camera, int64_t start_ns, bool width);

/* Do everything that is due; return when something is due next (NEVER: only after an event). */
int64_t sensor_advance(Camera *camera, int64_t now_ns);

/* The oldest exposure that was not taken yet, or NULL. */
Frame *sensor_oldest(Camera *camera);
void sensor_drop_oldest(Camera *camera);
void sensor_drop_all(Camera *camera);

#endif
