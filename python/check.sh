#!/usr/bin/env bash
# The tests of the Python package with the Python that $PRUNE_PYTHON names, then a wheel, installed and used in an
# environment of its own. Needs a build of the packages (npm run build).
set -euo pipefail
cd "$(dirname "$0")"
python="${PRUNE_PYTHON:-python3}"

"$python" -m unittest discover -s tests

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r pyproject.toml README.md LICENSE src "$work"
# Without pip in them, because Debian's Python cannot install pip into an environment.
python3 -m venv --without-pip "$work/clean"
pip() { python3 -m pip --disable-pip-version-check "$@"; }
pip wheel --quiet --no-deps --wheel-dir "$work/wheel" "$work"
pip --python "$work/clean/bin/python" install --quiet "$work"/wheel/prune_format-*.whl
(cd "$work" && clean/bin/python -I - "$OLDPWD/../tooling/fixtures/prune-v1/entropy.prune") << 'END'
import sys
import prune_format
model = prune_format.load(sys.argv[1])
prune_format.save("again.prune", model, codec="entropy")
again = prune_format.load("again.prune")
for name in model:
    one, other = again[name], model[name]
    assert one == other if isinstance(other, str) else one.tobytes() == other.tobytes(), name
print(f"the wheel reads and writes {len(again)} tensors")
END
