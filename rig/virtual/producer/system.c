/* GC, TL and IF: the library, the system, its one interface and the two cameras on it. */
#include "producer/system.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "producer/camera.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t powered = PTHREAD_ONCE_INIT;
static bool initialised, personality_known;
static char personality_problem[96];
static uint32_t system_generation, interface_generation; /* 0: closed */

Camera cameras[CAMERA_COUNT];

int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void power_up(void) {
    static const char *const serials[CAMERA_COUNT] = {"VR-B-0001", "VR-S-0002"};
    static const char *const names[CAMERA_COUNT] = {"Camera B", "Camera S"};
    pthread_condattr_t monotonic;
    personality_known = personality_choose(personality_problem, sizeof personality_problem);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < CAMERA_COUNT; i++) {
        pthread_mutex_init(&cameras[i].lock, NULL);
        pthread_cond_init(&cameras[i].changed, &monotonic);
        cameras[i].number = i;
        cameras[i].serial = serials[i];
        cameras[i].world.socket = cameras[i].world.memory = -1;
        cameras[i].sensor.pending_start_ns = cameras[i].sensor.pending_end_ns = NEVER;
        registers_power_up(&cameras[i], serials[i], names[i]);
    }
    pthread_condattr_destroy(&monotonic);
}

void cameras_power_up(void) {
    pthread_once(&powered, power_up);
}

bool library_is_open(void) {
    pthread_mutex_lock(&lock);
    bool open = initialised;
    pthread_mutex_unlock(&lock);
    return open;
}

GC_ERROR system_check(const void *handle, HandleKind kind) {
    pthread_mutex_lock(&lock);
    bool open = initialised;
    uint32_t generation = kind == HANDLE_SYSTEM ? system_generation : interface_generation;
    pthread_mutex_unlock(&lock);
    HandleParts parts = handle_parts(handle);
    if (!open)
        return fail(GC_ERR_NOT_INITIALIZED, "GCInitLib was not called");
    if (parts.kind != kind || parts.generation == 0 || parts.generation != generation)
        return fail(GC_ERR_INVALID_HANDLE, "the handle is stale or of another kind");
    return GC_ERR_SUCCESS;
}

void *system_interface_handle(void) {
    return interface_generation == 0 ? NULL : handle_make(HANDLE_INTERFACE, 0, 0, interface_generation);
}

/* ---- library ---- */

GC_ERROR GCInitLib(void) {
    cameras_power_up();
    pthread_mutex_lock(&lock);
    bool was_open = initialised;
    initialised = true;
    pthread_mutex_unlock(&lock);
    return was_open ? fail(GC_ERR_RESOURCE_IN_USE, "the library is in use already") : GC_ERR_SUCCESS;
}

static void close_interface(void) {
    for (size_t i = 0; i < CAMERA_COUNT; i++)
        camera_close(&cameras[i]);
    pthread_mutex_lock(&lock);
    interface_generation = 0;
    pthread_mutex_unlock(&lock);
}

GC_ERROR GCCloseLib(void) {
    if (!library_is_open())
        return fail(GC_ERR_NOT_INITIALIZED, "GCInitLib was not called");
    close_interface();
    pthread_mutex_lock(&lock);
    system_generation = 0;
    initialised = false;
    pthread_mutex_unlock(&lock);
    return GC_ERR_SUCCESS;
}

/* A host that unloads the library without closing it must not leave threads in unmapped code. */
__attribute__((destructor)) static void unload(void) {
    if (initialised)
        GCCloseLib();
}

static GC_ERROR system_info(int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    switch (cmd) {
    case TL_INFO_ID: return answer_text(SYSTEM_ID, type, buffer, size);
    case TL_INFO_VENDOR: return answer_text(VENDOR, type, buffer, size);
    case TL_INFO_MODEL: return answer_text("virtual producer", type, buffer, size);
    case TL_INFO_VERSION: return answer_text(VERSION, type, buffer, size);
    case TL_INFO_TLTYPE: return answer_text(TL_TYPE, type, buffer, size);
    case TL_INFO_NAME:
    case TL_INFO_PATHNAME: return answer_text("beamrig_virtual.cti", type, buffer, size);
    case TL_INFO_DISPLAYNAME: return answer_text("beamrig virtual rig", type, buffer, size);
    case TL_INFO_CHAR_ENCODING: return answer_int32(0, type, buffer, size);
    case TL_INFO_GENTL_VER_MAJOR: return answer_uint32(1, type, buffer, size);
    case TL_INFO_GENTL_VER_MINOR: return answer_uint32(6, type, buffer, size);
    default: return fail(GC_ERR_NOT_IMPLEMENTED, "system info %d is not known", cmd);
    }
}

