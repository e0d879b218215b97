/* The back door for tests: change a line of a camera of this process, without a world. */
#include "producer/camera.h"
#include "producer/sensor.h"

void beamrig_edge(int camera, int line, int level, int64_t t_ns) {
    cameras_power_up();
    if (camera < 0 || camera >= CAMERA_COUNT)
        return;
    pthread_mutex_lock(&cameras[camera].lock);
    sensor_edge(&cameras[camera], line, level, t_ns);
    camera_changed(&cameras[camera]);
    pthread_mutex_unlock(&cameras[camera].lock);
}
