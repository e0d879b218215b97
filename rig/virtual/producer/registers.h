/* The registers of a camera: a flat memory whose layout, limits and defaults come from features.py. */
#ifndef BEAMRIG_REGISTERS_H
#define BEAMRIG_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "features_generated.h"
#include "producer/gentl.h"

typedef struct Camera Camera;

typedef enum { KIND_INTEGER, KIND_FLOAT, KIND_ENUMERATION, KIND_BOOLEAN, KIND_COMMAND, KIND_STRING } FeatureKind;
typedef enum { ACCESS_RO, ACCESS_RW, ACCESS_WO } FeatureAccess;

typedef struct {
    const char *name;
    uint32_t address;
    uint32_t length; /* of one instance */
    uint32_t count;  /* instances, one after the other */
    FeatureKind kind;
    FeatureAccess access;
    bool while_acquiring; /* may be written while TLParamsLocked is 1 */
    bool user_set;
    bool deaf; /* takes writes and keeps the old value */
    double minimum, maximum, increment;
    const int64_t *allowed; /* of an enumeration */
    size_t allowed_count;
    double default_number;
    const char *default_text;
} FeatureEntry;

/* Which camera the producer plays (personality.py): how it shows the registers, and its quirks. */
typedef struct {
    const char *name, *vendor, *model, *tl_type;
    const FeatureEntry *features;
    size_t feature_count;
    const char *xml;
    size_t xml_length;
    uint32_t quirks; /* QUIRK_ bits */
    uint32_t first_block_id;
    int64_t tick_ns; /* unit of the camera's own time stamps */
} Personality;

/* The one in force: fixed when the library is first used, by BEAMRIG_PERSONALITY and BEAMRIG_QUIRKS. */
extern Personality personality;
#define feature_table (personality.features)

/* Find it; false, with the text for the user in `problem`, if a name is not known. */
bool personality_choose(char *problem, size_t size);

static inline bool quirk(uint32_t bit) {
    return (personality.quirks & bit) != 0;
}

/* Generated. */
extern const Personality *const personalities[];
extern const size_t personality_count;
extern const char *const quirk_names[QUIRK_COUNT];
extern const char module_xml[];
extern const size_t module_xml_length;

/* All of these want the camera's lock. Addresses are REG_ constants, plus n * length for instance n. */
int64_t register_integer(const Camera *camera, uint32_t address);
double register_float(const Camera *camera, uint32_t address);
int32_t register_enum(const Camera *camera, uint32_t address); /* enumerations and booleans */
const char *register_text(const Camera *camera, uint32_t address);
void register_set_integer(Camera *camera, uint32_t address, int64_t value);
void register_set_float(Camera *camera, uint32_t address, double value);
void register_set_enum(Camera *camera, uint32_t address, int32_t value);

void registers_power_up(Camera *camera, const char *serial, const char *user_id);
GC_ERROR registers_read(Camera *camera, uint64_t address, void *buffer, size_t size);
GC_ERROR registers_write(Camera *camera, uint64_t address, const void *buffer, size_t size);

#endif
