#include "tests.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

atomic_int checks_made, checks_failed;

int main(int count, char **arguments) {
    const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
#define ROW(name) {#name, name},
        ALL_TESTS(ROW)
    };
    unsetenv("BEAMRIG_WORLD");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (count > 1 && strstr(tests[i].name, arguments[1]) == NULL)
            continue;
        int failed_before = checks_failed;
        tests[i].run();
        printf("%s %s\n", checks_failed == failed_before ? "ok    " : "FAILED", tests[i].name);
        fflush(stdout);
    }
    printf("%d checks, %d failed\n", checks_made, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}
