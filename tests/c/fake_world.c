#include "fake_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void *welcome_one(void *argument) {
    World *world = argument;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec data = {.iov_base = &world->hello, .iov_len = sizeof world->hello};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    world->socket = accept(world->listener, NULL, NULL);
    CHECK_EQUAL(recvmsg(world->socket, &message, 0), sizeof world->hello);
    memcpy(&world->memory, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof world->memory);
    world->pixels = mmap(NULL, world->hello.slots * world->hello.slot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         world->memory, 0);
    CHECK(world->pixels != MAP_FAILED);
    CHECK_EQUAL(send(world->socket, &world->welcome, sizeof world->welcome, 0), sizeof world->welcome);
    return NULL;
}

void world_listen(World *world, uint32_t status) {
    *world = (World){.folder = "/tmp/beamrig-test-XXXXXX", .address = {.sun_family = AF_UNIX},
                     .welcome = {.header = {BRW_MAGIC, BRW_WELCOME}, .status = status, .temperature_c = 41.5}};
    CHECK(mkdtemp(world->folder) != NULL);
    snprintf(world->address.sun_path, sizeof world->address.sun_path, "%s/world.sock", world->folder);
    world->listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK_EQUAL(bind(world->listener, (struct sockaddr *)&world->address, sizeof world->address), 0);
    CHECK_EQUAL(listen(world->listener, 2), 0);
    setenv("BEAMRIG_WORLD", world->address.sun_path, 1);
}

void world_deafen(World *world) {
    close(world->listener);
    unlink(world->address.sun_path);
    rmdir(world->folder);
    unsetenv("BEAMRIG_WORLD");
}

void world_begin(World *world, uint32_t status) {
    world_listen(world, status);
    pthread_create(&world->thread, NULL, welcome_one, world);
}

void world_join(World *world) {
    pthread_join(world->thread, NULL);
}

void world_end(World *world) {
    munmap(world->pixels, world->hello.slots * world->hello.slot_bytes);
    close(world->memory);
    close(world->socket);
    world_deafen(world);
}

BrwRender hear_render(World *world) {
    BrwRender render = {0};
    CHECK_EQUAL(recv(world->socket, &render, sizeof render, 0), sizeof render);
    CHECK_EQUAL(render.header.magic, BRW_MAGIC);
    CHECK_EQUAL(render.header.type, BRW_RENDER);
    return render;
}

void say_rendered(World *world, const BrwRender *render, uint32_t status) {
    BrwRendered answer = {.header = {BRW_MAGIC, BRW_RENDERED}, .frame_id = render->frame_id, .slot = render->slot,
                          .status = status};
    CHECK_EQUAL(send(world->socket, &answer, sizeof answer, MSG_NOSIGNAL), sizeof answer);
}

void say_edge(World *world, uint32_t level, int64_t t_ns) {
    BrwEdge edge = {.header = {BRW_MAGIC, BRW_EDGE}, .line = 0, .level = level, .t_ns = t_ns};
    CHECK_EQUAL(send(world->socket, &edge, sizeof edge, MSG_NOSIGNAL), sizeof edge);
}

void say_fault(World *world, uint32_t fault, uint64_t frame_id, double seconds) {
    BrwFault order = {.header = {BRW_MAGIC, BRW_FAULT}, .fault = fault, .frame_id = frame_id, .seconds = seconds};
    CHECK_EQUAL(send(world->socket, &order, sizeof order, MSG_NOSIGNAL), sizeof order);
}

uint16_t *slot_pixels(World *world, uint32_t slot) {
    return world->pixels + slot * (world->hello.slot_bytes / sizeof *world->pixels);
}

void until_counted(Host *host, int32_t counter, uint64_t value) {
    for (int i = 0; i < 2000 && stream_counter(host, counter) < value; i++)
        host_sleep_ms(1);
    CHECK_EQUAL(stream_counter(host, counter), value);
}
