#include "producer/handles.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static _Thread_local GC_ERROR last_code = GC_ERR_SUCCESS;
static _Thread_local char last_text[256] = "No error";
static atomic_uint_fast32_t generations = 0;

void *handle_make(HandleKind kind, uint32_t camera, uint32_t index, uint32_t generation) {
    uint64_t number =
        (uint64_t)generation << 24 | (uint64_t)(index & 0xFFFF) << 8 | (camera & 0xF) << 4 | (uint32_t)kind;
    return (void *)(uintptr_t)number;
}

HandleParts handle_parts(const void *handle) {
    uint64_t number = (uint64_t)(uintptr_t)handle;
    HandleParts parts = {
        .kind = (HandleKind)(number & 0xF),
        .camera = (uint32_t)(number >> 4 & 0xF),
        .index = (uint32_t)(number >> 8 & 0xFFFF),
        .generation = (uint32_t)(number >> 24),
    };
    if (number >> 56 != 0)
        parts.generation = 0;
    return parts;
}

uint32_t handle_next_generation(void) {
    uint32_t generation;
    do
        generation = (uint32_t)atomic_fetch_add(&generations, 1) + 1;
    while (generation == 0);
    return generation;
}

void keep_error(GC_ERROR code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_text, sizeof last_text, format, arguments);
    va_end(arguments);
    last_code = code;
}

GC_ERROR GCGetLastError(GC_ERROR *code, char *text, size_t *size) {
    if (size == NULL)
        return GC_ERR_INVALID_PARAMETER;
    /* Reading the last error must not change it, so this does not go through answer(). */
    size_t length = strlen(last_text) + 1;
    size_t room = *size;
    if (code != NULL)
        *code = last_code;
    *size = length;
    if (text == NULL)
        return GC_ERR_SUCCESS;
    if (room < length)
        return GC_ERR_BUFFER_TOO_SMALL;
    memcpy(text, last_text, length);
    return GC_ERR_SUCCESS;
}

GC_ERROR answer(int32_t datatype, const void *value, size_t length, INFO_DATATYPE *type, void *buffer, size_t *size) {
    if (size == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "piSize is NULL");
    if (type != NULL)
        *type = datatype;
    size_t room = *size;
    *size = length;
    if (buffer == NULL)
        return GC_ERR_SUCCESS;
    if (room < length)
        return fail(GC_ERR_BUFFER_TOO_SMALL, "%zu bytes are needed, %zu were given", length, room);
    memcpy(buffer, value, length);
    return GC_ERR_SUCCESS;
}

GC_ERROR answer_text(const char *text, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return answer(INFO_DATATYPE_STRING, text, strlen(text) + 1, type, buffer, size);
}

GC_ERROR answer_int32(int32_t value, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return answer(INFO_DATATYPE_INT32, &value, sizeof value, type, buffer, size);
}

GC_ERROR answer_uint32(uint32_t value, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return answer(INFO_DATATYPE_UINT32, &value, sizeof value, type, buffer, size);
}

GC_ERROR answer_uint64(uint64_t value, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return answer(INFO_DATATYPE_UINT64, &value, sizeof value, type, buffer, size);
}

GC_ERROR answer_size(size_t value, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return answer(INFO_DATATYPE_SIZET, &value, sizeof value, type, buffer, size);
}

GC_ERROR answer_bool(bool value, INFO_DATATYPE *type, void *buffer, size_t *size) {
    bool8_t byte = value ? 1 : 0;
    return answer(INFO_DATATYPE_BOOL8, &byte, sizeof byte, type, buffer, size);
}

GC_ERROR answer_pointer(void *value, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return answer(INFO_DATATYPE_PTR, &value, sizeof value, type, buffer, size);
}
