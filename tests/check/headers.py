"""Checks that each header compiles alone.

A header that its own .cpp includes first is proven by the build; only the others are compiled here.
"""

import json
import re
import shlex
import sys

from tree import ROOT, files, run_each

FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def proven_by_build(header):
    source = ROOT / header.with_suffix(".cpp")
    first = FIRST_INCLUDE.search(source.read_text(encoding="utf-8")) if source.is_file() else None
    return first is not None and first[1] == str(header)


def compiler():
    """The build's own compiler and flags, from any command of it."""
    commands = json.loads((ROOT / "build/dev/compile_commands.json").read_text(encoding="utf-8"))
    arguments = shlex.split(next(c["command"] for c in commands if c["file"].endswith("/main.cpp")))
    arguments = [a for a in arguments[:arguments.index("-o")] if a != "ccache" and not a.endswith("/ccache")]
    return [*arguments, f"-I{ROOT}/tests", "-fsyntax-only", "-Wno-unused", "-x", "c++"]


def main():
    command = compiler()
    # A header given to the compiler as its main file is warned about `#pragma once`; an including line isn't.
    return 1 if run_each([*command, "-include", str(header), "/dev/null"]
                         for header in files("*.hpp") if not proven_by_build(header)) else 0


if __name__ == "__main__":
    sys.exit(main())
