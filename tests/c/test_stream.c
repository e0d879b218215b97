/* Buffers and queues: under-run, stop, flush, small buffers, events. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "tests.h"

static void software_triggered(Host *host) {
    host_write_enum(host, REG_TriggerMode, TriggerMode_On);
    host_write_float(host, REG_ExposureTime, 20);
}

/* Trigger and see the exposure through: wait until the camera waits again. */
static void shoot(Host *host) {
    CHECK_EQUAL(host_write_enum(host, REG_TriggerSoftware, 1), GC_ERR_SUCCESS);
    while (host_enum(host, REG_AcquisitionStatus + 4 * AcquisitionStatusSelector_FrameTriggerWait) == 0)
        host_sleep_ms(1);
}

static void wait_for(Host *host, int32_t counter, uint64_t value) {
    for (int i = 0; i < 2000 && stream_counter(host, counter) != value; i++)
        host_sleep_ms(1);
    CHECK_EQUAL(stream_counter(host, counter), value);
}

void underrun_is_a_gap_in_the_frame_ids(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    software_triggered(&host);
    host_start(&host, 3);
    for (int i = 0; i < 10; i++)
        shoot(&host);
    wait_for(&host, STREAM_INFO_NUM_UNDERRUN, 7);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_AWAIT_DELIVERY), 3);
    bool got;
    for (uint64_t id = 0; id < 3; id++) {
        Delivered frame = host_fetch(&host, &got);
        CHECK(got && frame.id == id);
        DSQueueBuffer(host.stream, frame.handle);
    }
    shoot(&host);
    Delivered frame = host_fetch(&host, &got);
    CHECK(got && frame.id == 10);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_STARTED), 11);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_DELIVERED), 4);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void stop_while_frames_run_gives_all_buffers_back(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_write_integer(&host, REG_Width, 2448);
    host_write_integer(&host, REG_Height, 2048);
    host_write_enum(&host, REG_SensorReadoutMode, SensorReadoutMode_Instant);
    host_write_enum(&host, REG_AcquisitionFrameRateEnable, 0);
    host_write_float(&host, REG_ExposureTime, 10);
    for (int round = 0; round < 8; round++) {
        host_start(&host, 3); /* the first revoke would be BUSY if a copy still ran */
        bool got;
        Delivered frame = host_fetch(&host, &got);
        CHECK(got && frame.id == 0);
        if (round % 2 == 0)
            DSQueueBuffer(host.stream, frame.handle);
        host_stop(&host);
        CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_QUEUED), 0);
    }
    host_close(&host);
    library_close(&library);
}

void queued_buffers_cannot_be_revoked(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    BUFFER_HANDLE buffer, found;
    CHECK_EQUAL(DSAllocAndAnnounceBuffer(host.stream, 8192, NULL, &buffer), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSGetBufferID(host.stream, 0, &found), GC_ERR_SUCCESS);
    CHECK(found == buffer);
    CHECK_EQUAL(DSGetBufferID(host.stream, 1, &found), GC_ERR_INVALID_INDEX);
    CHECK_EQUAL(DSQueueBuffer(host.stream, buffer), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSQueueBuffer(host.stream, buffer), GC_ERR_BUSY);
    CHECK_EQUAL(DSRevokeBuffer(host.stream, buffer, NULL, NULL), GC_ERR_BUSY);
    CHECK_EQUAL(DSFlushQueue(host.stream, ACQ_QUEUE_INPUT_TO_OUTPUT), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSRevokeBuffer(host.stream, buffer, NULL, NULL), GC_ERR_BUSY);
    CHECK_EQUAL(DSFlushQueue(host.stream, ACQ_QUEUE_OUTPUT_DISCARD), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSFlushQueue(host.stream, ACQ_QUEUE_UNQUEUED_TO_INPUT), GC_ERR_SUCCESS);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_QUEUED), 1);
    CHECK_EQUAL(DSFlushQueue(host.stream, ACQ_QUEUE_ALL_DISCARD), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSRevokeBuffer(host.stream, buffer, NULL, NULL), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSQueueBuffer(host.stream, buffer), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(DSAllocAndAnnounceBuffer(host.stream, 8192, NULL, &buffer), GC_ERR_SUCCESS); /* DSClose frees it */
    host_close(&host);
    library_close(&library);
}

void a_buffer_that_is_too_small_is_incomplete(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    software_triggered(&host);
    host_start(&host, 0);
    BUFFER_HANDLE buffer;
    uint8_t *memory = malloc(100);
    CHECK_EQUAL(DSAnnounceBuffer(host.stream, memory, 100, &memory, &buffer), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSQueueBuffer(host.stream, buffer), GC_ERR_SUCCESS);
    shoot(&host);
    bool got;
    Delivered frame = host_fetch(&host, &got);
    CHECK(got && frame.incomplete);
    host_stop(&host);
    host_close(&host);
    free(memory);
    library_close(&library);
}

