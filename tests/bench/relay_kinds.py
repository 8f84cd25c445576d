"""The relays that run.py measures: how each is started, what it is, and why it can't be where it can't."""

import dataclasses
import os
import re
import shutil
import subprocess
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "relays")
PYTHON = "/usr/bin/python3"


class Missing(Exception):
    """A relay can't run here; the text says why."""


class Ready(typing.NamedTuple):
    """What starts a relay that can run here, and what it is."""

    command: list
    version: str = ""


@dataclasses.dataclass
class Kind:
    """A relay that can be measured. It says `127.0.0.1:PORT` when it listens, and is the process that was started."""

    name: str
    # Makes what it needs, with the folder of the binaries: a Ready. Raises Missing.
    prepare: typing.Callable
    # So slow that fewer rounds say as much: its figures dwarf their own scatter.
    slow: bool = False
    # What the load tool is told besides.
    load: tuple = ()
    scheme: str = "ws"
    # What loads it, and where its port stands in what it says.
    tool: str = "tandem-bench"
    port: str = r"127\.0\.0\.1:(\d+)"
    # Measured if nothing is said.
    by_default: bool = False
    # It does what the others do, so that --all takes it in.
    comparable: bool = True
    # It isn't held to one core: it shares the tool's.
    all_cores: bool = False
    # Set once it is prepared.
    ready: typing.Optional[Ready] = None


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    except OSError:
        return ""


def built(build, name):
    path = os.path.join(build, name)
    if not os.access(path, os.X_OK):
        raise Missing(f"{path} isn't built")
    return path


def made_in(build):
    """The folder for what is made for relays alone."""
    folder = os.path.join(os.path.dirname(os.path.abspath(build)), "relays")
    os.makedirs(folder, exist_ok=True)
    return folder


def run_or_miss(what, command, **how):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
                              **how)
    except OSError as error:
        raise Missing(f"{what}: {error}") from error
    if done.returncode != 0:
        raise Missing(f"{what}: {(done.stderr or done.stdout).strip()[-500:]}")


def unpacked(build, *packages):
    """The folder with what is in Debian's packages. They are downloaded and unpacked, not installed: nothing is
    started by them, and it needs no root."""
    folder = os.path.join(made_in(build), packages[0])
    if not os.path.isdir(folder):
        fresh = f"{folder}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(fresh)
        run_or_miss("can't get Debian's packages (is apt-get update due?)", ["apt-get", "-q", "download", *packages],
                    cwd=fresh)
        for name in os.listdir(fresh):
            run_or_miss(f"can't unpack {name}", ["dpkg", "-x", name, "."], cwd=fresh)
        os.rename(fresh, folder)
    return folder


def limit(build):
    return Ready([built(build, "limit_relay"), "0"])


def tandem(*options, called="", workers=1):
    def prepare(build):
        path = built(build, "tandem")
        listen = [] if any(option.startswith("--listen") for option in options) else ["--listen=127.0.0.1:0"]
        return Ready([path, *listen, f"--scheduler.max-threads={workers}", *options],
                     called or output_of(path, "--version"))
    return prepare


def ws(_):
    node = shutil.which("node")
    version = output_of(node, "-p", "require('/usr/share/nodejs/ws/package.json').version") if node else ""
    if not version:
        raise Missing("Debian's packages nodejs and node-ws are missing")
    return Ready([node, os.path.join(SCRIPTS, "ws_relay.mjs"), "0"], f"ws {version} on node {output_of(node, '--version')}")


def tornado(_):
    version = output_of(PYTHON, "-c", "import tornado; print(tornado.version)")
    if not version:
        raise Missing("Debian's package python3-tornado is missing")
    return Ready([PYTHON, os.path.join(SCRIPTS, "tornado_relay.py"), "0"],
                 f"Tornado {version} on {output_of(PYTHON, '--version')}")


def gorilla(build):
    go = shutil.which("go")
    package = output_of("dpkg-query", "-W", "-f=${Version}", "golang-github-gorilla-websocket-dev")
    if not go or not package:
        raise Missing("Debian's packages golang-go and golang-github-gorilla-websocket-dev are missing")
    folder = made_in(build)
    path = os.path.join(folder, "gorilla_relay")
    run_or_miss("gorilla_relay.go isn't compiled",
                [go, "build", "-o", path, os.path.join(SCRIPTS, "gorilla_relay.go")],
                env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                     "CGO_ENABLED": "0", "GOCACHE": os.path.join(folder, "go-cache")})
    return Ready([path, "0"], f"gorilla/websocket {package} on {output_of(go, 'version').removeprefix('go version ')}")


def beast(build):
    path = built(build, "beast_relay")
    with open("/usr/include/boost/version.hpp", encoding="utf-8") as header:
        version = re.search(r'BOOST_LIB_VERSION "(\w+)"', header.read()).group(1).replace("_", ".")
    return Ready([path, "0"], f"Boost.Beast of Boost {version}, one thread")


def nchan(build):
    folder = unpacked(build, "nginx", "nginx-common", "libnginx-mod-nchan")
    nginx = os.path.join(folder, "usr/sbin/nginx")
    run_or_miss("nginx doesn't run", [nginx, "-v"])
    run_or_miss("no folder can be put in /var/lib, where nginx wants one",
                ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/var/lib"])
    versions = dict(name.split("_")[:2] for name in os.listdir(folder) if name.endswith(".deb"))
    return Ready([PYTHON, os.path.join(SCRIPTS, "nchan_relay.py"), folder],
                 f"Nchan {versions['libnginx-mod-nchan'].replace('%3a', ':')} in nginx {versions['nginx']}, one process")


def nats(build):
    built(build, "nats-bench")
    folder = unpacked(build, "nats-server")
    path = os.path.join(folder, "usr/sbin/nats-server")
    version = output_of(path, "--version")
    if not version:
        raise Missing(f"{path} doesn't run")
    return Ready([path, "-c", os.path.join(SCRIPTS, "nats.conf")], version.replace(": v", " "))


KINDS = [
    Kind("limit", limit, by_default=True),
    Kind("tandem", tandem(), by_default=True),
    Kind("deflate", tandem("--compression.mode=on", called="tandem, passing compressed messages on"),
         load=("--compressed",), comparable=False),
    Kind("wss", tandem("--listen=wss://127.0.0.1:0", "--tls.certificates=certificate.pem",
                       "--tls.private-keys=key.pem", called="tandem, over TLS"), scheme="wss",
         comparable=False),
    Kind("free", tandem(called="tandem, not held to a core"), comparable=False, all_cores=True),
    Kind("two", tandem(called="tandem, two network workers", workers=2), comparable=False, all_cores=True),
    Kind("apart", tandem("--scheduler.placement=spread", called="the same, pairs on either of them", workers=2),
         comparable=False, all_cores=True),
    Kind("beast", beast),
    Kind("gorilla", gorilla),
    Kind("nats", nats, tool="nats-bench", port=r"ws://127\.0\.0\.1:(\d+)"),
    Kind("nchan", nchan, slow=True),
    Kind("ws", ws, slow=True, by_default=True),
    Kind("tornado", tornado, slow=True, by_default=True),
]
