"""Checks that the README, the changelog and docs/ are true of the tree.

Each relative link and each path of the tree in code exists, each `make` target that is named is one, each `--option` is
one that the broker (or a tool of the tree that the page names) knows, the broker takes what `make run` is told to give
it, and code blocks in Python and JavaScript parse.
"""

import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

from tree import ROOT, files

FENCE = re.compile(r"^(?P<marks>```+|~~~+)(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=marks)\s*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)")
TREE_PATH = re.compile(r"(?<![\w./-])((?:actors|net|config|tests|docs|\.ci)/[\w./*-]*)(?![\w<{])")
MAKE = re.compile(r"(?<![\w-])make ((?:[a-z]+[ \t]*)+)")
OPTION = re.compile(r"(?<![\w-])--([a-z][\w.-]*[\w])")
# Stands for whatever a reader writes: `actors/foo.hpp`.
EXAMPLE = re.compile(r"/foo[_.]")
RUN = re.compile(r'make run ARGS="([^"]*)"')
BROKER = str(ROOT / "build/dev/tandem")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)

# Besides the broker, tools that the docs may give options of.
TOOLS = ["tests/bench/run.py", "tests/bench/draw.py", "tests/bench/instructions.py"]


def help_options(command):
    """The options that a program's --help names."""
    shown = subprocess.run([*command, "--help"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=60, check=False)
    return set(OPTION.findall(shown.stdout))


def known_options():
    # `--name` stands for any option.
    options = help_options([BROKER]) | {"help", "name"}
    for tool in TOOLS:
        if (ROOT / tool).is_file():
            options |= help_options(["/usr/bin/python3", tool])
    return options


def make_targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def anchors(page):
    """The anchors that the headings of a page get where it is shown."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def link_faults(page, prose):
    for target in LINK.findall(prose):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        if not there.exists():
            yield f"links to {target}, which does not exist"
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            yield f"links to {target}, but {there.name} has no such heading"


def path_faults(code):
    for path in TREE_PATH.findall(code):
        path = path.rstrip(".")
        if not EXAMPLE.search(path) and not glob.glob(str(ROOT / path)):
            yield f"names {path}, which does not exist"


def target_faults(code, targets):
    for named in MAKE.findall(code):
        for target in named.split():
            if target not in targets:
                yield f"names `make {target}`, which is no target"


def option_faults(code, options):
    """Options in a span or a command line of tandem's own: those of other programs are their own business."""
    for line in code.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*", "", line)
        if re.match(r"\s*--[a-z]", line) or re.search(r"tandem(\s|$)|ARGS=|tests/bench/", line):
            for option in OPTION.findall(line):
                if option not in options:
                    yield f"names the option --{option}, which nothing here knows"


def argument_faults(code):
    """What the broker has against the values in `make run ARGS="..."`, but that a reader's own files aren't here."""
    for arguments in RUN.findall(code):
        checked = subprocess.run([BROKER, "--check-config", *shlex.split(arguments)], cwd=ROOT, stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=60, check=False)
        for problem in checked.stderr.splitlines():
            if not problem.endswith("can't be read: No such file or directory"):
                yield f"has the broker run with {arguments}, and it says: {problem}"


def syntax_faults(language, code):
    if language in ("python", "py"):
        try:
            compile(code, "block", "exec")
        except SyntaxError as error:
            yield f"has a Python block that does not parse: {error}"
    elif language in ("js", "javascript", "mjs"):
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "block.mjs")
            with open(script, "w", encoding="utf-8") as out:
                out.write(code)
            checked = subprocess.run(["node", "--check", script], capture_output=True, text=True, check=False)
        if checked.returncode != 0:
            yield f"has a JavaScript block that does not parse:\n{checked.stderr}"


def faults_of(page, options, targets):
    text = (ROOT / page).read_text(encoding="utf-8")
    prose = FENCE.sub("", text)
    yield from link_faults(page, SPAN.sub("", prose))
    blocks = [(found["language"], found["code"]) for found in FENCE.finditer(text)]
    for language, code in [*(("", span) for span in SPAN.findall(prose)), *blocks]:
        yield from path_faults(code)
        yield from target_faults(code, targets)
        yield from option_faults(code, options)
        yield from argument_faults(code)
        yield from syntax_faults(language, code)


def main():
    options, targets = known_options(), make_targets()
    faults = 0
    for page in files("README.md", "CHANGELOG.md", "docs/**.md"):
        for fault in faults_of(page, options, targets):
            faults += 1
            print(f"{page}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
