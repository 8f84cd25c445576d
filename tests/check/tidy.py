"""Runs clang-tidy on what the dev build compiles, by its own commands: tidy.py [FILE]...

The unit tests are left out: Catch2's macros take most of the time and nothing but noise comes of it.
"""

import json
import pathlib
import sys

from tree import ROOT, run_each


def compiled():
    commands = json.loads((ROOT / "build/dev/compile_commands.json").read_text(encoding="utf-8"))
    paths = sorted({pathlib.Path(command["file"]).relative_to(ROOT) for command in commands})
    return [str(path) for path in paths if not path.name.endswith(".test.cpp")]


def main():
    sources = sys.argv[1:] or compiled()
    return 1 if run_each(["clang-tidy-14", "-p", "build/dev", "--quiet", source] for source in sources) else 0


if __name__ == "__main__":
    sys.exit(main())
