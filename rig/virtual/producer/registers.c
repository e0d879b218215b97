#include "producer/registers.h"

#include <math.h>
#include <string.h>

#include "producer/camera.h"
#include "producer/sensor.h"

enum { TRIGGERS = (REG_TriggerSoftware - REG_TriggerMode) / 4 };

/* ---- typed access ---- */

int64_t register_integer(const Camera *camera, uint32_t address) {
    int64_t value;
    memcpy(&value, camera->registers + address, sizeof value);
    return value;
}

double register_float(const Camera *camera, uint32_t address) {
    double value;
    memcpy(&value, camera->registers + address, sizeof value);
    return value;
}

int32_t register_enum(const Camera *camera, uint32_t address) {
    int32_t value;
    memcpy(&value, camera->registers + address, sizeof value);
    return value;
}

const char *register_text(const Camera *camera, uint32_t address) {
    return (const char *)camera->registers + address;
}

void register_set_integer(Camera *camera, uint32_t address, int64_t value) {
    memcpy(camera->registers + address, &value, sizeof value);
}

void register_set_float(Camera *camera, uint32_t address, double value) {
    memcpy(camera->registers + address, &value, sizeof value);
}

void register_set_enum(Camera *camera, uint32_t address, int32_t value) {
    memcpy(camera->registers + address, &value, sizeof value);
}

/* ---- power-up and user sets ---- */

static void put_default(uint8_t *target, const FeatureEntry *entry) {
    int64_t integer = (int64_t)entry->default_number;
    int32_t number = (int32_t)entry->default_number;
    switch (entry->kind) {
    case KIND_INTEGER: memcpy(target, &integer, sizeof integer); break;
    case KIND_FLOAT: memcpy(target, &entry->default_number, sizeof entry->default_number); break;
    case KIND_STRING: strncpy((char *)target, entry->default_text, entry->length - 1); break;
    default: memcpy(target, &number, sizeof number);
    }
}

void registers_power_up(Camera *camera, const char *serial, const char *user_id) {
    memset(camera->registers, 0, sizeof camera->registers);
    for (size_t i = 0; i < personality.feature_count; i++)
        for (uint32_t instance = 0; instance < feature_table[i].count; instance++)
            put_default(camera->registers + feature_table[i].address + instance * feature_table[i].length,
                        &feature_table[i]);
    strcpy((char *)camera->registers + REG_DeviceSerialNumber, serial);
    strcpy((char *)camera->registers + REG_DeviceUserID, user_id);
    for (uint32_t trigger = 1; quirk(QUIRK_trigger_left_on) && trigger < TRIGGERS; trigger++)
        register_set_enum(camera, REG_TriggerMode + 4 * trigger, TriggerMode_On);
    for (size_t set = 0; set < USER_SETS; set++)
        memcpy(camera->user_sets[set], camera->registers, REGISTER_BYTES);
}

static void copy_user_set(uint8_t *target, const uint8_t *source) {
    for (size_t i = 0; i < personality.feature_count; i++)
        if (feature_table[i].user_set)
            memcpy(target + feature_table[i].address, source + feature_table[i].address,
                   (size_t)feature_table[i].length * feature_table[i].count);
}

/* ---- reading ---- */

/* Bring those registers up to date that are computed, not stored. */
static void refresh(Camera *camera) {
    int64_t now = monotonic_ns();
    sensor_advance(camera, now);
    Settings settings = sensor_settings(camera);
    register_set_integer(camera, REG_PayloadSize, (int64_t)settings_payload_bytes(&settings));
    register_set_float(camera, REG_SensorReadoutTime, (double)settings.readout_ns / 1000.0);
    register_set_float(camera, REG_AcquisitionResultingFrameRate, sensor_resulting_rate_hz(camera));
    register_set_enum(camera, REG_LineStatus, sensor_line_level(camera));
    for (int which = 0; which <= AcquisitionStatusSelector_ExposureActive; which++)
        register_set_enum(camera, REG_AcquisitionStatus + 4 * (uint32_t)which, sensor_status(camera, which, now));
}

GC_ERROR registers_read(Camera *camera, uint64_t address, void *buffer, size_t size) {
    if (address >= XML_ADDRESS && address - XML_ADDRESS <= personality.xml_length &&
        size <= personality.xml_length + 1 - (address - XML_ADDRESS)) {
        memcpy(buffer, personality.xml + (address - XML_ADDRESS), size);
        return GC_ERR_SUCCESS;
    }
    if (address >= REGISTER_BYTES || size > REGISTER_BYTES - address)
        return fail(GC_ERR_INVALID_ADDRESS, "no register at 0x%llx", (unsigned long long)address);
    refresh(camera);
    memcpy(buffer, camera->registers + address, size);
    return GC_ERR_SUCCESS;
}

/* ---- writing ---- */

static const FeatureEntry *find_register(uint64_t address, size_t size) {
    for (size_t i = 0; i < personality.feature_count; i++) {
        const FeatureEntry *entry = &feature_table[i];
        if (address >= entry->address && address < entry->address + (uint64_t)entry->length * entry->count)
            return size == entry->length && (address - entry->address) % entry->length == 0 ? entry : NULL;
    }
    return NULL;
}

static bool on_step(double value, const FeatureEntry *entry) {
    double from = entry->minimum > -1e18 ? entry->minimum : 0;
    return entry->increment == 0 || fmod(value - from, entry->increment) == 0;
}