GC_ERROR GCGetInfo(int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return system_info(cmd, type, buffer, size);
}

/* ---- system ---- */

static GC_ERROR open_once(uint32_t *generation, HandleKind kind, void **handle) {
    if (handle == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    pthread_mutex_lock(&lock);
    bool in_use = *generation != 0;
    if (!in_use) {
        *generation = handle_next_generation();
        *handle = handle_make(kind, 0, 0, *generation);
    }
    pthread_mutex_unlock(&lock);
    return in_use ? fail(GC_ERR_RESOURCE_IN_USE, "the module is open already") : GC_ERR_SUCCESS;
}

GC_ERROR TLOpen(TL_HANDLE *system) {
    if (!library_is_open())
        return fail(GC_ERR_NOT_INITIALIZED, "GCInitLib was not called");
    if (!personality_known) /* not earlier: hosts do not look at what GCInitLib says */
        return fail(GC_ERR_INVALID_PARAMETER, "%s", personality_problem);
    return open_once(&system_generation, HANDLE_SYSTEM, system);
}

GC_ERROR TLClose(TL_HANDLE system) {
    GC_ERROR result = system_check(system, HANDLE_SYSTEM);
    if (result != GC_ERR_SUCCESS)
        return result;
    close_interface();
    pthread_mutex_lock(&lock);
    system_generation = 0;
    pthread_mutex_unlock(&lock);
    return GC_ERR_SUCCESS;
}

GC_ERROR TLGetInfo(TL_HANDLE system, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GC_ERROR result = system_check(system, HANDLE_SYSTEM);
    return result == GC_ERR_SUCCESS ? system_info(cmd, type, buffer, size) : result;
}

GC_ERROR TLGetNumInterfaces(TL_HANDLE system, uint32_t *count) {
    GC_ERROR result = system_check(system, HANDLE_SYSTEM);
    if (result == GC_ERR_SUCCESS && count == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the count");
    if (result == GC_ERR_SUCCESS)
        *count = 1;
    return result;
}

GC_ERROR TLGetInterfaceID(TL_HANDLE system, uint32_t index, char *id, size_t *size) {
    GC_ERROR result = system_check(system, HANDLE_SYSTEM);
    if (result != GC_ERR_SUCCESS)
        return result;
    return index == 0 ? answer_text(INTERFACE_ID, NULL, id, size) : fail(GC_ERR_INVALID_INDEX, "there is one interface");
}

static GC_ERROR interface_info(int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    switch (cmd) {
    case INTERFACE_INFO_ID: return answer_text(INTERFACE_ID, type, buffer, size);
    case INTERFACE_INFO_DISPLAYNAME: return answer_text("beamrig virtual interface", type, buffer, size);
    case INTERFACE_INFO_TLTYPE: return answer_text(TL_TYPE, type, buffer, size);
    default: return fail(GC_ERR_NOT_IMPLEMENTED, "interface info %d is not known", cmd);
    }
}

GC_ERROR TLGetInterfaceInfo(TL_HANDLE system, const char *id, int32_t cmd, INFO_DATATYPE *type, void *buffer,
                            size_t *size) {
    GC_ERROR result = system_check(system, HANDLE_SYSTEM);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (id == NULL || strcmp(id, INTERFACE_ID) != 0)
        return fail(GC_ERR_INVALID_ID, "no such interface");
    return interface_info(cmd, type, buffer, size);
}

GC_ERROR TLOpenInterface(TL_HANDLE system, const char *id, IF_HANDLE *interface) {
    GC_ERROR result = system_check(system, HANDLE_SYSTEM);
    if (result != GC_ERR_SUCCESS)
        return result;
    if (id == NULL || strcmp(id, INTERFACE_ID) != 0)
        return fail(GC_ERR_INVALID_ID, "no such interface");
    return open_once(&interface_generation, HANDLE_INTERFACE, interface);
}

GC_ERROR TLUpdateInterfaceList(TL_HANDLE system, bool8_t *changed, uint64_t timeout_ms) {
    (void)timeout_ms;
    if (changed != NULL)
        *changed = 0;
    return system_check(system, HANDLE_SYSTEM);
}

/* ---- interface ---- */

GC_ERROR IFClose(IF_HANDLE interface) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (result == GC_ERR_SUCCESS)
        close_interface();
    return result;
}

GC_ERROR IFGetInfo(IF_HANDLE interface, int32_t cmd, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    return result == GC_ERR_SUCCESS ? interface_info(cmd, type, buffer, size) : result;
}

static bool is_there(Camera *camera) {
    pthread_mutex_lock(&camera->lock);
    bool there = !camera->absent;
    pthread_mutex_unlock(&camera->lock);
    return there;
}

GC_ERROR IFGetNumDevices(IF_HANDLE interface, uint32_t *count) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (result == GC_ERR_SUCCESS && count == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the count");
    if (result == GC_ERR_SUCCESS)
        for (uint32_t i = *count = 0; i < CAMERA_COUNT; i++)
            *count += is_there(&cameras[i]);
    return result;
}

GC_ERROR IFGetDeviceID(IF_HANDLE interface, uint32_t index, char *id, size_t *size) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (result != GC_ERR_SUCCESS)
        return result;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < CAMERA_COUNT; i++)
        if (is_there(&cameras[i]) && seen++ == index)
            return answer_text(cameras[i].serial, NULL, id, size);
    return fail(GC_ERR_INVALID_INDEX, "there are %u cameras", seen);
}

