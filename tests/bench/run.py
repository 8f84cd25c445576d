#!/usr/bin/env python3
"""Measures what a forwarded message costs tandem, beside other relays: make bench

The figure is CPU time of the relay's process per forwarded message, in microseconds. Relays take turns, round after
round, so that a machine that is busy for a while doesn't wrong one of them; the median of the rounds counts. How to
read the result: tests/bench/README.md. What the relays are: relay_kinds.py. Pictures of the result: draw.py.
"""

import argparse
import json
import os
import platform
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import typing

from relay_kinds import KINDS, Missing

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
IN_FLIGHT = (1, 16, 64)
# Of what the same round reached with the most in flight, in percent.
OPEN_LOOP = (30, 60, 80)
SLOW_ROUNDS = 3
START_TIMEOUT = 10
RELAY_CORE, TOOL_CORE = 0, 1


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
        self.process = subprocess.Popen(self.kind.ready.command, stdin=subprocess.DEVNULL, stdout=self.log,
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
            found = re.search(self.kind.port, self.log.read())
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


def measure(tool, relay, load, options, core):
    """One run of the load tool, which is told `load` besides: its JSON object. Raises RuntimeError if anything went
    wrong."""
    seconds = options.seconds
    command = [tool, f"--client-url={relay.kind.scheme}://127.0.0.1:{relay.port}/client/{{id}}",
               f"--worker-url={relay.kind.scheme}://127.0.0.1:{relay.port}/worker/{{id}}", f"--pid={relay.process.pid}",
               f"--pairs={options.pairs}", f"--size={options.size}", f"--duration={seconds}",
               *([] if options.idle else ["--warm-up=0.5"]), "--json",
               *load, *relay.kind.load]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False,
                          preexec_fn=lambda: pin(core))
    if done.returncode != 0:
        raise RuntimeError(f"{relay.kind.name}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def run_round(relay, options, core, results, say):
    """Every case against a relay that has just been started."""
    tool = os.path.join(options.build, relay.kind.tool)
    if options.idle:
        result = measure(tool, relay, [f"--idle={options.idle}"], options, core)
        results["idle"].append(result)
        say(f"{result['relay']['bytes_per_connection']:.0f} bytes per connection")
        return
    for case in options.in_flight:
        result = measure(tool, relay, [f"--in-flight={case}"], options, core)
        results["closed"][case].append(result)
        say(f"in flight {case:2}: {result['relay']['cpu_us_per_forwarded_message']:8.3f} µs")
    # A round trip is two forwarded messages, and the rate is that of round trips.
    most = result["measured"]["forwarded_per_second"] / 2
    for case in results["open"]:
        rate = case if options.rates else most * case / 100
        result = measure(tool, relay, [f"--rate={rate:.0f}", "--poisson"], options, core)
        results["open"][case].append(result)
        say(f"{rate:.0f}/s: p99 {result['latency_us']['p99'] / 1000:.3f} ms")


def open_cases(options):
    return options.rates or (OPEN_LOOP if options.open_loop else ())


def run_rounds(chosen, options, cores):
    """{relay: {"idle": [results], "closed": {in flight: [results]}, "open": {percent or rate: [results]}}}, over all rounds. A relay at which
    something goes wrong is left out, with all that there is of it."""
    results = {}
    for number in range(options.rounds):
        for kind in list(chosen):
            if kind.slow and number >= SLOW_ROUNDS:
                continue
            runs = results.setdefault(kind.name, {"idle": [], "closed": {case: [] for case in options.in_flight},
                                                  "open": {case: [] for case in open_cases(options)}})
            try:
                with Relay(kind, None if kind.all_cores else cores[0]) as relay:
                    run_round(relay, options, cores[1], runs,
                              lambda text: print(f"round {number + 1}/{options.rounds}  {kind.name:8} {text}",
                                                 file=sys.stderr))
            except (Unstartable, RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"leaving out {kind.name}: {error}", file=sys.stderr)
                chosen.remove(kind)
                del results[kind.name]
    return results


class Figure(typing.NamedTuple):
    """A relay in a case of the closed loop: medians over the rounds, and the range of the cost."""

    cost: float
    least: float
    most: float
    rate: float
    p99: float


class OpenFigure(typing.NamedTuple):
    """A relay in a case of the open loop, likewise: round trips a second, their latency, how late the tool was (p99), and
    the relay's share of a core."""

    rate: float
    p50: float
    p99: float
    p99_9: float
    lag: float
    cores: float


def median_of(results, *keys):
    def value(result):
        for key in keys:
            result = result[key]
        return result
    return statistics.median(value(result) for result in results)


def figure(results):
    costs = [result["relay"]["cpu_us_per_forwarded_message"] for result in results]
    return Figure(statistics.median(costs), min(costs), max(costs),
                  median_of(results, "measured", "forwarded_per_second"), median_of(results, "latency_us", "p99"))


def open_figure(results):
    return OpenFigure(median_of(results, "options", "rate"),
                      *(median_of(results, "latency_us", key) for key in ("p50", "p99", "p99_9")),
                      median_of(results, "tool_lag_us", "p99"), median_of(results, "relay", "cores"))


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    return {"cpu": model.group(1) if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(), "system": platform.freedesktop_os_release().get("PRETTY_NAME", "")}


def table(figures, title, column, cell):
    """A line per relay, and a column per case, whose heading begins with `column`."""
    cases = list(next(iter(figures.values())))
    lines = [title, f"{column:20}" + "".join(f"{case:>28}" for case in cases)]
    for name, row in figures.items():
        lines.append(f"{name:20}" + "".join(f"{cell(row[case], case):>28}" for case in cases))
    return "\n".join(lines) + "\n"


def closed_tables(figures, size):
    flight = "in flight per pair"
    yield table(figures, "CPU per forwarded message, µs: median (least to most)", flight,
                lambda at, case: f"{at.cost:.3g} ({at.least:.3g}-{at.most:.3g})")
    for base in ("limit", "tandem"):
        if base in figures:
            yield table(figures, f"CPU per forwarded message, as a multiple of {base}'s", flight,
                        lambda at, case, base=base: f"{at.cost / figures[base][case].cost:.2f} x")
    if size >= 4096:
        yield table(figures, "CPU per forwarded byte of payload, ns", flight,
                    lambda at, case: f"{1000 * at.cost / size:.3g}")
    yield table(figures, "forwarded messages a second", flight, lambda at, case: f"{at.rate:,.0f}")
    yield table(figures, "round trip at that load, p99 in ms", flight, lambda at, case: f"{at.p99 / 1000:.2f}")


def open_tables(figures, options):
    share = "round trips a second" if options.rates else "% of its closed loop"
    if not options.rates:
        yield table(figures, f"round trips a second, of those of the closed loop with {options.in_flight[-1]} in flight",
                    share, lambda at, case: f"{at.rate:,.0f}")
    yield table(figures, "round trip at that rate, ms: p50, p99, p99.9", share,
                lambda at, case: " ".join(f"{value / 1000:.3g}" for value in (at.p50, at.p99, at.p99_9)))
    yield table(figures, "how late the tool itself was, p99 in ms; the relay's share of a core", share,
                lambda at, case: f"{at.lag / 1000:.3g}; {at.cores:.0%}")


def idle_report(idle, where, versions, options):
    """What an idle connection takes, as text."""
    lines = [f"bytes of resident memory per connection, {options.idle} of them, after {options.seconds:g} s"]
    lines += [f"{name:20}{value:>12,.0f}" for name, value in idle.items()]
    return surroundings(where, versions) + "\n" + "\n".join(lines) + "\n"


def surroundings(where, versions):
    return (f"{where['cpu']}, {where['cores']} cores, Linux {where['kernel']}, {where['system']}\n"
            + "".join(f"{name}: {version}\n" for name, version in versions.items() if version))


def report(closed, opened, where, versions, options):
    """The tables, as text."""
    text = surroundings(where, versions)
    text += f"{options.pairs} pairs, {options.size}-byte messages, the relay on one core\n\n"
    tables = list(closed_tables(closed, options.size))
    if open_cases(options):
        tables += open_tables(opened, options)
    return text + "\n".join(tables)


def arguments():
    parser = argparse.ArgumentParser(description="Measures tandem beside other relays.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5); slow relays take at most %d" % SLOW_ROUNDS)
    parser.add_argument("--seconds", type=float, default=3, help="seconds of measuring per run (3)")
    parser.add_argument("--pairs", type=int, default=50, help="pairs of a client and a worker (50)")
    parser.add_argument("--size", type=int, default=128, help="bytes of a message (128)")
    parser.add_argument("--in-flight", default=",".join(map(str, IN_FLIGHT)), metavar="N,N",
                        help="unanswered messages per pair, a case each (1,16,64)")
    parser.add_argument("--open-loop", action="store_true",
                        help="then at 30, 60 and 80 %% of the rate that the last case reached, for latency")
    parser.add_argument("--rates", default="", metavar="N,N",
                        help="then at so many round trips a second, the same for each relay")
    parser.add_argument("--idle", type=int, default=0, metavar="N",
                        help="instead, what N idle connections take of memory")
    parser.add_argument("--only", default="", help="relays to measure, as in limit,tandem or tandem,deflate")
    parser.add_argument("--all", action="store_true", help="every relay that can run here, for messages in clear")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="folder of the binaries")
    parser.add_argument("--output", default=os.path.join(ROOT, "build", "bench.json"), help="file for the results")
    options = parser.parse_args()
    if min(options.rounds, options.size, options.pairs) < 1 or not options.seconds > 0:
        parser.error("--rounds, --seconds, --pairs and --size must be more than 0")
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", options.in_flight):
        parser.error("--in-flight must be numbers, as in 1,16,64")
    options.in_flight = [int(case) for case in options.in_flight.split(",")]
    if not re.fullmatch(r"|[1-9]\d*(,[1-9]\d*)*", options.rates):
        parser.error("--rates must be numbers, as in 5000,150000")
    options.rates = [int(case) for case in options.rates.split(",") if case]
    return parser, options


