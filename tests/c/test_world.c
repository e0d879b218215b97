/* The camera and its world: what travels between them, and what each makes of the other's faults. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_world.h"
#include "tests.h"

void a_missing_world_is_an_error(void) {
    Library library = library_open();
    DEV_HANDLE device;
    setenv("BEAMRIG_WORLD", "/nonexistent/world.sock", 1);
    CHECK_EQUAL(IFOpenDevice(library.interface, "VR-B-0001", DEVICE_ACCESS_EXCLUSIVE, &device), GC_ERR_IO);
    char longer_than_any_socket[300];
    memset(longer_than_any_socket, 'x', sizeof longer_than_any_socket - 1);
    longer_than_any_socket[sizeof longer_than_any_socket - 1] = 0;
    setenv("BEAMRIG_WORLD", longer_than_any_socket, 1);
    CHECK_EQUAL(IFOpenDevice(library.interface, "VR-B-0001", DEVICE_ACCESS_EXCLUSIVE, &device), GC_ERR_IO);
    unsetenv("BEAMRIG_WORLD");
    Host host = host_open(&library, 0); /* and it can be opened once the reason is gone */
    host_close(&host);
    library_close(&library);
}

void a_camera_of_another_process_is_in_use(void) {
    World world;
    Library library = library_open();
    DEV_HANDLE device;
    int32_t status;
    size_t size = sizeof status;
    world_begin(&world, BRW_IN_USE);
    CHECK_EQUAL(IFOpenDevice(library.interface, "VR-S-0002", DEVICE_ACCESS_EXCLUSIVE, &device), GC_ERR_RESOURCE_IN_USE);
    world_join(&world);
    CHECK(strcmp(world.hello.serial, "VR-S-0002") == 0);
    CHECK_EQUAL(world.hello.pid, getpid());
    CHECK_EQUAL(
        IFGetDeviceInfo(library.interface, "VR-S-0002", DEVICE_INFO_ACCESS_STATUS, NULL, &status, &size), GC_ERR_SUCCESS);
    CHECK_EQUAL(status, DEVICE_ACCESS_STATUS_BUSY);
    world_end(&world);
    library_close(&library);
}

void the_world_renders_what_was_asked(void) {
    World world;
    Library library = library_open();
    world_begin(&world, BRW_OK);
    Host host = host_open(&library, 0);
    world_join(&world);
    CHECK(host_float(&host, REG_DeviceTemperature) == 41.5);
    host_write_enum(&host, REG_TriggerMode, TriggerMode_On);
    host_write_enum(&host, REG_PixelFormat, PixelFormat_BayerRG12p);
    host_write_float(&host, REG_ExposureTime, 321);
    host_write_float(&host, REG_Gain, 2.5);
    host_write_integer(&host, REG_OffsetX, 8);
    host_write_integer(&host, REG_OffsetY, 6);
    host_start(&host, 3);
    for (uint64_t id = 0; id < 12; id++) { /* more than there are slots */
        host_write_enum(&host, REG_TriggerSoftware, 1);
        BrwRender render = hear_render(&world);
        CHECK_EQUAL(render.frame_id, id);
        CHECK_EQUAL(render.bits, 12);
        CHECK_EQUAL(render.exposure_ns, 321000);
        CHECK(render.gain_db == 2.5 && render.black_level_dn == 64.0);
        CHECK(render.width == 64 && render.height == 64 && render.offset_x == 8 && render.offset_y == 6);
        CHECK_EQUAL(render.triggered, 1);
        CHECK(render.t_start_ns <= host_now_ns());
        uint16_t *pixels = slot_pixels(&world, render.slot);
        for (size_t i = 0; i < 64 * 64; i++)
            pixels[i] = (uint16_t)((i * 7 + id) % 4096);
        say_rendered(&world, &render, id == 5 ? 1 : 0);
        bool got;
        Delivered frame = host_fetch(&host, &got);
        CHECK(got && frame.id == id && frame.timestamp_ns == (uint64_t)render.t_start_ns);
        CHECK(frame.incomplete == (id == 5));
        long wrong = 0;
        for (size_t i = 0; got && id != 5 && i < 64 * 64; i++) {
            const uint8_t *three = frame.data + i / 2 * 3;
            unsigned code = i % 2 == 0 ? three[0] | (three[1] & 0x0Fu) << 8 : three[1] >> 4 | (unsigned)three[2] << 4;
            wrong += code != (i * 7 + id) % 4096;
        }
        CHECK_EQUAL(wrong, 0);
        DSQueueBuffer(host.stream, frame.handle);
        while (host_enum(&host, REG_AcquisitionStatus + 4 * AcquisitionStatusSelector_FrameTriggerWait) == 0)
            host_sleep_ms(1);
    }
    BrwTemperature warmer = {.header = {BRW_MAGIC, BRW_TEMPERATURE}, .celsius = 45.25};
    CHECK_EQUAL(send(world.socket, &warmer, sizeof warmer, 0), sizeof warmer);
    for (int i = 0; i < 2000 && host_float(&host, REG_DeviceTemperature) != 45.25; i++)
        host_sleep_ms(1);
    CHECK(host_float(&host, REG_DeviceTemperature) == 45.25);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
    world_end(&world);
}

void edges_of_the_world_trigger_the_camera(void) {
    World world;
    Library library = library_open();
    world_begin(&world, BRW_OK);
    Host host = host_open(&library, 1);
    world_join(&world);
    host_line_triggered(&host);
    host_write_enum(&host, REG_ExposureMode, ExposureMode_TriggerWidth);
    host_start(&host, 3);
    int64_t t_ns = host_now_ns();
    say_edge(&world, 1, t_ns);
    say_edge(&world, 1, t_ns + 5); /* no edge: the level is the same */
    say_edge(&world, 0, t_ns + 123456);
    BrwRender render = hear_render(&world);
    CHECK_EQUAL(render.t_start_ns, t_ns);
    CHECK_EQUAL(render.exposure_ns, 123456);
    say_rendered(&world, &render, 0);
    bool got;
    Delivered frame = host_fetch(&host, &got);
    CHECK(got && frame.timestamp_ns == (uint64_t)t_ns);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
    world_end(&world);
}