GC_ERROR IFUpdateDeviceList(IF_HANDLE interface, bool8_t *changed, uint64_t timeout_ms) {
    (void)timeout_ms;
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (changed != NULL)
        *changed = 0;
    for (size_t i = 0; result == GC_ERR_SUCCESS && i < CAMERA_COUNT; i++) {
        bool shown = world_shows(cameras[i].serial);
        pthread_mutex_lock(&cameras[i].lock);
        if (changed != NULL && cameras[i].absent == shown)
            *changed = 1;
        cameras[i].absent = !shown;
        pthread_mutex_unlock(&cameras[i].lock);
    }
    return result;
}

static Camera *find_camera(const char *id) {
    for (size_t i = 0; id != NULL && i < CAMERA_COUNT; i++)
        if (strcmp(id, cameras[i].serial) == 0)
            return &cameras[i];
    return NULL;
}

GC_ERROR IFGetDeviceInfo(IF_HANDLE interface, const char *id, int32_t cmd, INFO_DATATYPE *type, void *buffer,
                         size_t *size) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (result != GC_ERR_SUCCESS)
        return result;
    Camera *camera = find_camera(id);
    if (camera == NULL)
        return fail(GC_ERR_INVALID_ID, "no such camera");
    pthread_mutex_lock(&camera->lock);
    result = camera_info(camera, cmd, type, buffer, size);
    pthread_mutex_unlock(&camera->lock);
    return result;
}

GC_ERROR IFOpenDevice(IF_HANDLE interface, const char *id, int32_t flags, DEV_HANDLE *device) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (result != GC_ERR_SUCCESS)
        return result;
    Camera *camera = find_camera(id);
    if (camera == NULL)
        return fail(GC_ERR_INVALID_ID, "no such camera");
    if (device == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    pthread_mutex_lock(&camera->lock);
    result = camera_open(camera, flags);
    if (result == GC_ERR_SUCCESS)
        *device = handle_make(HANDLE_DEVICE, camera->number, 0, camera->generation);
    pthread_mutex_unlock(&camera->lock);
    return result;
}

GC_ERROR IFGetParentTL(IF_HANDLE interface, TL_HANDLE *system) {
    GC_ERROR result = system_check(interface, HANDLE_INTERFACE);
    if (result == GC_ERR_SUCCESS && system == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the handle");
    if (result == GC_ERR_SUCCESS)
        *system = handle_make(HANDLE_SYSTEM, 0, 0, system_generation);
    return result;
}
