/* The sensor: which triggers become frames, when, and for how long. Edges carry their own times, so nothing here waits
 * for the right moment. */
#include <string.h>

#include "host.h"
#include "tests.h"

#define MS 1000000LL

static void pulse(int camera, int64_t t_ns, int64_t width_ns) {
    beamrig_edge(camera, 0, 1, t_ns);
    beamrig_edge(camera, 0, 0, t_ns + width_ns);
}

/* Fetch a frame, check its id and start time, queue it again. */
static void expect_frame(Host *host, uint64_t id, int64_t t_ns) {
    bool got;
    Delivered frame = host_fetch(host, &got);
    CHECK(got);
    if (!got)
        return;
    CHECK_EQUAL(frame.id, id);
    if (t_ns != 0)
        CHECK_EQUAL(frame.timestamp_ns, t_ns);
    CHECK_EQUAL(DSQueueBuffer(host->stream, frame.handle), GC_ERR_SUCCESS);
}

static int64_t ignored(Host *host) {
    return host_integer(host, REG_FrameTriggerIgnoredCount);
}

static double chunk_exposure_us(Host *host, Delivered frame) {
    SINGLE_CHUNK_DATA chunks[CHUNK_COUNT];
    size_t count = CHUNK_COUNT;
    double exposure_us = -1;
    CHECK_EQUAL(DSGetBufferChunkData(host->stream, frame.handle, chunks, &count), GC_ERR_SUCCESS);
    CHECK_EQUAL(count, CHUNK_COUNT);
    for (size_t i = 0; i < count; i++)
        if (chunks[i].ChunkID == CHUNK_ID_ChunkExposureTime)
            memcpy(&exposure_us, frame.data + chunks[i].ChunkOffset, sizeof exposure_us);
    return exposure_us;
}