def choose(parser, options):
    """The relays to measure, ready to start, after telling of those that can't be."""
    wanted = [name for name in options.only.split(",") if name]
    unknown = set(wanted) - {kind.name for kind in KINDS}
    if unknown:
        parser.error(f"no such relay: {', '.join(sorted(unknown))}; there are "
                     + ", ".join(kind.name for kind in KINDS))
    if not wanted:
        wanted = [kind.name for kind in KINDS if (kind.comparable if options.all else kind.by_default)]
    chosen = []
    for kind in KINDS:
        if kind.name not in wanted:
            continue
        if options.idle and kind.tool != "tandem-bench":
            print(f"skipping {kind.name}: its tool can't be idle", file=sys.stderr)
            continue
        try:
            kind.ready = kind.prepare(options.build)
            chosen.append(kind)
        except Missing as reason:
            print(f"skipping {kind.name}: {reason}", file=sys.stderr)
    return chosen


def cores_to_use():
    """The relay's core and the tool's; (None, None) if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        print("only one core: relay and tool share it, so rates and latencies mean little", file=sys.stderr)
        return None, None
    return usable[RELAY_CORE], usable[TOOL_CORE]


def figures_of(results, kind, make):
    return {name: {case: make(runs) for case, runs in cases[kind].items()} for name, cases in results.items()}


def as_objects(figures):
    return {name: {case: at._asdict() for case, at in cases.items()} for name, cases in figures.items()}


def main():
    parser, options = arguments()
    if not os.access(os.path.join(options.build, "tandem-bench"), os.X_OK):
        sys.exit(f"there is no tandem-bench in {options.build}: build it first (make bench does)")
    # A connection is a descriptor, and not every relay asks for more of them by itself.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    chosen = choose(parser, options)
    if not chosen:
        sys.exit("there is nothing to measure")
    # So that a terminated run ends its relays too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = len(chosen)
    results = run_rounds(chosen, options, cores_to_use())
    if not results:
        sys.exit("no relay came through")
    where = machine()
    versions = {kind.name: kind.ready.version for kind in chosen}
    closed, opened, idle = {}, {}, {}
    if options.idle:
        idle = {name: median_of(cases["idle"], "relay", "bytes_per_connection") for name, cases in results.items()}
        print(idle_report(idle, where, versions, options), end="")
    else:
        closed, opened = figures_of(results, "closed", figure), figures_of(results, "open", open_figure)
        print(report(closed, opened, where, versions, options), end="")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump({"machine": where, "versions": versions, "pairs": options.pairs, "size": options.size,
                   "rates": options.rates, "figures": as_objects(closed), "open_loop": as_objects(opened), "bytes_per_idle_connection": idle,
                   "runs": results}, file, indent=1)
    print(f"\nall runs: {os.path.relpath(options.output)}")
    return 0 if len(chosen) == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
