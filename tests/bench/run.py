#!/usr/bin/env python3
"""Measures what a forwarded message costs tandem, beside other relays: make bench

The figure is CPU time of the relay's process per forwarded message, in microseconds. Relays take turns, round after
round, so that a machine that is busy for a while doesn't wrong one of them; the median of the rounds counts. How to
read the result: tests/bench/README.md.
"""

import argparse
import dataclasses
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = (1, 16, 64)
PAIRS = 50
SIZE = 128
SLOW_ROUNDS = 3
START_TIMEOUT = 10
RELAY_CORE, TOOL_CORE = 0, 1


@dataclasses.dataclass
class Kind:
    """A relay that can be measured."""

    name: str
    command: list
    # Why it can't run here; empty if it can.
    missing: str = ""
    version: str = ""
    # So slow that fewer rounds say as much: its figures dwarf their own scatter.
    slow: bool = False
    # What the load tool is told besides.
    load: tuple = ()
    scheme: str = "ws"
    # Measured only if it is named.
    on_request: bool = False


class Unstartable(Exception):
    """A relay didn't come up."""


class Relay:
    """A running relay, for the length of a with block."""

    def __init__(self, kind, core):
        self.kind = kind
        self.core = core

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        # A working directory of its own, where no config file lies that would be read unasked.
        self.folder = tempfile.TemporaryDirectory()
        if self.kind.scheme == "wss":
            make_certificate(self.folder.name)
        self.process = subprocess.Popen(self.kind.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=subprocess.STDOUT, cwd=self.folder.name,
                                        preexec_fn=lambda: pin(self.core))
        try:
            self.port = self.await_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def await_port(self):
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            self.log.seek(0)
            found = re.search(r"127\.0\.0\.1:(\d+)", self.log.read())
            if found:
                return int(found.group(1))
            time.sleep(0.02)
        self.log.seek(0)
        raise Unstartable(f"{self.kind.name} didn't start; it said: {self.log.read().strip()[-2000:]}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()


def make_certificate(folder):
    """Leaves the files that the relay of TLS is told of in `folder`."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem"],
                   cwd=folder, capture_output=True, timeout=60, check=True)


def pin(core):
    if core is not None:
        os.sched_setaffinity(0, {core})


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except OSError:
        return ""


def kinds(build):
    """All relays, those that can't run here with the reason."""
    def built(name):
        path = os.path.join(build, name)
        return path, "" if os.access(path, os.X_OK) else f"{path} isn't built"

    limit, no_limit = built("limit_relay")
    tandem, no_tandem = built("tandem")
    node = shutil.which("node")
    python = "/usr/bin/python3"
    ws_version = output_of(node, "-p", "require('/usr/share/nodejs/ws/package.json').version") if node else ""
    tornado_version = output_of(python, "-c", "import tornado; print(tornado.version)")
    relays = os.path.join(HERE, "relays")
    return [
        Kind("limit", [limit, "0"], no_limit),
        Kind("tandem", [tandem, "--listen=127.0.0.1:0", "--scheduler.max-threads=1"], no_tandem,
             output_of(tandem, "--version") if not no_tandem else ""),
        Kind("deflate", [tandem, "--listen=127.0.0.1:0", "--scheduler.max-threads=1", "--compression.mode=on"],
             no_tandem, "tandem, passing compressed messages on" if not no_tandem else "", load=("--compressed",),
             on_request=True),
        Kind("wss", [tandem, "--listen=wss://127.0.0.1:0", "--scheduler.max-threads=1",
                     "--tls.certificates=certificate.pem", "--tls.private-keys=key.pem"],
             no_tandem, "tandem, over TLS" if not no_tandem else "", scheme="wss", on_request=True),
        Kind("ws", [node, os.path.join(relays, "ws_relay.mjs"), "0"],
             "" if ws_version else "Debian's packages nodejs and node-ws are missing",
             f"ws {ws_version} on node {output_of(node, '--version')}" if ws_version else "", slow=True),
        Kind("tornado", [python, os.path.join(relays, "tornado_relay.py"), "0"],
             "" if tornado_version else "Debian's package python3-tornado is missing",
             f"Tornado {tornado_version} on {output_of(python, '--version')}", slow=True),
    ]


def measure(tool, relay, in_flight, options, core):
    """One run of the load tool: its JSON object. Raises RuntimeError if anything went wrong."""
    seconds = options.seconds
    command = [tool, f"--client-url={relay.kind.scheme}://127.0.0.1:{relay.port}/client/{{id}}",
               f"--worker-url={relay.kind.scheme}://127.0.0.1:{relay.port}/worker/{{id}}", f"--pid={relay.process.pid}",
               f"--pairs={PAIRS}", f"--size={options.size}", f"--in-flight={in_flight}", f"--duration={seconds}",
               "--warm-up=0.5", "--json", *relay.kind.load]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False,
                          preexec_fn=lambda: pin(core))
    if done.returncode != 0:
        raise RuntimeError(f"{relay.kind.name}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def run_rounds(chosen, options, cores):
    """{relay: {in flight: [results]}}, over all rounds."""
    tool = os.path.join(options.build, "tandem-bench")
    results = {kind.name: {case: [] for case in CASES} for kind in chosen}
    for number in range(options.rounds):
        for kind in chosen:
            if kind.slow and number >= SLOW_ROUNDS:
                continue
            with Relay(kind, cores[0]) as relay:
                for case in CASES:
                    result = measure(tool, relay, case, options, cores[1])
                    results[kind.name][case].append(result)
                    cost = result["relay"]["cpu_us_per_forwarded_message"]
                    print(f"round {number + 1}/{options.rounds}  {kind.name:8} in flight {case:2}: {cost:8.3f} µs",
                          file=sys.stderr)
    return results


class Figure(typing.NamedTuple):
    """A relay in a case: medians over the rounds, and the range of the cost."""

    cost: float
    least: float
    most: float
    rate: float
    p99: float


def figure(results):
    costs = [result["relay"]["cpu_us_per_forwarded_message"] for result in results]
    return Figure(statistics.median(costs), min(costs), max(costs),
                  statistics.median(result["measured"]["forwarded_per_second"] for result in results),
                  statistics.median(result["latency_us"]["p99"] for result in results))


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    return {"cpu": model.group(1) if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(), "system": platform.freedesktop_os_release().get("PRETTY_NAME", "")}


def table(figures, rows, title, cell):
    lines = [title, f"{'in flight per pair':20}" + "".join(f"{case:>24}" for case in CASES)]
    for name in rows:
        lines.append(f"{name:20}" + "".join(f"{cell(figures[name][case], case):>24}" for case in CASES))
    return "\n".join(lines) + "\n"


def report(figures, where, versions, size):
    """The tables, as text."""
    names = list(figures)
    text = f"{where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, {where['system']}\n"
    text += "".join(f"{name}: {version}\n" for name, version in versions.items() if version)
    text += f"{PAIRS} pairs, {size}-byte messages, the relay on one core\n\n"
    text += table(figures, names, "CPU per forwarded message, µs: median (least to most)",
                  lambda at, case: f"{at.cost:.3g} ({at.least:.3g}-{at.most:.3g})")
    for base in ("limit", "tandem"):
        if base in figures:
            text += "\n" + table(figures, names, f"CPU per forwarded message, as a multiple of {base}'s",
                                 lambda at, case, base=base: f"{at.cost / figures[base][case].cost:.2f} x")
    text += "\n" + table(figures, names, "forwarded messages a second", lambda at, case: f"{at.rate:,.0f}")
    text += "\n" + table(figures, names, "round trip at that load, p99 in ms", lambda at, case: f"{at.p99 / 1000:.2f}")
    return text


def arguments():
    parser = argparse.ArgumentParser(description="Measures tandem beside other relays.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5); slow relays take at most %d" % SLOW_ROUNDS)
    parser.add_argument("--seconds", type=float, default=3, help="seconds of measuring per run (3)")
    parser.add_argument("--size", type=int, default=SIZE, help="bytes of a message (%d)" % SIZE)
    parser.add_argument("--only", default="", help="relays to measure, as in limit,tandem or tandem,deflate")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="folder of the binaries")
    parser.add_argument("--output", default=os.path.join(ROOT, "build", "bench.json"), help="file for the results")
    options = parser.parse_args()
    if options.rounds < 1 or not options.seconds > 0 or options.size < 1:
        parser.error("--rounds, --seconds and --size must be more than 0")
    return parser, options


