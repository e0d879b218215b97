/* Ports: the camera's registers and XML, and the tiny XML that all other modules share. */
#include <stdio.h>
#include <string.h>

#include "producer/camera.h"
#include "producer/system.h"
#include "protocol.h"

#define MODULE_ID_BYTES 64

/* Look a port up. `camera` is locked on success if the port belongs to one, and NULL otherwise. */
static GC_ERROR enter_port(const void *handle, Camera **camera) {
    HandleKind kind = handle_parts(handle).kind;
    *camera = NULL;
    if (kind == HANDLE_SYSTEM || kind == HANDLE_INTERFACE)
        return system_check(handle, kind);
    if (kind != HANDLE_DEVICE && kind != HANDLE_PORT && kind != HANDLE_STREAM)
        return library_is_open() ? fail(GC_ERR_INVALID_HANDLE, "not a handle with a port")
                                 : fail(GC_ERR_NOT_INITIALIZED, "GCInitLib was not called");
    return camera_enter(handle, kind, camera);
}

static bool is_remote(const void *port) {
    return handle_parts(port).kind == HANDLE_PORT;
}

/* The same for an access to the memory behind the port. */
static GC_ERROR enter_memory(const void *handle, Camera **camera) {
    GC_ERROR result = enter_port(handle, camera);
    if (result == GC_ERR_SUCCESS && is_remote(handle))
        fault_hang(*camera, BRW_HANG_PORT);
    return result;
}

static void leave_port(Camera *camera) {
    if (camera != NULL)
        camera_leave(camera);
}

static void module_id(const void *port, const Camera *camera, char text[MODULE_ID_BYTES]) {
    memset(text, 0, MODULE_ID_BYTES);
    switch (handle_parts(port).kind) {
    case HANDLE_SYSTEM: strcpy(text, SYSTEM_ID); break;
    case HANDLE_INTERFACE: strcpy(text, INTERFACE_ID); break;
    case HANDLE_STREAM: snprintf(text, MODULE_ID_BYTES, "%s-stream0", camera->serial); break;
    default: strcpy(text, camera->serial);
    }
}

static GC_ERROR read_module(const void *port, const Camera *camera, uint64_t address, void *buffer, size_t size) {
    char id[MODULE_ID_BYTES];
    module_id(port, camera, id);
    if (address < sizeof id && size <= sizeof id - address)
        memcpy(buffer, id + address, size);
    else if (address >= XML_ADDRESS && address - XML_ADDRESS <= module_xml_length &&
             size <= module_xml_length + 1 - (address - XML_ADDRESS))
        memcpy(buffer, module_xml + (address - XML_ADDRESS), size);
    else
        return fail(GC_ERR_INVALID_ADDRESS, "no register at 0x%llx", (unsigned long long)address);
    return GC_ERR_SUCCESS;
}

