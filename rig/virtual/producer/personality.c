/* Which camera the producer plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/registers.h"

Personality personality;

static bool choose_camera(const char *name, char *problem, size_t size) {
    personality = *personalities[0];
    if (name == NULL || *name == '\0')
        return true;
    for (size_t i = 0; i < personality_count; i++)
        if (strcmp(personalities[i]->name, name) == 0) {
            personality = *personalities[i];
            return true;
        }
    snprintf(problem, size, "BEAMRIG_PERSONALITY: there is no camera %.40s", name);
    return false;
}

static bool add_quirk(const char *name, size_t length) {
    for (size_t i = 0; i < QUIRK_COUNT; i++)
        if (strlen(quirk_names[i]) == length && strncmp(quirk_names[i], name, length) == 0) {
            personality.quirks |= 1u << i;
            return true;
        }
    return length == 0;
}

static bool add_quirks(const char *names, char *problem, size_t size) {
    while (names != NULL && *names != '\0') {
        size_t length = strcspn(names, ",");
        if (!add_quirk(names, length)) {
            snprintf(problem, size, "BEAMRIG_QUIRKS: there is no quirk %.*s", (int)(length < 40 ? length : 40), names);
            return false;
        }
        names += length + (names[length] == ',');
    }
    return true;
}

bool personality_choose(char *problem, size_t size) {
    return choose_camera(getenv("BEAMRIG_PERSONALITY"), problem, size) &&
           add_quirks(getenv("BEAMRIG_QUIRKS"), problem, size);
}
