/* DS: what a delivered buffer holds. */
#include "producer/camera.h"
#include "producer/system.h"

static GC_ERROR enter_buffer(DS_HANDLE stream, BUFFER_HANDLE handle, Camera **camera, Buffer **buffer) {
    GC_ERROR result = camera_enter(stream, HANDLE_STREAM, camera);
    if (result != GC_ERR_SUCCESS)
        return result;
    result = buffer_find(*camera, handle, buffer);
    if (result != GC_ERR_SUCCESS)
        camera_leave(*camera);
    return result;
}

/* What is known of every buffer. */
static GC_ERROR memory_info(const Buffer *buffer, int32_t cmd, INFO_DATATYPE *type, void *out, size_t *size) {
    switch (cmd) {
    case BUFFER_INFO_BASE: return answer_pointer(buffer->base, type, out, size);
    case BUFFER_INFO_SIZE: return answer_size(buffer->size, type, out, size);
    case BUFFER_INFO_USER_PTR: return answer_pointer(buffer->user, type, out, size);
    case BUFFER_INFO_NEW_DATA: return answer_bool(buffer->filled, type, out, size);
    case BUFFER_INFO_IS_QUEUED:
        return answer_bool(buffer->state == BUFFER_QUEUED || buffer->state == BUFFER_OUTPUT, type, out, size);
    case BUFFER_INFO_IS_ACQUIRING: return answer_bool(buffer->state == BUFFER_FILLING, type, out, size);
    case BUFFER_INFO_TLTYPE: return answer_text(TL_TYPE, type, out, size);
    default: return GC_ERR_NOT_IMPLEMENTED;
    }
}

/* The transport's own number of a frame. */
static GC_ERROR block_id(const Frame *frame, INFO_DATATYPE *type, void *out, size_t *size) {
    if (quirk(QUIRK_chunk_ids_only))
        return fail(GC_ERR_NOT_AVAILABLE, "this transport numbers no frames");
    return answer_uint64(frame->id + personality.first_block_id, type, out, size);
}

static int64_t transport_time_ns(const Frame *frame) {
    return frame->timestamp_ns + (quirk(QUIRK_stamped_at_readout) ? frame->end_ns - frame->start_ns : 0);
}

/* What is known of a frame. */
static GC_ERROR frame_info(const Buffer *buffer, int32_t cmd, INFO_DATATYPE *type, void *out, size_t *size) {
    const Frame *frame = &buffer->frame;
    const Settings *settings = &frame->settings;
    switch (cmd) {
    case BUFFER_INFO_TIMESTAMP:
        return answer_uint64((uint64_t)(transport_time_ns(frame) / personality.tick_ns), type, out, size);
    case BUFFER_INFO_TIMESTAMP_NS: return answer_uint64((uint64_t)transport_time_ns(frame), type, out, size);
    case BUFFER_INFO_IS_INCOMPLETE: return answer_bool(buffer->incomplete, type, out, size);
    case BUFFER_INFO_SIZE_FILLED:
    case BUFFER_INFO_DATA_SIZE: return answer_size(buffer->filled_bytes, type, out, size);
    case BUFFER_INFO_WIDTH: return answer_size(settings->width, type, out, size);
    case BUFFER_INFO_HEIGHT:
    case BUFFER_INFO_DELIVERED_IMAGEHEIGHT: return answer_size(settings->height, type, out, size);
    case BUFFER_INFO_XOFFSET: return answer_size(settings->offset_x, type, out, size);
    case BUFFER_INFO_YOFFSET: return answer_size(settings->offset_y, type, out, size);
    case BUFFER_INFO_XPADDING:
    case BUFFER_INFO_YPADDING:
    case BUFFER_INFO_IMAGEOFFSET: return answer_size(0, type, out, size);
    case BUFFER_INFO_FRAMEID: return block_id(frame, type, out, size);
    case BUFFER_INFO_IMAGEPRESENT: return answer_bool(true, type, out, size);
    case BUFFER_INFO_PAYLOADTYPE: return answer_size(PAYLOAD_TYPE_IMAGE, type, out, size);
    case BUFFER_INFO_PIXELFORMAT: return answer_uint64(settings->pixel_format, type, out, size);
    case BUFFER_INFO_PIXELFORMAT_NAMESPACE: return answer_uint64(PIXELFORMAT_NAMESPACE_PFNC_32BIT, type, out, size);
    case BUFFER_INFO_DELIVERED_CHUNKPAYLOADSIZE:
        return answer_size(chunks_payload_bytes(buffer), type, out, size);
    case BUFFER_INFO_CHUNKLAYOUTID: return answer_uint64(settings->chunk_mask, type, out, size);
    case BUFFER_INFO_PIXEL_ENDIANNESS: return answer_int32(PIXELENDIANNESS_LITTLE, type, out, size);
    case BUFFER_INFO_DATA_LARGER_THAN_BUFFER:
        return answer_bool(settings_payload_bytes(settings) > buffer->size, type, out, size);
    case BUFFER_INFO_CONTAINS_CHUNKDATA: return answer_bool(settings->chunk_mask != 0, type, out, size);
    default: return fail(GC_ERR_NOT_IMPLEMENTED, "buffer info %d is not known", cmd);
    }
}

