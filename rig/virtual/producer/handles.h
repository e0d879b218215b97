/* Handles, error texts and answers to info commands: what every GenTL function needs. */
#ifndef BEAMRIG_HANDLES_H
#define BEAMRIG_HANDLES_H

#include <stdbool.h>

#include "producer/gentl.h"

typedef enum {
    HANDLE_SYSTEM = 1,
    HANDLE_INTERFACE,
    HANDLE_DEVICE,
    HANDLE_PORT,
    HANDLE_STREAM,
    HANDLE_BUFFER,
    HANDLE_EVENT,
} HandleKind;

/*
 * A handle is not an address but a number: what it is, of which camera, which one of several, and a generation that no
 * other handle ever had. A stale or invented handle is thus found out without touching any memory.
 */
typedef struct {
    HandleKind kind;
    uint32_t camera;
    uint32_t index;
    uint32_t generation; /* 0 means closed */
} HandleParts;

void *handle_make(HandleKind kind, uint32_t camera, uint32_t index, uint32_t generation);
HandleParts handle_parts(const void *handle);
uint32_t handle_next_generation(void);

/* Keep `code` and the text as this thread's last error; the value is `code`. */
#define fail(code, ...) (keep_error(code, __VA_ARGS__), (GC_ERROR)(code))
void keep_error(GC_ERROR code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Answer an info command: the size when buffer is NULL, else the value, as GenTL asks. */
GC_ERROR answer(int32_t datatype, const void *value, size_t length, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_text(const char *text, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_int32(int32_t value, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_uint32(uint32_t value, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_uint64(uint64_t value, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_size(size_t value, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_bool(bool value, INFO_DATATYPE *type, void *buffer, size_t *size);
GC_ERROR answer_pointer(void *value, INFO_DATATYPE *type, void *buffer, size_t *size);

#endif