enum { SLOTS = 32 };

void a_slow_world_costs_frames_and_recovers(void) {
    World world;
    Library library = library_open();
    world_begin(&world, BRW_OK);
    Host host = host_open(&library, 0);
    world_join(&world);
    CHECK_EQUAL(world.hello.slots, SLOTS);
    host_line_triggered(&host);
    host_write_float(&host, REG_ExposureTime, 10);
    host_start(&host, 16);
    int64_t t_ns = host_now_ns();
    for (int i = 0; i < SLOTS + 2; i++) {
        say_edge(&world, 1, t_ns + i * 1000000LL);
        say_edge(&world, 0, t_ns + i * 1000000LL + 1000);
    }
    until_counted(&host, STREAM_INFO_NUM_UNDERRUN, 2);
    BrwRender renders[SLOTS];
    for (int i = 0; i < SLOTS; i++)
        renders[i] = hear_render(&world);
    say_rendered(&world, &renders[1], 0); /* in any order; delivery keeps theirs */
    say_rendered(&world, &renders[0], 0);
    for (uint64_t id = 0; id < 2; id++) {
        bool got;
        Delivered frame = host_fetch(&host, &got);
        CHECK(got && frame.id == id);
    }
    host_stop(&host); /* the other renders are abandoned, their slots come back with the answers */
    for (int i = 2; i < SLOTS; i++)
        say_rendered(&world, &renders[i], 0);
    host_start(&host, 16);
    t_ns = host_now_ns();
    for (int i = 0; i < 8; i++) {
        say_edge(&world, 1, t_ns + i * 1000000LL);
        say_edge(&world, 0, t_ns + i * 1000000LL + 1000);
    }
    for (int i = 0; i < 8; i++) {
        BrwRender render = hear_render(&world);
        CHECK_EQUAL(render.frame_id, i);
        say_rendered(&world, &render, 0);
    }
    until_counted(&host, STREAM_INFO_NUM_DELIVERED, 8);
    host_stop(&host);
    host_write_enum(&host, REG_TriggerMode, TriggerMode_Off);
    host_write_float(&host, REG_AcquisitionFrameRate, 1000);
    host_start(&host, 16);
    hear_render(&world); /* a free run waits for the world instead of losing frames */
    hear_render(&world);
    host_sleep_ms(30);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_STARTED), 2);
    CHECK_EQUAL(stream_counter(&host, STREAM_INFO_NUM_UNDERRUN), 0);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
    world_end(&world);
}

void the_end_of_the_world_is_the_loss_of_the_camera(void) {
    World world;
    Library library = library_open();
    world_begin(&world, BRW_OK);
    Host host = host_open(&library, 0);
    world_join(&world);
    host_start(&host, 3);
    shutdown(world.socket, SHUT_RDWR);
    EVENT_NEW_BUFFER_DATA data;
    uint64_t value;
    size_t size = sizeof data;
    CHECK_EQUAL(EventGetData(host.event, &data, &size, GENTL_INFINITE), GC_ERR_IO);
    size = sizeof value;
    CHECK_EQUAL(GCReadPort(host.port, REG_Width, &value, &size), GC_ERR_IO);
    CHECK_EQUAL(host_write_enum(&host, REG_AcquisitionStop, 1), GC_ERR_IO);
    int32_t status;
    size = sizeof status;
    CHECK_EQUAL(DevGetInfo(host.device, DEVICE_INFO_ACCESS_STATUS, NULL, &status, &size), GC_ERR_SUCCESS);
    CHECK_EQUAL(status, DEVICE_ACCESS_STATUS_NOACCESS);
    CHECK_EQUAL(DSStopAcquisition(host.stream, ACQ_STOP_FLAGS_KILL), GC_ERR_SUCCESS);
    host_close(&host);
    world_end(&world);
    world_begin(&world, BRW_OK); /* a new world, and the same camera can be opened again */
    host = host_open(&library, 0);
    world_join(&world);
    CHECK_EQUAL(host_integer(&host, REG_Width), SMALL_WIDTH);
    host_close(&host);
    world_end(&world);
    library_close(&library);
}

void a_world_that_breaks_the_protocol_is_left(void) {
    static const BrwRendered lies[] = {
        {.header = {BRW_MAGIC, BRW_RENDERED}, .slot = 99},  /* no such slot */
        {.header = {BRW_MAGIC, BRW_RENDERED}, .slot = 3},   /* nothing was asked */
        {.header = {0x12345678, BRW_RENDERED}, .slot = 0},  /* wrong magic */
        {.header = {BRW_MAGIC, BRW_EDGE}, .slot = 0},       /* wrong length would be caught too: EDGE has 24 bytes */
        {.header = {BRW_MAGIC, 77}, .slot = 0},             /* unknown type */
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        World world;
        Library library = library_open();
        world_begin(&world, BRW_OK);
        Host host = host_open(&library, 0);
        world_join(&world);
        bool edge = lies[i].header.type == BRW_EDGE;
        CHECK(send(world.socket, &lies[i], edge ? 20 : sizeof lies[i], 0) > 0);
        EVENT_NEW_BUFFER_DATA data;
        size_t size = sizeof data;
        CHECK_EQUAL(EventGetData(host.event, &data, &size, 2000), GC_ERR_IO);
        host_close(&host);
        library_close(&library);
        world_end(&world);
    }
}
