#!/usr/bin/env bash
# All files of a release, into a new folder: deploy/release/build.sh OUT
#
# What builds is as pinned as what is built on: hatchling and all it needs come in the
# versions of uv.lock, and are refused with other hashes.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: deploy/release/build.sh OUT}
case $out in /*) ;; *) out=$OLDPWD/$out ;; esac
mkdir "$out"

pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
uv export --quiet --locked --only-group build --output-file "$pins" >/dev/null
for project in . deploy/nionswift; do
    uv build --quiet --build-constraints "$pins" --require-hashes \
        --out-dir "$out" "$project"
done
rm -f "$out/.gitignore"

for extra in cpu gpu; do
    locked=(uv export --quiet --locked --no-default-groups --extra "$extra")
    "${locked[@]}" --no-emit-project --no-header --no-annotate \
        --output-file "$out/requirements-$extra.txt" >/dev/null
    "${locked[@]}" --format cyclonedx1.5 \
        --output-file "$out/sbom-$extra.cdx.json" >/dev/null
done

uv run --quiet --locked --no-sync atomstream nion bundle "$out/atomstream-nion.zip"
cp THIRD-PARTY-NOTICES.md "$out"
cd "$out"
sha256sum -- * >SHA256SUMS
