#!/usr/bin/env bash
# What pip cannot bring: the libraries that Qt loads at run time, a C compiler, venv, libpython for genicam.
# As root on Debian the missing ones are installed; otherwise the one line to type is printed.
set -euo pipefail
python=${1:-python3}
purpose=${2:-run} # run | tests

missing=()
known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null) || {
  echo "beamrig needs a Linux with glibc: 'ldconfig -p' gives no list of libraries" >&2
  exit 1
}
need() { # need LIBRARY PACKAGE
  [[ $known == *"$1"* ]] || missing+=("$2")
}
need libEGL.so.1 libegl1
need libGL.so.1 libgl1
need libxkbcommon.so.0 libxkbcommon0
need libxkbcommon-x11.so.0 libxkbcommon-x11-0
need libxcb-cursor.so.0 libxcb-cursor0
need libxcb-icccm.so.4 libxcb-icccm4
need libxcb-image.so.0 libxcb-image0
need libxcb-keysyms.so.1 libxcb-keysyms1
need libxcb-render-util.so.0 libxcb-render-util0
need libxcb-shape.so.0 libxcb-shape0
need libxcb-xinerama.so.0 libxcb-xinerama0
need libdbus-1.so.3 libdbus-1-3
need libfontconfig.so.1 libfontconfig1
need libglib-2.0.so.0 libglib2.0-0
[ -n "$(find /usr/share/fonts -name '*.ttf' -print -quit 2>/dev/null)" ] || missing+=(fonts-dejavu-core)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
if [ "$purpose" = tests ]; then # some tests open the window on a real X server
  command -v xvfb-run >/dev/null || missing+=(xvfb xauth)
fi

# Debian keeps the part of Python that makes a .venv in a package of its own.
if ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
  missing+=("$("$python" -c "import sys; print('python%d.%d-venv' % sys.version_info[:2])")")
fi

# The genicam wheels are linked to libpythonX.Y.so.1.0, which a Debian python3 brings in a package of its own.
if ! "$python" -c "import ctypes, sys; ctypes.CDLL('libpython%d.%d.so.1.0' % sys.version_info[:2])" 2>/dev/null; then
  prefix=$("$python" -c "import sys; print(sys.base_prefix)")
  soname=$("$python" -c "import sys; print('libpython%d.%d.so.1.0' % sys.version_info[:2])")
  if [ ! -e "$prefix/lib/$soname" ]; then
    missing+=("$("$python" -c "import sys; print('libpython%d.%d' % sys.version_info[:2])")")
  fi
fi

# Other people's RAW tools, with which tests check our DNGs; a test whose tool is absent says so and is skipped.
if [ "$purpose" = tests ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  foreign=()
  command -v exiftool >/dev/null || foreign+=(libimage-exiftool-perl)
  command -v dcraw >/dev/null || foreign+=(dcraw)
  command -v dcraw_emu >/dev/null || foreign+=(libraw-bin)
  command -v darktable-cli >/dev/null || foreign+=(darktable)
  if [ ${#foreign[@]} -ne 0 ]; then
    echo "installing RAW tools for the tests: ${foreign[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${foreign[@]}"; } \
      >/dev/null 2>&1 || echo "they cannot be installed here; their tests will be skipped"
  fi
fi

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing system libraries: ${missing[*]}"
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "These system libraries are missing; install them, then run make again:" >&2
  echo "  sudo apt-get install -y ${missing[*]}" >&2
  exit 1
fi