void finite_acquisition_ends_by_itself(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    software_triggered(&host);
    BUFFER_HANDLE buffers[4];
    for (int i = 0; i < 4; i++) {
        DSAllocAndAnnounceBuffer(host.stream, 2 * SMALL_WIDTH * SMALL_HEIGHT, NULL, &buffers[i]);
        DSQueueBuffer(host.stream, buffers[i]);
    }
    CHECK_EQUAL(DSStartAcquisition(host.stream, 0, 2), GC_ERR_SUCCESS);
    CHECK_EQUAL(DSStartAcquisition(host.stream, 0, 2), GC_ERR_RESOURCE_IN_USE);
    host_write_enum(&host, REG_AcquisitionStart, 1);
    for (int i = 0; i < 4; i++)
        shoot(&host);
    wait_for(&host, STREAM_INFO_NUM_DELIVERED, 2);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_UNDERRUN), 0);
    host_write_enum(&host, REG_AcquisitionStop, 1);
    host_close(&host);
    library_close(&library);
}

static void *kill_later(void *event) {
    host_sleep_ms(30);
    CHECK_EQUAL(EventKill(event), GC_ERR_SUCCESS);
    return NULL;
}

static void *close_later(void *device) {
    host_sleep_ms(30);
    CHECK_EQUAL(DevClose(device), GC_ERR_SUCCESS);
    return NULL;
}

void waiting_ends_with_kill_and_with_close(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    EVENT_NEW_BUFFER_DATA data;
    size_t size = sizeof data;
    pthread_t thread;
    CHECK_EQUAL(EventGetData(host.event, &data, &size, 0), GC_ERR_TIMEOUT);
    pthread_create(&thread, NULL, kill_later, host.event);
    CHECK_EQUAL(EventGetData(host.event, &data, &size, GENTL_INFINITE), GC_ERR_ABORT);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, close_later, host.device);
    CHECK_EQUAL(EventGetData(host.event, &data, &size, GENTL_INFINITE), GC_ERR_ABORT);
    pthread_join(thread, NULL);
    CHECK_EQUAL(EventKill(host.event), GC_ERR_INVALID_HANDLE);
    library_close(&library);
}

void the_pattern_is_the_documented_one(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    software_triggered(&host);
    host_write_float(&host, REG_ExposureTime, 2500);
    host_write_float(&host, REG_Gain, 6);
    host_write_float(&host, REG_BlackLevel, 100);
    host_write_integer(&host, REG_OffsetX, 2044);
    host_write_integer(&host, REG_OffsetY, 1030);
    host_start(&host, 4);
    for (uint64_t id = 0; id < 3; id++) {
        shoot(&host);
        bool got;
        Delivered frame = host_fetch(&host, &got);
        CHECK(got);
        long wrong = 0;
        for (uint64_t y = 0; got && y < SMALL_HEIGHT; y++)
            for (uint64_t x = 0; x < SMALL_WIDTH; x++) {
                int64_t k = (int64_t)((x + 2044 + 2 * (y + 1030) + 16 * id) % 2048);
                int64_t code = 100 + ((k * 2500000 / 10000000 * llround(65536 * pow(10, 0.3))) >> 16);
                uint16_t pixel;
                memcpy(&pixel, frame.data + 2 * (y * SMALL_WIDTH + x), sizeof pixel);
                wrong += pixel != code;
            }
        CHECK_EQUAL(wrong, 0);
        DSQueueBuffer(host.stream, frame.handle);
    }
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void automatic_exposure_and_gain_reach_their_target(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_write_integer(&host, REG_Width, 2048); /* one period of the ramp */
    host_write_float(&host, REG_AcquisitionFrameRate, 500);
    host_write_float(&host, REG_ExposureTime, 100);
    host_write_enum(&host, REG_ExposureAuto, ExposureAuto_Once);
    host_start(&host, 4);
    bool got = true;
    for (int i = 0; i < 40 && got && host_enum(&host, REG_ExposureAuto) != ExposureAuto_Off; i++) {
        Delivered frame = host_fetch(&host, &got);
        DSQueueBuffer(host.stream, frame.handle);
    }
    CHECK_EQUAL(host_enum(&host, REG_ExposureAuto), ExposureAuto_Off);
    /* The ramp's mean is 1023 at 10 ms; the target is 1200. */
    CHECK(fabs(host_float(&host, REG_ExposureTime) - 11730) < 800);
    host_write_float(&host, REG_ExposureTime, 5000);
    host_write_enum(&host, REG_GainAuto, GainAuto_Continuous);
    for (int i = 0; i < 30 && got; i++) {
        Delivered frame = host_fetch(&host, &got);
        DSQueueBuffer(host.stream, frame.handle);
    }
    CHECK(fabs(host_float(&host, REG_Gain) - 7.4) < 0.7);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}
