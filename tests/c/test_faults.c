/* What the world orders to go wrong, seen by a host; and the camera's own clock. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_world.h"
#include "tests.h"

#define MS 1000000LL

typedef struct {
    World world;
    Library library;
    Host host;
} Scene;

/* A world that is asked for both cameras, one after the other, and says that one of them is not there. */
typedef struct {
    World world;
    int missing;
    pthread_t thread;
} FakeList;

static void *answer_both(void *argument) {
    FakeList *list = argument;
    for (int i = 0; i < 2; i++) {
        int asked = accept(list->world.listener, NULL, NULL);
        BrwHello hello;
        CHECK_EQUAL(recv(asked, &hello, sizeof hello, 0), sizeof hello);
        CHECK_EQUAL(hello.slots, 0);
        BrwWelcome answer = list->world.welcome;
        answer.status = i == list->missing ? BRW_UNPLUGGED : BRW_OK;
        CHECK_EQUAL(send(asked, &answer, sizeof answer, 0), sizeof answer);
        close(asked);
    }
    return NULL;
}

static void scene_begin(Scene *scene) {
    scene->library = library_open();
    world_begin(&scene->world, BRW_OK);
    scene->host = host_open(&scene->library, 0);
    world_join(&scene->world);
    host_line_triggered(&scene->host);
    host_write_float(&scene->host, REG_ExposureTime, 100);
}

static void scene_end(Scene *scene) {
    host_stop(&scene->host);
    host_close(&scene->host);
    library_close(&scene->library);
    world_end(&scene->world);
}

/* Expose one frame with a fault (0: none) and answer it. */
static BrwRender expose(Scene *scene, uint32_t fault, double seconds) {
    say_edge(&scene->world, 1, host_now_ns());
    say_edge(&scene->world, 0, host_now_ns());
    BrwRender render = hear_render(&scene->world);
    if (fault != 0)
        say_fault(&scene->world, fault, render.frame_id, seconds);
    say_rendered(&scene->world, &render, 0);
    host_sleep_ms(2); /* exposure and readout are over */
    return render;
}

static void expect(Scene *scene, uint64_t id) {
    bool got;
    Delivered frame = host_fetch(&scene->host, &got);
    CHECK(got);
    CHECK_EQUAL(frame.id, id);
    if (got)
        DSQueueBuffer(scene->host.stream, frame.handle);
}

void frames_are_lost_repeated_and_swapped_on_order(void) {
    Scene scene;
    scene_begin(&scene);
    host_start(&scene.host, 8);
    expose(&scene, BRW_LOSE, 0);
    expose(&scene, BRW_REPEAT, 0);
    expose(&scene, BRW_SWAP, 5);
    expose(&scene, 0, 0);
    expose(&scene, 0, 0);
    static const uint64_t ids[] = {1, 1, 3, 2, 4};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        expect(&scene, ids[i]);
    CHECK(host_silent(&scene.host));
    CHECK_EQUAL(stream_counter(&scene.host, STREAM_INFO_NUM_UNDERRUN), 0);
    scene_end(&scene);
}

void a_frame_comes_late_on_order_and_so_do_those_behind_it(void) {
    Scene scene;
    scene_begin(&scene);
    host_start(&scene.host, 8);
    int64_t before = host_now_ns();
    expose(&scene, BRW_LATE, 0.2);
    expose(&scene, 0, 0);
    expect(&scene, 0);
    CHECK(host_now_ns() - before >= 200 * MS);
    expect(&scene, 1);
    before = host_now_ns();
    expose(&scene, BRW_SWAP, 0.1); /* there is no next one */
    expect(&scene, 2);
    CHECK(host_now_ns() - before >= 100 * MS);
    scene_end(&scene);
}

void a_call_hangs_once_on_order(void) {
    Scene scene;
    scene_begin(&scene);
    host_start(&scene.host, 4);
    expose(&scene, BRW_HANG_EVENT, 0.1);
    until_counted(&scene.host, STREAM_INFO_NUM_DELIVERED, 1);
    int64_t before = host_now_ns();
    expect(&scene, 0);
    CHECK(host_now_ns() - before >= 100 * MS);
    static const uint32_t calls[] = {BRW_HANG_PORT, BRW_HANG_STREAM};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        before = host_now_ns();
        say_fault(&scene.world, calls[i], BRW_AT_ONCE, 0.1);
        while (host_now_ns() - before < 100 * MS) { /* the order may still be on its way */
            CHECK_EQUAL(host_integer(&scene.host, REG_Width), SMALL_WIDTH);
            CHECK_EQUAL(stream_counter(&scene.host, STREAM_INFO_NUM_DELIVERED), 1);
        }
    }
    expose(&scene, 0, 0);
    expect(&scene, 1);
    scene_end(&scene);
}

