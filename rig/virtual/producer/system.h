/* The two upper modules, system and interface, of which there is one each. */
#ifndef BEAMRIG_SYSTEM_H
#define BEAMRIG_SYSTEM_H

#include "producer/handles.h"

#define SYSTEM_ID "beamrig-virtual"
#define INTERFACE_ID "beamrig-virtual-0"
#define VENDOR "beamrig"
#define VERSION "1.0"
#define TL_TYPE (personality.tl_type)

GC_ERROR system_check(const void *handle, HandleKind kind);
void *system_interface_handle(void);

#endif
