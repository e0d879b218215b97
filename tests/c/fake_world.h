/* The other end of the wire: a fake world that listens on a real socket and maps the real staging memory. */
#ifndef BEAMRIG_TEST_FAKE_WORLD_H
#define BEAMRIG_TEST_FAKE_WORLD_H

#include <pthread.h>
#include <sys/un.h>

#include "host.h"
#include "protocol.h"

typedef struct {
    char folder[64];
    struct sockaddr_un address;
    int listener, socket, memory;
    BrwWelcome welcome; /* answer to HELLO */
    BrwHello hello;
    uint16_t *pixels;
    pthread_t thread;
} World;

/* Only a socket that listens, and its end. */
void world_listen(World *world, uint32_t status);
void world_deafen(World *world);
/* Wait for one camera that opens, and answer with that status. */
void world_begin(World *world, uint32_t status);
/* After the camera has been opened (or refused). */
void world_join(World *world);
void world_end(World *world);
BrwRender hear_render(World *world);
void say_rendered(World *world, const BrwRender *render, uint32_t status);
void say_edge(World *world, uint32_t level, int64_t t_ns);
void say_fault(World *world, uint32_t fault, uint64_t frame_id, double seconds);
uint16_t *slot_pixels(World *world, uint32_t slot);
void until_counted(Host *host, int32_t counter, uint64_t value);

#endif