void an_unplugged_camera_is_lost_and_not_to_be_opened(void) {
    Scene scene;
    scene_begin(&scene);
    host_start(&scene.host, 4);
    say_fault(&scene.world, BRW_UNPLUG, BRW_AT_ONCE, 0);
    EVENT_NEW_BUFFER_DATA data;
    size_t size = sizeof data;
    CHECK_EQUAL(EventGetData(scene.host.event, &data, &size, GENTL_INFINITE), GC_ERR_IO);
    host_close(&scene.host);
    world_end(&scene.world);
    world_begin(&scene.world, BRW_UNPLUGGED);
    DEV_HANDLE device;
    CHECK_EQUAL(IFOpenDevice(scene.library.interface, "VR-B-0001", DEVICE_ACCESS_EXCLUSIVE, &device), GC_ERR_IO);
    world_join(&scene.world);
    world_end(&scene.world);
    library_close(&scene.library);
}

void a_camera_that_is_not_plugged_in_is_not_listed(void) {
    static const char *const left[] = {"VR-S-0002", "VR-B-0001"}; /* by who is missing */
    Library library = library_open();
    for (int missing = 1; missing >= 0; missing--) {
        FakeList list = {.missing = 1 - missing};
        world_listen(&list.world, BRW_OK);
        pthread_create(&list.thread, NULL, answer_both, &list);
        bool8_t changed;
        CHECK_EQUAL(IFUpdateDeviceList(library.interface, &changed, 0), GC_ERR_SUCCESS);
        pthread_join(list.thread, NULL);
        world_deafen(&list.world);
        CHECK_EQUAL(changed, 1);
        uint32_t count;
        char id[32];
        size_t size = sizeof id;
        CHECK_EQUAL(IFGetNumDevices(library.interface, &count), GC_ERR_SUCCESS);
        CHECK_EQUAL(count, 1);
        CHECK_EQUAL(IFGetDeviceID(library.interface, 0, id, &size), GC_ERR_SUCCESS);
        CHECK(strcmp(id, left[list.missing]) == 0);
        CHECK_EQUAL(IFGetDeviceID(library.interface, 1, id, &size), GC_ERR_INVALID_INDEX);
    }
    CHECK_EQUAL(IFUpdateDeviceList(library.interface, NULL, 0), GC_ERR_SUCCESS); /* without a world all are there */
    library_close(&library);
}

void an_ignored_trigger_is_counted_on_order(void) {
    Scene scene;
    scene_begin(&scene);
    host_start(&scene.host, 4);
    say_fault(&scene.world, BRW_IGNORE, BRW_AT_ONCE, 0);
    expose(&scene, 0, 0);
    expect(&scene, 0);
    CHECK_EQUAL(host_integer(&scene.host, REG_FrameTriggerIgnoredCount), 1);
    scene_end(&scene);
}

void the_camera_has_a_clock_of_its_own(void) {
    World world;
    Library library = library_open();
    world_begin(&world, BRW_OK);
    int64_t zero = host_now_ns();
    world.welcome.clock_zero_ns = zero;
    world.welcome.clock_offset_ns = 5000000000;
    world.welcome.clock_drift_ppm = 1000;
    Host host = host_open(&library, 0);
    world_join(&world);
    host_line_triggered(&host);
    host_write_enum(&host, REG_ChunkModeActive, 1);
    host_start(&host, 4);
    int64_t t = host_now_ns();
    say_edge(&world, 1, t);
    say_edge(&world, 0, t + 1000);
    BrwRender render = hear_render(&world);
    say_rendered(&world, &render, 0);
    CHECK_EQUAL(render.t_start_ns, t);
    CHECK(render.timestamp_ns >= t + 5000000000 + (t - zero) / 1000 - 1);
    CHECK(render.timestamp_ns <= t + 5000000000 + (t - zero) / 1000 + 1);
    bool got;
    Delivered frame = host_fetch(&host, &got);
    CHECK(got && frame.timestamp_ns == (uint64_t)render.timestamp_ns);
    BrwClock clock = {.header = {BRW_MAGIC, BRW_CLOCK}, .offset_ns = -1000000000};
    CHECK_EQUAL(send(world.socket, &clock, sizeof clock, 0), sizeof clock);
    int64_t latched = INT64_MAX;
    for (int i = 0; i < 2000 && latched > host_now_ns(); i++) {
        host_write_enum(&host, REG_TimestampLatch, 1);
        latched = host_integer(&host, REG_TimestampLatchValue);
        host_sleep_ms(1);
    }
    CHECK(latched <= host_now_ns() - 1000000000);
    host_stop(&host);
    host_close(&host);
    library_close(&library);
    world_end(&world);
}