void software_triggers_make_one_frame_each(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_write_enum(&host, REG_TriggerMode, TriggerMode_On);
    host_write_float(&host, REG_ExposureTime, 100);
    host_start(&host, 4);
    CHECK(host_silent(&host));
    CHECK_EQUAL(host_enum(&host, REG_AcquisitionStatus + 4 * AcquisitionStatusSelector_FrameTriggerWait), 1);
    for (uint64_t id = 0; id < 6; id++) {
        CHECK_EQUAL(host_write_enum(&host, REG_TriggerSoftware, 1), GC_ERR_SUCCESS);
        expect_frame(&host, id, 0);
    }
    CHECK(host_silent(&host));
    beamrig_edge(0, 0, 1, host_now_ns()); /* another source */
    beamrig_edge(0, 0, 0, host_now_ns());
    CHECK(host_silent(&host));
    CHECK_EQUAL(ignored(&host), 0);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void both_cameras_take_the_time_of_the_edge(void) {
    Library library = library_open();
    Host hosts[2] = {host_open(&library, 0), host_open(&library, 1)};
    for (int i = 0; i < 2; i++) {
        host_line_triggered(&hosts[i]);
        host_write_float(&hosts[i], REG_ExposureTime, i == 0 ? 3000 : 200);
        host_start(&hosts[i], 4);
    }
    for (uint64_t id = 0; id < 5; id++) {
        int64_t t_ns = host_now_ns();
        pulse(0, t_ns, MS);
        pulse(1, t_ns, MS);
        expect_frame(&hosts[0], id, t_ns);
        expect_frame(&hosts[1], id, t_ns);
    }
    for (int i = 0; i < 2; i++) {
        host_stop(&hosts[i]);
        host_close(&hosts[i]);
    }
    library_close(&library);
}

void triggers_in_exposure_or_readout_are_counted(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_line_triggered(&host);
    host_write_float(&host, REG_ExposureTime, 5000);
    CHECK_EQUAL(host_float(&host, REG_SensorReadoutTime), 13000.0 * SMALL_HEIGHT / 2048);
    host_start(&host, 8);
    int64_t t = host_now_ns();
    pulse(0, t, MS / 10);
    pulse(0, t + 4 * MS, MS / 10);           /* in exposure */
    pulse(0, t + 5 * MS + MS / 5, MS / 10);  /* in readout, which takes 0.406 ms */
    pulse(0, t + 5 * MS + MS / 2, MS / 10);  /* free again */
    expect_frame(&host, 0, t);
    expect_frame(&host, 1, t + 5 * MS + MS / 2);
    CHECK_EQUAL(ignored(&host), 2);
    CHECK(host_silent(&host));
    host_write_enum(&host, REG_FrameTriggerIgnoredCountReset, 1);
    CHECK_EQUAL(ignored(&host), 0);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void overlap_takes_a_trigger_in_readout_that_ends_after_it(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    CHECK_EQUAL(host_write_integer(&host, REG_Height, 2048), GC_ERR_SUCCESS); /* 13 ms of readout */
    host_line_triggered(&host);
    host_write_enum(&host, REG_TriggerOverlap, TriggerOverlap_ReadOut);
    host_write_float(&host, REG_ExposureTime, 5000);
    host_start(&host, 8);
    int64_t t = host_now_ns();
    pulse(0, t, MS / 10);
    pulse(0, t + 4 * MS, MS / 10);   /* in exposure */
    pulse(0, t + 10 * MS, MS / 10);  /* would end at 15 ms, readout at 18 ms */
    pulse(0, t + 14 * MS, MS / 10);  /* ends at 19 ms */
    expect_frame(&host, 0, t);
    expect_frame(&host, 1, t + 14 * MS);
    CHECK_EQUAL(ignored(&host), 2);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void trigger_width_is_the_exposure(void) {
    Library library = library_open();
    Host host = host_open(&library, 1);
    host_line_triggered(&host);
    host_write_enum(&host, REG_ChunkModeActive, 1);
    host_write_enum(&host, REG_ExposureMode, ExposureMode_TriggerWidth);
    host_write_float(&host, REG_TriggerDelay, 250);
    host_start(&host, 4);
    int64_t t = host_now_ns();
    pulse(1, t, 2 * MS + 345678);
    bool got;
    Delivered frame = host_fetch(&host, &got);
    CHECK(got);
    if (got) {
        CHECK_EQUAL(frame.timestamp_ns, t + 250000);
        CHECK(chunk_exposure_us(&host, frame) == 2345.678);
        DSQueueBuffer(host.stream, frame.handle);
    }
    host_write_enum(&host, REG_LineInverter, 1); /* now the line is high at rest */
    host_write_enum(&host, REG_TriggerActivation, TriggerActivation_FallingEdge);
    t = host_now_ns();
    pulse(1, t, MS); /* falls and rises, seen through the inverter */
    frame = host_fetch(&host, &got);
    CHECK(got);
    if (got)
        CHECK(chunk_exposure_us(&host, frame) == 1000.0);
    CHECK_EQUAL(host_enum(&host, REG_LineStatus), 1);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void any_edge_and_delay(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_line_triggered(&host);
    host_write_enum(&host, REG_TriggerActivation, TriggerActivation_AnyEdge);
    host_write_float(&host, REG_TriggerDelay, 1500);
    host_write_float(&host, REG_ExposureTime, 100);
    host_start(&host, 4);
    int64_t t = host_now_ns();
    pulse(0, t, 5 * MS);
    expect_frame(&host, 0, t + 1500000);
    expect_frame(&host, 1, t + 6 * MS + 500000);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void the_start_trigger_opens_the_gate(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    uint32_t start = 4 * TriggerSelector_AcquisitionStart;
    host_write_enum(&host, REG_TriggerMode + start, TriggerMode_On);
    host_write_enum(&host, REG_TriggerSource + start, TriggerSource_Software);
    host_write_enum(&host, REG_AcquisitionMode, AcquisitionMode_MultiFrame);
    host_write_integer(&host, REG_AcquisitionFrameCount, 3);
    host_write_float(&host, REG_AcquisitionFrameRate, 200);
    host_write_float(&host, REG_ExposureTime, 100);
    host_start(&host, 4);
    CHECK(host_silent(&host));
    CHECK_EQUAL(host_enum(&host, REG_AcquisitionStatus + 4 * AcquisitionStatusSelector_AcquisitionTriggerWait), 1);
    host_write_enum(&host, REG_TriggerSoftware + start, 1);
    for (uint64_t id = 0; id < 3; id++)
        expect_frame(&host, id, 0);
    CHECK(host_silent(&host));
    CHECK_EQUAL(host_enum(&host, REG_AcquisitionStatus + 4 * AcquisitionStatusSelector_AcquisitionActive), 0);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void settings_count_from_the_start_of_the_exposure(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_line_triggered(&host);
    host_write_enum(&host, REG_ChunkModeActive, 1);
    host_write_float(&host, REG_ExposureTime, 30000);
    host_start(&host, 4);
    pulse(0, host_now_ns(), MS);
    host_write_float(&host, REG_ExposureTime, 50); /* the exposure has begun */
    bool got;
    Delivered frame = host_fetch(&host, &got);
    CHECK(got && chunk_exposure_us(&host, frame) == 30000.0);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}

void free_run_keeps_its_rate(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_write_float(&host, REG_AcquisitionFrameRate, 100);
    host_write_float(&host, REG_ExposureTime, 500);
    CHECK(host_float(&host, REG_AcquisitionResultingFrameRate) == 100.0);
    host_start(&host, 8);
    int64_t previous = 0;
    for (uint64_t id = 0; id < 8; id++) {
        bool got;
        Delivered frame = host_fetch(&host, &got);
        CHECK(got && frame.id == id);
        if (!got)
            break;
        /* A machine that stalls for longer than 20 ms makes a gap; it never makes two frames come closer. */
        CHECK(previous == 0 || (int64_t)frame.timestamp_ns - previous >= 10 * MS);
        previous = (int64_t)frame.timestamp_ns;
        DSQueueBuffer(host.stream, frame.handle);
    }
    host_stop(&host);
    host_close(&host);
    library_close(&library);
}
