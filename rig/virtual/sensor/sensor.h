/* Entry points of beamrig_sensor.so; sensor.c describes them. Called by rig/virtual/kernel.py through ctypes. */
#ifndef BEAMRIG_SENSOR_H
#define BEAMRIG_SENSOR_H

#include <stdint.h>

#define BR_EXPORT __attribute__((visibility("default")))

BR_EXPORT void br_bayer_sample(const float *planes, int64_t src_h, int64_t src_w, const float *dx, const float *dy,
                               int64_t y0, int64_t rows, int64_t width, double scale, double ox, double oy,
                               float *out);

BR_EXPORT void br_compose(float *rate, const float *gain, int64_t width, int64_t x0, int64_t y0, int64_t w, int64_t h,
                          const float *dx, const float *dy, const double *cumulative, int64_t nu, int64_t nv,
                          double cosine, double sine, double v0, const double *a, const double *b, const double *share,
                          int64_t pieces, float *alpha_out);

BR_EXPORT void br_expose(const float *rate, int64_t width, int64_t x0, int64_t y0, int64_t w, int64_t h,
                         double exposure_s, double dark_e, double read_e, double full_well_e, double gain,
                         double black, int64_t max_code, uint64_t key, const float *table, uint16_t *out);

#endif
