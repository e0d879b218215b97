/*
 * Wire protocol between the producer (the camera side) and the world process.
 *
 * One AF_UNIX SOCK_SEQPACKET connection a camera, one message a packet, little endian. Every struct is laid out so that
 * natural alignment and packing agree. rig/virtual/protocol.py is the mirror of this file; a test compares both.
 *
 *   producer                                world
 *   HELLO + memfd (SCM_RIGHTS)   ------->   checks the serial number, maps the staging frames
 *                                <-------   WELCOME {status}
 *                                <-------   EDGE        as soon as a line changes (within about 1 ms)
 *   RENDER {slot, what to see}   ------->   Timed: at exposure start; TriggerWidth: at exposure end
 *                                <-------   RENDERED {slot, status}
 *                                <-------   TEMPERATURE whenever it has changed
 *
 * The memfd holds `slots` frames of `slot_bytes` bytes each. A slot belongs to the world from RENDER until RENDERED and
 * to the producer otherwise. It is sealed against resizing, so neither side can make the other fault.
 */
#ifndef BEAMRIG_PROTOCOL_H
#define BEAMRIG_PROTOCOL_H

#include <stdint.h>

#define BRW_MAGIC 0x31575242u /* "BRW1" */

enum {
    BRW_HELLO = 1,
    BRW_WELCOME = 2,
    BRW_EDGE = 3,
    BRW_RENDER = 4,
    BRW_RENDERED = 5,
    BRW_TEMPERATURE = 6,
};

enum {
    BRW_OK = 0,
    BRW_IN_USE = 1,         /* another process has opened this camera */
    BRW_UNKNOWN_SERIAL = 2, /* the world has no such camera */
    BRW_BAD_PROTOCOL = 3,   /* magic, size or slots not understood */
};

#pragma pack(push, 1)

typedef struct {
    uint32_t magic;
    uint32_t type;
} BrwHeader;

typedef struct {
    BrwHeader header;
    char serial[32]; /* NUL padded */
    uint32_t pid;
    uint32_t slots;
    uint64_t slot_bytes;
} BrwHello;

typedef struct {
    BrwHeader header;
    uint32_t status;
    uint32_t pad;
    double temperature_c;
    uint64_t reserved[4];
} BrwWelcome;

typedef struct {
    BrwHeader header;
    uint32_t line;
    uint32_t level;
    int64_t t_ns; /* CLOCK_MONOTONIC */
} BrwEdge;

typedef struct {
    BrwHeader header;
    uint64_t frame_id;
    uint32_t slot;
    uint32_t bits; /* 12: codes 0..4095 in the low bits of uint16 */
    int64_t t_start_ns;
    int64_t exposure_ns;
    double gain_db;
    double black_level_dn; /* at 12 bit */
    uint32_t width;
    uint32_t height;
    uint32_t offset_x;
    uint32_t offset_y;
    uint32_t triggered; /* 1: by a line or by software, 0: free run */
    uint32_t pad;
} BrwRender;

typedef struct {
    BrwHeader header;
    uint64_t frame_id;
    uint32_t slot;
    uint32_t status; /* 0 ok; anything else: the frame is delivered as incomplete */
} BrwRendered;

typedef struct {
    BrwHeader header;
    double celsius;
} BrwTemperature;

#pragma pack(pop)

#endif