GC_ERROR GCReadPort(PORT_HANDLE port, uint64_t address, void *buffer, size_t *size) {
    Camera *camera;
    GC_ERROR result = enter_memory(port, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (buffer == NULL || size == NULL)
        result = fail(GC_ERR_INVALID_PARAMETER, "no buffer or no size");
    else if (is_remote(port) && camera->lost)
        result = fail(GC_ERR_IO, "%s", camera->lost_reason);
    else if (is_remote(port))
        result = registers_read(camera, address, buffer, *size);
    else
        result = read_module(port, camera, address, buffer, *size);
    leave_port(camera);
    return result;
}

GC_ERROR GCWritePort(PORT_HANDLE port, uint64_t address, const void *buffer, size_t *size) {
    Camera *camera;
    GC_ERROR result = enter_memory(port, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (buffer == NULL || size == NULL)
        result = fail(GC_ERR_INVALID_PARAMETER, "no buffer or no size");
    else if (!is_remote(port))
        result = fail(GC_ERR_ACCESS_DENIED, "this module has nothing to write");
    else if (camera->lost)
        result = fail(GC_ERR_IO, "%s", camera->lost_reason);
    else
        result = registers_write(camera, address, buffer, *size);
    leave_port(camera);
    return result;
}

static GC_ERROR stacked(PORT_HANDLE port, PORT_REGISTER_STACK_ENTRY *entries, size_t *count, bool write) {
    if (entries == NULL || count == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no entries or no count");
    for (size_t i = 0; i < *count; i++) {
        size_t size = entries[i].Size;
        GC_ERROR result = write ? GCWritePort(port, entries[i].Address, entries[i].pBuffer, &size)
                                : GCReadPort(port, entries[i].Address, entries[i].pBuffer, &size);
        if (result != GC_ERR_SUCCESS) {
            *count = i; /* how many were done */
            return result;
        }
    }
    return GC_ERR_SUCCESS;
}

GC_ERROR GCReadPortStacked(PORT_HANDLE port, PORT_REGISTER_STACK_ENTRY *entries, size_t *count) {
    return stacked(port, entries, count, false);
}

GC_ERROR GCWritePortStacked(PORT_HANDLE port, PORT_REGISTER_STACK_ENTRY *entries, size_t *count) {
    return stacked(port, entries, count, true);
}

GC_ERROR GCGetPortInfo(PORT_HANDLE port, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    static const char *const modules[] = {
        [HANDLE_SYSTEM] = "TLSystem", [HANDLE_INTERFACE] = "TLInterface", [HANDLE_DEVICE] = "TLDevice",
        [HANDLE_PORT] = "Device",     [HANDLE_STREAM] = "TLDataStream",
    };
    Camera *camera;
    GC_ERROR result = enter_port(port, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    char id[MODULE_ID_BYTES];
    module_id(port, camera, id);
    switch (cmd) {
    case PORT_INFO_ID: result = answer_text(id, type, buffer, size); break;
    case PORT_INFO_VENDOR: result = answer_text(personality.vendor, type, buffer, size); break;
    case PORT_INFO_MODEL: result = answer_text(personality.model, type, buffer, size); break;
    case PORT_INFO_TLTYPE: result = answer_text(TL_TYPE, type, buffer, size); break;
    case PORT_INFO_MODULE: result = answer_text(modules[handle_parts(port).kind], type, buffer, size); break;
    case PORT_INFO_VERSION: result = answer_text(VERSION, type, buffer, size); break;
    case PORT_INFO_PORTNAME:
        result = answer_text(is_remote(port) ? "Device" : "ModulePort", type, buffer, size);
        break;
    case PORT_INFO_LITTLE_ENDIAN:
    case PORT_INFO_ACCESS_READ: result = answer_bool(true, type, buffer, size); break;
    case PORT_INFO_BIG_ENDIAN:
    case PORT_INFO_ACCESS_NA:
    case PORT_INFO_ACCESS_NI: result = answer_bool(false, type, buffer, size); break;
    case PORT_INFO_ACCESS_WRITE: result = answer_bool(is_remote(port), type, buffer, size); break;
    default: result = fail(GC_ERR_NOT_IMPLEMENTED, "port info %d is not known", cmd);
    }
    leave_port(camera);
    return result;
}

GC_ERROR GCGetNumPortURLs(PORT_HANDLE port, uint32_t *count) {
    Camera *camera;
    GC_ERROR result = enter_port(port, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    leave_port(camera);
    if (count == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the count");
    *count = 1;
    return GC_ERR_SUCCESS;
}

GC_ERROR GCGetPortURLInfo(PORT_HANDLE port, uint32_t index, int32_t cmd, INFO_DATATYPE *type, void *buffer,
                          size_t *size) {
    Camera *camera;
    GC_ERROR result = enter_port(port, &camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    leave_port(camera);
    if (index != 0)
        return fail(GC_ERR_INVALID_INDEX, "there is one URL only");
    const char *file = is_remote(port) ? "beamrig_camera.xml" : "beamrig_module.xml";
    size_t length = is_remote(port) ? personality.xml_length : module_xml_length;
    char url[128];
    snprintf(url, sizeof url, "Local:%s;%x;%zx?SchemaVersion=1.1.0", file, (unsigned)XML_ADDRESS, length);
    switch (cmd) {
    case URL_INFO_URL: return answer_text(url, type, buffer, size);
    case URL_INFO_SCHEMA_VER_MAJOR:
    case URL_INFO_SCHEMA_VER_MINOR:
    case URL_INFO_FILE_VER_MAJOR: return answer_int32(1, type, buffer, size);
    case URL_INFO_FILE_VER_MINOR:
    case URL_INFO_FILE_VER_SUBMINOR: return answer_int32(0, type, buffer, size);
    case URL_INFO_FILE_REGISTER_ADDRESS: return answer_uint64(XML_ADDRESS, type, buffer, size);
    case URL_INFO_FILE_SIZE: return answer_uint64(length, type, buffer, size);
    case URL_INFO_SCHEME: return answer_int32(URL_SCHEME_LOCAL, type, buffer, size);
    case URL_INFO_FILENAME: return answer_text(file, type, buffer, size);
    default: return fail(GC_ERR_NOT_AVAILABLE, "URL info %d is not known", cmd);
    }
}

GC_ERROR GCGetPortURL(PORT_HANDLE port, char *url, size_t *size) {
    return GCGetPortURLInfo(port, 0, URL_INFO_URL, NULL, url, size);
}