def choose(parser, options):
    """The relays to measure, after telling of those that can't be."""
    everything = kinds(options.build)
    wanted = [name for name in options.only.split(",") if name]
    wanted = wanted or [kind.name for kind in everything if not kind.on_request]
    unknown = set(wanted) - {kind.name for kind in everything}
    if unknown:
        parser.error(f"no such relay: {', '.join(sorted(unknown))}; there are "
                     + ", ".join(kind.name for kind in everything))
    chosen = [kind for kind in everything if kind.name in wanted]
    for kind in chosen:
        if kind.missing:
            print(f"skipping {kind.name}: {kind.missing}", file=sys.stderr)
    return [kind for kind in chosen if not kind.missing]


def cores_to_use():
    """The relay's core and the tool's; (None, None) if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        print("only one core: relay and tool share it, so rates and latencies mean little", file=sys.stderr)
        return None, None
    return usable[RELAY_CORE], usable[TOOL_CORE]


def main():
    parser, options = arguments()
    if not os.access(os.path.join(options.build, "tandem-bench"), os.X_OK):
        sys.exit(f"there is no tandem-bench in {options.build}: build it first (make bench does)")
    chosen = choose(parser, options)
    if not chosen:
        sys.exit("there is nothing to measure")
    # So that a terminated run ends its relays too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        results = run_rounds(chosen, options, cores_to_use())
    except (Unstartable, RuntimeError, subprocess.TimeoutExpired) as error:
        sys.exit(str(error))
    figures = {name: {case: figure(runs) for case, runs in cases.items()} for name, cases in results.items()}
    where = machine()
    versions = {kind.name: kind.version for kind in chosen}
    print(report(figures, where, versions, options.size), end="")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump({"machine": where, "versions": versions, "pairs": PAIRS, "size": options.size,
                   "figures": {name: {case: at._asdict() for case, at in cases.items()}
                               for name, cases in figures.items()},
                   "runs": results}, file, indent=1)
    print(f"\nall runs: {os.path.relpath(options.output)}")


if __name__ == "__main__":
    main()
