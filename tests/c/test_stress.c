/* Both cameras, each with a thread that fetches and one that writes features, while lines pulse and streams restart. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "host.h"
#include "tests.h"

enum { ROUNDS = 6, PULSES = 60, PULSE_US = 1000 };

typedef struct {
    Host host;
    int camera;
    atomic_bool running, over;
    atomic_long frames;
} Station;

/* Fetch as the rig does; ids grow within a run and start anew with the next, times always grow. */
static void *fetch_all(void *argument) {
    Station *station = argument;
    uint64_t last_id = 0, last_ns = 0;
    while (!station->over) {
        EVENT_NEW_BUFFER_DATA data;
        size_t size = sizeof data;
        if (EventGetData(station->host.event, &data, &size, 2) != GC_ERR_SUCCESS)
            continue;
        uint64_t id, t_ns;
        size = sizeof id;
        if (DSGetBufferInfo(station->host.stream, data.BufferHandle, BUFFER_INFO_FRAMEID, NULL, &id, &size) !=
            GC_ERR_SUCCESS)
            continue; /* revoked by a stop in between */
        if (DSGetBufferInfo(station->host.stream, data.BufferHandle, BUFFER_INFO_TIMESTAMP_NS, NULL, &t_ns, &size) !=
            GC_ERR_SUCCESS)
            continue;
        CHECK(t_ns > last_ns);
        CHECK(id > last_id || id < PULSES);
        last_id = id;
        last_ns = t_ns;
        station->frames++;
        DSQueueBuffer(station->host.stream, data.BufferHandle); /* refused when a stop came first */
    }
    return NULL;
}

static void *write_features(void *argument) {
    Station *station = argument;
    for (int i = 0; !station->over; i++) {
        CHECK_EQUAL(host_write_float(&station->host, REG_ExposureTime, 20 + i % 200), GC_ERR_SUCCESS);
        CHECK_EQUAL(host_write_float(&station->host, REG_Gain, i % 20), GC_ERR_SUCCESS);
        CHECK(host_integer(&station->host, REG_FrameTriggerIgnoredCount) >= 0);
        host_sleep_ms(1);
    }
    return NULL;
}

static void pulse_both(void) {
    int64_t t_ns = host_now_ns();
    for (int i = 0; i < PULSES; i++)
        for (int camera = 0; camera < 2; camera++) {
            beamrig_edge(camera, 0, 1, t_ns + i * PULSE_US * 1000LL);
            beamrig_edge(camera, 0, 0, t_ns + i * PULSE_US * 1000LL + 5000);
            if (i % 10 == 9 && camera == 1)
                host_sleep_ms(10 * PULSE_US / 1000);
        }
}

void many_threads_at_once_keep_the_order(void) {
    Library library = library_open();
    static Station stations[2];
    pthread_t threads[4];
    for (int i = 0; i < 2; i++) {
        stations[i].camera = i;
        stations[i].over = false;
        stations[i].frames = 0;
        stations[i].host = host_open(&library, i);
        host_line_triggered(&stations[i].host);
        pthread_create(&threads[2 * i], NULL, fetch_all, &stations[i]);
        pthread_create(&threads[2 * i + 1], NULL, write_features, &stations[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 2; i++)
            host_start(&stations[i].host, 8);
        pulse_both();
        for (int i = 0; i < 2; i++)
            host_stop(&stations[i].host);
    }
    for (int i = 0; i < 2; i++)
        stations[i].over = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        CHECK(stations[i].frames > 0);
        host_close(&stations[i].host);
    }
    library_close(&library);
}
