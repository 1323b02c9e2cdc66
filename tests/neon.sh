#!/bin/sh
# Fills FOLDER with Debian's arm64 libraries that `make check-neon` links and runs: fetched and unpacked, not installed. apt keeps
# lists and packages in FOLDER.apt and takes nothing for installed there, so that what these libraries need comes too.
# Usage: tests/neon.sh FOLDER
set -eu
[ ! -e "$1/complete" ] || exit 0
packages="libc6-dev libstdc++6 libgomp1 libopenblas-dev liblapacke-dev check libsubunit-dev libflint-dev libflint-arb-dev \
libinih-dev libcjson-dev libxxhash-dev libpng-dev"
rm -rf "$1" "$1.apt"
mkdir -p "$1" "$1.apt/lists/partial" "$1.apt/archives/partial"
apt=$(cd "$1.apt" && pwd)
: > "$apt/status"
cat > "$apt/conf" << CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
CONF
export APT_CONFIG="$apt/conf"
echo "check-neon: fetching arm64 libraries"
# shellcheck disable=SC2086  # one word per package
{ apt-get update -qq && apt-get install -qq -y --no-install-recommends --download-only $packages; } > "$apt/log" 2>&1 ||
    { echo "check-neon: no arm64 packages from Debian (no network, or no source of packages): see $1.apt/log" >&2; exit 1; }
for package in "$apt"/archives/*.deb; do dpkg -x "$package" "$1"; done
# The alternatives that an installation would choose.
(cd "$1/usr/lib/aarch64-linux-gnu" && ln -s openblas-pthread/lib* .)
(cd "$1/usr/include/aarch64-linux-gnu" && ln -s openblas-pthread/*.h .)
touch "$1/complete"
