/* Handles, ports, registers, user sets: everything that needs no frame. */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "producer/pfnc.h"
#include "tests.h"

void closed_library_refuses_everything(void) {
    TL_HANDLE system;
    uint32_t count;
    CHECK_EQUAL(TLOpen(&system), GC_ERR_NOT_INITIALIZED);
    CHECK_EQUAL(GCGetNumPortURLs(NULL, &count), GC_ERR_NOT_INITIALIZED);
    CHECK_EQUAL(GCCloseLib(), GC_ERR_NOT_INITIALIZED);
}

void invented_and_stale_handles_are_refused(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    uint32_t count;
    size_t size = 8;
    uint64_t value;
    CHECK_EQUAL(GCInitLib(), GC_ERR_RESOURCE_IN_USE);
    CHECK_EQUAL(GCGetNumPortURLs(NULL, &count), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(DSClose((DS_HANDLE)(uintptr_t)0xDEADBEEF), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(DSQueueBuffer(host.stream, (BUFFER_HANDLE)(uintptr_t)0x1234567), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(DSClose(host.device), GC_ERR_INVALID_HANDLE);
    Host old = host;
    host_close(&host);
    CHECK_EQUAL(GCReadPort(old.port, REG_Width, &value, &size), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(EventGetData(old.event, &value, &size, 0), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(DSFlushQueue(old.stream, ACQ_QUEUE_ALL_DISCARD), GC_ERR_INVALID_HANDLE);
    Host again = host_open(&library, 0);
    CHECK_EQUAL(GCReadPort(old.port, REG_Width, &value, &size), GC_ERR_INVALID_HANDLE);
    CHECK_EQUAL(DevClose(old.device), GC_ERR_INVALID_HANDLE);
    host_close(&again);
    library_close(&library);
    CHECK_EQUAL(IFGetNumDevices(library.interface, &count), GC_ERR_NOT_INITIALIZED);
}

void a_camera_opens_once_and_closes_with_the_library(void) {
    Library library = library_open();
    Host host = host_open(&library, 1);
    DEV_HANDLE second;
    CHECK_EQUAL(IFOpenDevice(library.interface, "VR-S-0002", DEVICE_ACCESS_EXCLUSIVE, &second), GC_ERR_RESOURCE_IN_USE);
    CHECK_EQUAL(IFOpenDevice(library.interface, "nobody", DEVICE_ACCESS_EXCLUSIVE, &second), GC_ERR_INVALID_ID);
    host_start(&host, 3); /* left running on purpose */
    CHECK_EQUAL(GCCloseLib(), GC_ERR_SUCCESS);
    for (size_t i = 0; i < host.buffer_count; i++)
        free(host.memory[i]);
}

void info_commands_tell_the_size_first(void) {
    Library library = library_open();
    size_t size = 0;
    INFO_DATATYPE type;
    char text[64];
    CHECK_EQUAL(IFGetDeviceInfo(library.interface, "VR-B-0001", DEVICE_INFO_SERIAL_NUMBER, &type, NULL, &size),
                GC_ERR_SUCCESS);
    CHECK_EQUAL(size, strlen("VR-B-0001") + 1);
    CHECK_EQUAL(type, INFO_DATATYPE_STRING);
    size = 3;
    CHECK_EQUAL(IFGetDeviceInfo(library.interface, "VR-B-0001", DEVICE_INFO_SERIAL_NUMBER, &type, text, &size),
                GC_ERR_BUFFER_TOO_SMALL);
    size = sizeof text;
    CHECK_EQUAL(IFGetDeviceInfo(library.interface, "VR-B-0001", DEVICE_INFO_USER_DEFINED_NAME, &type, text, &size),
                GC_ERR_SUCCESS);
    CHECK(strcmp(text, "Camera B") == 0);
    GC_ERROR code;
    CHECK_EQUAL(IFGetDeviceInfo(library.interface, "nobody", DEVICE_INFO_ID, &type, text, &size), GC_ERR_INVALID_ID);
    size = sizeof text;
    CHECK_EQUAL(GCGetLastError(&code, text, &size), GC_ERR_SUCCESS);
    CHECK_EQUAL(code, GC_ERR_INVALID_ID);
    CHECK(strcmp(text, "no such camera") == 0);
    library_close(&library);
}

void every_module_has_an_xml_to_read(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    void *ports[] = {library.system, library.interface, host.device, host.stream, host.port};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        char url[128], head[6] = {0};
        size_t size = sizeof url;
        unsigned address = 0, length = 0;
        CHECK_EQUAL(GCGetPortURL(ports[i], url, &size), GC_ERR_SUCCESS);
        CHECK_EQUAL(sscanf(url, "Local:%*[^;];%x;%x", &address, &length), 2);
        char *text = malloc(length);
        size = length;
        CHECK_EQUAL(GCReadPort(ports[i], address, text, &size), GC_ERR_SUCCESS);
        memcpy(head, text, 5);
        CHECK(strcmp(head, "<?xml") == 0);
        CHECK(text[length - 2] == '>');
        size = (size_t)length + 2; /* past the end */
        char *more = malloc(size);
        CHECK_EQUAL(GCReadPort(ports[i], address, more, &size), GC_ERR_INVALID_ADDRESS);
        free(more);
        free(text);
    }
    host_close(&host);
    library_close(&library);
}

void registers_keep_their_limits(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    size_t size = 2;
    CHECK_EQUAL(host_write_integer(&host, REG_Width, 65), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_integer(&host, REG_Width, 2456), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_integer(&host, REG_OffsetX, 2384), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_integer(&host, REG_Width, 72), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_integer(&host, REG_OffsetY, 1), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_enum(&host, REG_PixelFormat, 0x01080001), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_float(&host, REG_ExposureTime, 9.9), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_float(&host, REG_ExposureTime, 0.0 / 0.0 * 1.0), GC_ERR_INVALID_VALUE);
    CHECK_EQUAL(host_write_float(&host, REG_ExposureTime, 1000.4), GC_ERR_SUCCESS);
    CHECK(host_float(&host, REG_ExposureTime) == 1000.0);
    CHECK_EQUAL(host_write_float(&host, REG_DeviceTemperature, 1.0), GC_ERR_ACCESS_DENIED);
    CHECK_EQUAL(host_write_integer(&host, REG_Width + 4, 64), GC_ERR_INVALID_ADDRESS);
    CHECK_EQUAL(GCWritePort(host.port, REG_Width, &size, &size), GC_ERR_INVALID_ADDRESS);
    size = 8;
    CHECK_EQUAL(GCReadPort(host.port, UINT64_MAX - 3, &size, &size), GC_ERR_INVALID_ADDRESS);
    char name[64];
    memset(name, 'x', sizeof name);
    size = sizeof name;
    CHECK_EQUAL(GCWritePort(host.port, REG_DeviceUserID, name, &size), GC_ERR_INVALID_VALUE); /* no end */
    CHECK_EQUAL(host_write_integer(&host, REG_TLParamsLocked, 1), GC_ERR_SUCCESS);
    CHECK_EQUAL(host_write_integer(&host, REG_OffsetY, 2), GC_ERR_ACCESS_DENIED);
    CHECK_EQUAL(host_write_float(&host, REG_Gain, 3), GC_ERR_SUCCESS);
    host_write_integer(&host, REG_TLParamsLocked, 0);
    host_close(&host);
    library_close(&library);
}

void user_sets_keep_all_settings(void) {
    Library library = library_open();
    Host host = host_open(&library, 0);
    host_write_float(&host, REG_ExposureTime, 777);
    host_write_enum(&host, REG_TriggerMode + 4 * TriggerSelector_AcquisitionStart, TriggerMode_On);
    host_write_enum(&host, REG_UserSetSelector, UserSetSelector_UserSet1);
    CHECK_EQUAL(host_write_enum(&host, REG_UserSetSave, 1), GC_ERR_SUCCESS);
    host_write_enum(&host, REG_UserSetSelector, UserSetSelector_Default);
    CHECK_EQUAL(host_write_enum(&host, REG_UserSetSave, 1), GC_ERR_ACCESS_DENIED);
    CHECK_EQUAL(host_write_enum(&host, REG_UserSetLoad, 1), GC_ERR_SUCCESS);
    CHECK(host_float(&host, REG_ExposureTime) == 10000.0);
    CHECK_EQUAL(host_integer(&host, REG_Width), 2448);
    CHECK_EQUAL(host_enum(&host, REG_UserSetSelector), UserSetSelector_Default); /* not part of a set */
    host_write_enum(&host, REG_UserSetSelector, UserSetSelector_UserSet1);
    CHECK_EQUAL(host_write_enum(&host, REG_UserSetLoad, 1), GC_ERR_SUCCESS);
    CHECK(host_float(&host, REG_ExposureTime) == 777.0);
    CHECK_EQUAL(host_integer(&host, REG_Width), SMALL_WIDTH);
    CHECK_EQUAL(host_enum(&host, REG_TriggerMode + 4 * TriggerSelector_AcquisitionStart), TriggerMode_On);
    host_close(&host);
    library_close(&library);
}

/* Worked out by hand from the bit positions of the PFNC and of GigE Vision; 10 bit is the code >> 2. */
void codes_are_packed_as_pfnc_says(void) {
    static const uint16_t codes[4] = {0xABC, 0x123, 0x000, 0xFFF};
    static const struct {
        uint32_t format;
        size_t bytes;
        uint8_t expected[8];
    } cases[] = {
        {PixelFormat_BayerRG8, 4, {0xAB, 0x12, 0x00, 0xFF}},
        {PixelFormat_BayerRG10, 8, {0xAF, 0x02, 0x48, 0x00, 0x00, 0x00, 0xFF, 0x03}},
        {PixelFormat_BayerRG10p, 5, {0xAF, 0x22, 0x01, 0xC0, 0xFF}},
        {PixelFormat_BayerRG10Packed, 6, {0xAB, 0x03, 0x12, 0x00, 0x30, 0xFF}},
        {PixelFormat_BayerRG12, 8, {0xBC, 0x0A, 0x23, 0x01, 0x00, 0x00, 0xFF, 0x0F}},
        {PixelFormat_BayerRG12p, 6, {0xBC, 0x3A, 0x12, 0x00, 0xF0, 0xFF}},
        {PixelFormat_BayerRG12Packed, 6, {0xAB, 0x3C, 0x12, 0x00, 0xF0, 0xFF}},
        {PixelFormat_BayerRG16, 8, {0xC0, 0xAB, 0x30, 0x12, 0x00, 0x00, 0xF0, 0xFF}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *packed = malloc(cases[i].bytes + 1); /* not a byte more, and at an odd address */
        CHECK_EQUAL(pfnc_bytes(cases[i].format, 4), cases[i].bytes);
        pfnc_write(cases[i].format, codes, 4, packed + 1);
        CHECK(memcmp(packed + 1, cases[i].expected, cases[i].bytes) == 0);
        free(packed);
    }
    CHECK_EQUAL(pfnc_bytes(PixelFormat_BayerRG12p, 2448), 3672);
    CHECK_EQUAL(pfnc_bytes(PixelFormat_BayerRG10p, 2448), 3060);
}