/* Limits that depend on other features. */
static bool region_fits(const Camera *camera, uint32_t address, int64_t value) {
    int64_t columns = register_integer(camera, REG_SensorWidth), rows = register_integer(camera, REG_SensorHeight);
    switch (address) {
    case REG_Width: return value + register_integer(camera, REG_OffsetX) <= columns;
    case REG_OffsetX: return value + register_integer(camera, REG_Width) <= columns;
    case REG_Height: return value + register_integer(camera, REG_OffsetY) <= rows;
    case REG_OffsetY: return value + register_integer(camera, REG_Height) <= rows;
    default: return true;
    }
}

static bool value_allowed(const Camera *camera, const FeatureEntry *entry, const void *data) {
    int64_t integer;
    double number;
    int32_t small;
    switch (entry->kind) {
    case KIND_INTEGER:
        memcpy(&integer, data, sizeof integer);
        number = (double)integer;
        return number >= entry->minimum && number <= entry->maximum && on_step(number, entry) &&
               region_fits(camera, entry->address, integer);
    case KIND_FLOAT:
        memcpy(&number, data, sizeof number);
        return number >= entry->minimum && number <= entry->maximum; /* false for NaN; steps are rounded to */
    case KIND_BOOLEAN:
        memcpy(&small, data, sizeof small);
        return small == 0 || small == 1;
    case KIND_ENUMERATION:
        memcpy(&small, data, sizeof small);
        for (size_t i = 0; i < entry->allowed_count; i++)
            if (entry->allowed[i] == small)
                return true;
        return false;
    case KIND_STRING: return memchr(data, 0, entry->length) != NULL;
    default: return true;
    }
}

static GC_ERROR user_set_command(Camera *camera, uint32_t address) {
    int32_t set = register_enum(camera, REG_UserSetSelector);
    if (set < 0 || set >= USER_SETS)
        return fail(GC_ERR_INVALID_VALUE, "that user set does not exist");
    if (address == REG_UserSetLoad)
        copy_user_set(camera->registers, camera->user_sets[set]);
    else if (set == UserSetSelector_Default)
        return fail(GC_ERR_ACCESS_DENIED, "user set Default cannot be saved");
    else
        copy_user_set(camera->user_sets[set], camera->registers);
    return GC_ERR_SUCCESS;
}

static GC_ERROR run_command(Camera *camera, const FeatureEntry *entry, uint32_t address) {
    int64_t now = monotonic_ns();
    switch (entry->address) {
    case REG_AcquisitionStart: sensor_start(camera, now); break;
    case REG_AcquisitionStop:
        sensor_advance(camera, now); /* what was due before the stop has happened */
        sensor_stop(camera);
        break;
    case REG_TriggerSoftware: sensor_software_trigger(camera, (int)(address - entry->address) / 4, now); break;
    case REG_TimestampLatch:
        register_set_integer(camera, REG_TimestampLatchValue, clock_timestamp_ns(camera, now) / personality.tick_ns);
        break;
    case REG_FrameTriggerIgnoredCountReset: register_set_integer(camera, REG_FrameTriggerIgnoredCount, 0); break;
    case REG_UserSetLoad:
    case REG_UserSetSave: return user_set_command(camera, entry->address);
    default: break; /* of a personality, without effect */
    }
    return GC_ERR_SUCCESS;
}

/* Store a value; a float is rounded to its step, and nobody is told. */
static void put(Camera *camera, const FeatureEntry *entry, uint32_t address, const void *buffer, size_t size) {
    memcpy(camera->registers + address, buffer, size);
    if (entry->kind == KIND_FLOAT && entry->increment > 0) {
        double steps = (register_float(camera, address) - entry->minimum) / entry->increment;
        bool up = quirk(QUIRK_exposure_steps_up) && entry->address == REG_ExposureTime;
        steps = up ? ceil(steps - 1e-6) : nearbyint(steps);
        register_set_float(camera, address, entry->minimum + steps * entry->increment);
    }
    if (quirk(QUIRK_mode_resets_source) && entry->address == REG_TriggerMode)
        register_set_enum(camera, REG_TriggerSource + (address - REG_TriggerMode), TriggerSource_Software);
}

GC_ERROR registers_write(Camera *camera, uint64_t address, const void *buffer, size_t size) {
    const FeatureEntry *entry = find_register(address, size);
    if (entry == NULL)
        return fail(GC_ERR_INVALID_ADDRESS, "no register of %zu bytes at 0x%llx", size, (unsigned long long)address);
    if (entry->access == ACCESS_RO || camera->read_only)
        return fail(GC_ERR_ACCESS_DENIED, "%s is read-only", entry->name);
    if (!entry->while_acquiring && register_integer(camera, REG_TLParamsLocked) != 0)
        return fail(GC_ERR_ACCESS_DENIED, "%s cannot be changed while frames are streamed", entry->name);
    if (!value_allowed(camera, entry, buffer))
        return fail(GC_ERR_INVALID_VALUE, "%s does not allow that value", entry->name);
    sensor_advance(camera, monotonic_ns()); /* exposures that have begun keep the old settings */
    GC_ERROR result = GC_ERR_SUCCESS;
    if (entry->kind == KIND_COMMAND)
        result = run_command(camera, entry, (uint32_t)address);
    else if (!entry->deaf && !(quirk(QUIRK_overlap_not_applied) && entry->address == REG_TriggerOverlap))
        put(camera, entry, (uint32_t)address, buffer, size);
    camera_changed(camera);
    return result;
}
