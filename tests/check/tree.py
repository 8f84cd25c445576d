"""What the checks share: the files of the tree, and running commands side by side."""

import concurrent.futures
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*patterns):
    """Paths, relative to the root, of the files that match a pattern and that git tracks or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [pathlib.Path(name) for name in sorted(set(listed.split("\0")))
            if name and (ROOT / name).is_file()]


def run_each(commands):
    """Runs each command line, as many at once as there are cores. Prints the output of those that fail and returns
    how many did."""
    def run(command):
        return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(run, commands):
            if done.returncode != 0:
                failed += 1
                print(done.stdout)
    return failed