GC_ERROR DSGetBufferInfo(DS_HANDLE stream, BUFFER_HANDLE handle, int32_t cmd, INFO_DATATYPE *type, void *out,
                         size_t *size) {
    Camera *camera;
    Buffer *buffer;
    GC_ERROR result = enter_buffer(stream, handle, &camera, &buffer);
    if (result != GC_ERR_SUCCESS)
        return result;
    result = memory_info(buffer, cmd, type, out, size);
    if (result == GC_ERR_NOT_IMPLEMENTED)
        result = buffer->filled ? frame_info(buffer, cmd, type, out, size)
                                : fail(GC_ERR_NO_DATA, "the buffer holds no frame");
    camera_leave(camera);
    return result;
}

GC_ERROR DSGetBufferChunkData(DS_HANDLE stream, BUFFER_HANDLE handle, SINGLE_CHUNK_DATA *chunks, size_t *count) {
    static const uint64_t ids[CHUNK_COUNT] = {CHUNK_ID_ChunkFrameID, CHUNK_ID_ChunkTimestamp,
                                              CHUNK_ID_ChunkExposureTime, CHUNK_ID_ChunkGain};
    Camera *camera;
    Buffer *buffer;
    GC_ERROR result = enter_buffer(stream, handle, &camera, &buffer);
    if (result != GC_ERR_SUCCESS)
        return result;
    size_t present = 0;
    for (size_t i = 0; i < CHUNK_COUNT; i++)
        present += buffer->filled && (buffer->frame.settings.chunk_mask >> i & 1);
    if (count == NULL) {
        result = fail(GC_ERR_INVALID_PARAMETER, "no place for the count");
    } else if (!buffer->filled || buffer->incomplete) {
        result = fail(GC_ERR_NO_DATA, "the buffer holds no whole frame");
    } else if (chunks != NULL && *count < present) {
        result = fail(GC_ERR_BUFFER_TOO_SMALL, "there are %zu chunks", present);
    } else {
        size_t place = 0;
        for (size_t i = 0; chunks != NULL && i < CHUNK_COUNT; i++)
            if (buffer->frame.settings.chunk_mask >> i & 1)
                chunks[place++] = (SINGLE_CHUNK_DATA){.ChunkID = ids[i], .ChunkLength = CHUNK_BYTES,
                                                      .ChunkOffset = (ptrdiff_t)buffer->chunk_offset[i]};
        *count = present;
    }
    camera_leave(camera);
    return result;
}

GC_ERROR DSGetNumBufferParts(DS_HANDLE stream, BUFFER_HANDLE handle, uint32_t *count) {
    Camera *camera;
    Buffer *buffer;
    GC_ERROR result = enter_buffer(stream, handle, &camera, &buffer);
    if (result != GC_ERR_SUCCESS)
        return result;
    camera_leave(camera);
    if (count == NULL)
        return fail(GC_ERR_INVALID_PARAMETER, "no place for the count");
    *count = 0; /* no multi-part payload */
    return GC_ERR_SUCCESS;
}

/* ---- optional parts of GenTL 1.6 that a camera with one plain image has no use for ---- */

static GC_ERROR not_implemented(void) {
    return fail(GC_ERR_NOT_IMPLEMENTED, "this producer knows plain images only");
}

GC_ERROR DSGetBufferPartInfo(DS_HANDLE stream, BUFFER_HANDLE buffer, uint32_t part, int32_t cmd, INFO_DATATYPE *type,
                             void *out, size_t *size) {
    (void)stream, (void)buffer, (void)part, (void)cmd, (void)type, (void)out, (void)size;
    return not_implemented();
}

GC_ERROR DSAnnounceCompositeBuffer(DS_HANDLE stream, size_t count, void **segments, size_t *sizes, void *user,
                                   BUFFER_HANDLE *buffer) {
    (void)stream, (void)count, (void)segments, (void)sizes, (void)user, (void)buffer;
    return not_implemented();
}

GC_ERROR DSGetBufferInfoStacked(DS_HANDLE stream, BUFFER_HANDLE buffer, void *entries, size_t count) {
    (void)stream, (void)buffer, (void)entries, (void)count;
    return not_implemented();
}

GC_ERROR DSGetBufferPartInfoStacked(DS_HANDLE stream, BUFFER_HANDLE buffer, void *entries, size_t count) {
    (void)stream, (void)buffer, (void)entries, (void)count;
    return not_implemented();
}

GC_ERROR DSGetNumFlows(DS_HANDLE stream, uint32_t *count) {
    (void)stream, (void)count;
    return not_implemented();
}

GC_ERROR DSGetFlowInfo(DS_HANDLE stream, uint32_t flow, int32_t cmd, INFO_DATATYPE *type, void *out, size_t *size) {
    (void)stream, (void)flow, (void)cmd, (void)type, (void)out, (void)size;
    return not_implemented();
}

GC_ERROR DSGetNumBufferSegments(DS_HANDLE stream, BUFFER_HANDLE buffer, uint32_t *count) {
    (void)stream, (void)buffer, (void)count;
    return not_implemented();
}

GC_ERROR DSGetBufferSegmentInfo(DS_HANDLE stream, BUFFER_HANDLE buffer, uint32_t segment, int32_t cmd,
                                INFO_DATATYPE *type, void *out, size_t *size) {
    (void)stream, (void)buffer, (void)segment, (void)cmd, (void)type, (void)out, (void)size;
    return not_implemented();
}
