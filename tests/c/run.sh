#!/bin/sh
# Builds the virtual producer, the unpackers, the geometry and the PNG encoder with their C tests under a sanitizer and runs them. Needs gcc and python3 only.
#   tests/c/run.sh            AddressSanitizer and UndefinedBehaviorSanitizer
#   tests/c/run.sh thread     ThreadSanitizer
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
sanitizers=${1:-address,undefined}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
(cd "$root/rig" && "${PYTHON:-python3}" -B -m virtual.producer.generate "$build")
flags="-std=c11 -D_GNU_SOURCE -O1 -g -pthread -Wall -Wextra -Wshadow -Werror -fno-omit-frame-pointer"
flags="$flags -fsanitize=$sanitizers -fno-sanitize-recover=all -DSANITIZED"
objects=""
for source in "$root"/rig/virtual/producer/*.c "$root"/rig/camera/unpack/*.c "$root"/processing/geometry/*.c "$root"/processing/png/*.c "$build"/*.c "$here"/*.c; do
    echo "$source"
done | xargs -P 4 -I{} sh -c '
    '"${CC:-gcc}"' '"$flags"' -I"'"$build"'" -I"'"$root"'/rig/virtual" -I"'"$root"'/rig/camera" -I"'"$root"'/processing" -c "$1" -o "'"$build"'/$(basename "$1" .c).o"' _ {}
# shellcheck disable=SC2086
${CC:-gcc} $flags "$build"/*.o -o "$build/tests" -lm
"$build/tests"
