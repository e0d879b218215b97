/* A very small test frame: CHECK tells where and what, and the program goes on to the next test. */
#ifndef BEAMRIG_CHECK_H
#define BEAMRIG_CHECK_H

#include <stdatomic.h>
#include <stdio.h>

extern atomic_int checks_made, checks_failed;

#define CHECK(condition)                                                            \
    do {                                                                            \
        checks_made++;                                                              \
        if (!(condition)) {                                                         \
            checks_failed++;                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                           \
    } while (0)

#define CHECK_EQUAL(got, wanted)                                                                         \
    do {                                                                                                 \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                                \
        checks_made++;                                                                                   \
        if (got_ != wanted_) {                                                                           \
            checks_failed++;                                                                             \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, wanted_);   \
        }                                                                                                \
    } while (0)

#endif
