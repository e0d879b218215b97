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
 *                                <-------   CLOCK       when the camera's own clock is given another offset or rate
 *                                <-------   FAULT       something goes wrong: with one frame (said before its RENDERED),
 *                                                       or at once
 *
 * All times are CLOCK_MONOTONIC ns, but for `timestamp_ns`, which is of the camera's own clock:
 *
 *   timestamp = t + clock_offset + (t - clock_zero) * drift_ppm / 1e6
 *
 * A HELLO with no slots (and no memfd) only asks whether the camera is there; the connection ends with the WELCOME.
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
    BRW_CLOCK = 7,
    BRW_FAULT = 8,
};

/* What goes wrong. The first four are faults of one frame, the others come with a frame or at once. */
enum {
    BRW_LOSE = 1,        /* it is not delivered; its number is used up */
    BRW_LATE = 2,        /* it comes `seconds` later, and so do those behind it */
    BRW_REPEAT = 3,      /* it is delivered twice */
    BRW_SWAP = 4,        /* it is delivered after the next one; without a next one after `seconds` */
    BRW_HANG_EVENT = 5,  /* the next EventGetData comes back after `seconds`; negative: never */
    BRW_HANG_PORT = 6,   /* the same of the next access to the camera's registers */
    BRW_HANG_STREAM = 7, /* the same of the next question about the stream */
    BRW_CRASH = 8,       /* SIGSEGV */
    BRW_UNPLUG = 9,      /* the camera is gone */
    BRW_IGNORE = 10,     /* the camera counts a frame trigger as ignored */
};

#define BRW_AT_ONCE UINT64_MAX /* instead of a frame id */

enum {
    BRW_OK = 0,
    BRW_IN_USE = 1,         /* another process has opened this camera */
    BRW_UNKNOWN_SERIAL = 2, /* the world has no such camera */
    BRW_BAD_PROTOCOL = 3,   /* magic, size or slots not understood */
    BRW_UNPLUGGED = 4,      /* the camera is not there now */
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
    uint32_t pattern; /* 1: the producer makes the pictures itself, by its pattern; no RENDER is sent */
    double temperature_c;
    int64_t clock_zero_ns;
    int64_t clock_offset_ns;
    double clock_drift_ppm;
    uint64_t reserved;
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
    int64_t timestamp_ns; /* of the start, on the camera's own clock */
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

typedef struct {
    BrwHeader header;
    int64_t zero_ns;
    int64_t offset_ns;
    double drift_ppm;
} BrwClock;

typedef struct {
    BrwHeader header;
    uint32_t fault;
    uint32_t pad;
    uint64_t frame_id; /* or BRW_AT_ONCE */
    double seconds;
} BrwFault;

#pragma pack(pop)

#endif
