"""Checks who includes whom, so that each folder knows of the others only what the architecture grants it."""

import re
import sys
import typing

from tree import ROOT, files

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
NOTHING = r"(?!)"


class Rule(typing.NamedTuple):
    """Files whose path matches `where`, but not `apart`, include nothing that matches `never`, but not `save`."""
    where: str
    never: str
    why: str
    save: str = NOTHING
    apart: str = NOTHING

    def broken_by(self, path, included):
        return (re.match(self.where, path) and not re.fullmatch(self.apart, path)
                and re.match(self.never, included) and not re.fullmatch(self.save, included))


RULES = [
    Rule(r"config/", r"(actors|net)/", "config/ knows neither actors/ nor net/"),
    Rule(r"net/", r"actors/", "net/ sees of the actors only their contracts: *_actor.hpp, fwd.hpp, messages.hpp, error.hpp, hash.hpp and id.hpp",
         save=r"actors/(\w+_actor|fwd|messages|error|hash|id)\.hpp"),
    # broker.cpp puts the parts together, and translate.cpp tells them what the settings say.
    Rule(r"actors/", r"net/", "an actor sees of net/ only its interfaces: link, chunk, gate, home, deflate, recoder and multiplexer, and what it is made of",
         save=r"net/(link|chunk|gate|home|deflate|recoder|multiplexer|pinned|slim_actor|recycled_message)\.hpp", apart=r"actors/(main|broker|translate)\.[ch]pp"),
    Rule(r"(actors|net|config)/", r"tests/|support/", "the broker does not include its tests"),
    Rule(r"actors/.*\.hpp$", r"boost/|caf/detail/", "Boost and CAF's details stay out of the headers of actors/"),
]


def main():
    faults = 0
    for path in map(str, files("*.hpp", "*.cpp")):
        text = (ROOT / path).read_text(encoding="utf-8")
        for found in INCLUDE.finditer(text):
            why = next((rule.why for rule in RULES if rule.broken_by(path, found[2])), None)
            if why is None and found[1] == '"' and not path.startswith("tests/") and not (ROOT / found[2]).is_file():
                why = "an include of tandem's own is named from the top of the tree"
            if why:
                faults += 1
                line = text.count("\n", 0, found.start(1)) + 1
                print(f"{path}:{line}: includes {found[2]}: {why}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
