"""Compare expressions made by chance with Jayway's own results: run by hand, it needs a JDK (see README.md).

    python tests/contract/jayway/fuzz.py SEED COUNT CLASSPATH

COUNT expressions are made, each is evaluated on some documents. What is accepted here and differs there is printed, as
are the commonest reasons for refusing what Jayway takes.
"""

from __future__ import annotations

import base64
import collections
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

# ruff: noqa: T201 - a program that is run by hand prints
from hookwright.errors import InvalidExpression
from hookwright.filters import Budget, EvaluationError, Expression, compile_expression

DOCUMENTS: list[object] = [
    {
        "a": {"a": 1, "b": "x", "l": [1, 2.5, -3, "1", None, True]},
        "b": "main",
        "l": ["x", "y", "main"],
        "n": [3, 1.0, 2e10, 12345678901234567890],
        "o": [{"a": 1, "b": "x", "l": ["x"]}, {"a": "1", "b": None, "l": []}, {"a": 1.0, "l": ["x", "y"]}, {"b": True}],
        "e": [],
        "t": "refs/heads/main",
    },
    [{"a": 1, "l": [1, 2]}, {"a": 2, "b": "a/b\n", "l": ["a", "b"]}, {"l": {"a": 1}}, "x", 3, None, [{"a": "x"}], []],
    {"a": [{"a": [{"a": 1, "b": [1]}, {"a": "x"}], "b": "y"}, {"b": {"a": "x", "b": ""}}], "b": [[1, 2], [], ["x"], 5]},
    {
        "a": "@",
        "b": "[x]",
        "l": ["@", "$", "[x]", "{}", "'q'", "a\\nb", "\\u0041", "[x", "$a", "", "q"],
        "o": {"a": [[1]]},
    },
    {"a": "1", "b": 1, "l": ["1", 1, 1.0, "1.0", True, "true", None, "null"], "n": [-1, -2.5], "t": "Ünï😀", "e": {}},
    {"l": [["x"], {"a": 1}], "a": {"b": {"a": 1.5e300, "l": [1e300, 1e300]}}, "b": [True, False], "n": [0.1, 0.2, 7]},
    [],
    [1, "x", 2.0, None],
    "text",
    {"a": None, "l": None, "o": {"a": {}, "b": []}, "e": [[]], "n": [[1, 2], [3]]},
]
NAMES = ["a", "a", "a", "b", "b", "l", "l", "n", "o", "o", "e", "t", "zz"]
FUNCTIONS = [
    "length",
    "length",
    "size",
    "min",
    "max",
    "sum",
    "avg",
    "stddev",
    "concat",
    "keys",
    "first",
    "last",
    "index(1)",
]
FUNCTIONS += ["index(-1)", "index(0)", "append(1)", "index(9)"]
WORDS = ["in", "nin", "contains", "size", "empty", "subsetof", "anyof", "noneof", "IN", "all", "type"]
SIGNS = ["==", "==", "==", "!=", "===", "!==", "<", "<=", ">", ">=", "=~"]
LITERALS = [
    "'x'",
    "'1'",
    "1",
    "1.0",
    "-3",
    "true",
    "false",
    "null",
    "''",
    '"y"',
    "'main'",
    "2",
    "1e0",
    "'[x]'",
    "'@'",
    "0",
    ".5",
]
ITEMS = [
    "'x'",
    "1",
    "'1'",
    '"y"',
    "null",
    "true",
    "1.0",
    "'main'",
    "'a'",
    "2.5",
    "-3",
    "x",
    "'[x]'",
    "'@'",
    "'$a'",
    "'q'",
]
PATTERNS = [
    "x",
    ".*",
    "",
    "[a-z]+",
    "X",
    "ma.n",
    "1",
    r"\d+(\.\d)?",
    "true|false",
    "(?!x).*",
    r"a\/b.*",
    "refs/heads/.*",
]
PATTERNS += ["^x$", r".*\n", "a.b.", "x|y", "(x)?", r"[^x]*", ".{4,}", "(?i)MAIN"]
DAMAGE = [*"$@.[]()?*'\" ,:=!<>&|~/-\\", "..", "&&", "||", " in ", "()", "[*]", "[0]", " ", "a"]


class Maker:
    """Makes expressions that mostly lead somewhere: `here` is a value to which the path so far may lead."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.document: object = None
        self.here: object = None

    def name(self) -> str:
        """Give a name, mostly of a member that is here, and go on to that member."""
        name = self.chance.choice(NAMES)
        if isinstance(self.here, dict):
            if self.here and self.maybe(0.8):
                name = self.chance.choice(list(self.here))
            self.here = self.here.get(name)
        return name

    def enter(self) -> None:
        """Go on to any element or member."""
        inner = list(self.here.values()) if isinstance(self.here, dict) else self.here
        if isinstance(inner, list) and inner:
            self.here = self.chance.choice(inner)

    def pick(self, *options: str) -> str:
        return self.chance.choice(options)

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def expression(self) -> str:
        self.here = self.document = self.chance.choice(DOCUMENTS)
        text = self.pick("$", "$", "$", "$", "@", "") + self.segments(self.chance.choice([1, 1, 2, 2, 3, 4]), 2)
        if self.maybe(0.25):
            text += self.function(arguments=True)
        if not text.startswith(("$", "@")):
            text = text.removeprefix(".")
        return self.damage(text) if self.maybe(0.1) else text

    def damage(self, text: str) -> str:
        at = self.chance.randrange(len(text) + 1)
        return text[:at] + self.pick("", self.chance.choice(DAMAGE)) + text[at + self.chance.choice([0, 1]) :]

    def segments(self, count: int, depth: int) -> str:
        return "".join(self.segment(depth) for _ in range(count))

    def segment(self, depth: int) -> str:
        if isinstance(self.here, dict) and self.maybe(0.75):
            name = self.name()
            return self.pick(f".{name}", f".{name}", f".{name}", f"['{name}']", f'["{name}"]', f"..{name}")
        dots = self.pick("", "", "", "..", ".") if self.maybe(0.4) else ""
        if depth and self.maybe(0.45):
            return self.filter(dots, depth)
        if isinstance(self.here, dict) and self.maybe(0.7):
            names = ",".join(
                f"'{self.chance.choice([*self.here, 'zz'])}'" for _ in range(self.chance.choice([2, 2, 3]))
            )
            self.name()
            return f"{dots}[{names}]"
        if self.maybe(0.15):
            return f"..{self.name()}"
        self.enter()
        places = self.pick(
            "0", "1", "-1", "0,1", "1,0,-1", "0:2", "1:", ":-1", "-2:", "-1:1", "0 , 1", "::2", "9", "*", "*"
        )
        return self.pick(f"{dots}[{places}]", f"{dots}[{places}]", f"{dots or '.'}*")

    def filter(self, dots: str, depth: int) -> str:
        if isinstance(self.here, list):
            self.enter()
        here = self.here
        condition = self.condition(depth - 1)
        self.here = here
        return f"{dots}[?({condition})]"

    def function(self, *, arguments: bool) -> str:
        name = self.chance.choice(FUNCTIONS)
        if arguments and self.maybe(0.25):
            name = self.pick("sum", "concat", "concat", "max", "avg", "length", "first")
            inner = ",".join(self.argument() for _ in range(self.chance.choice([1, 1, 2, 3])))
            return f".{name}({inner})"
        return f".{name}" if "(" in name else f".{name}()"

    def argument(self) -> str:
        here, self.here = self.here, self.document
        path = "$" + self.segments(self.chance.choice([1, 1, 2]), 0)
        self.here = here
        return self.pick(
            '"x"', '"-"', "1", "2.5", " 1", path, path, path, "'x'", '"a,b"', r'"\u0041"', "true", "$.n", "1e10"
        )

    def operand(self, depth: int) -> str:
        if self.maybe(0.25):
            return self.chance.choice(LITERALS)
        if self.maybe(0.1):
            return self.list_literal()
        if self.maybe(0.05):
            return self.pattern()
        return self.query(depth)

    def query(self, depth: int) -> str:
        here, root = self.here, self.pick("@", "@", "@", "@", "$")
        self.here = self.document if root == "$" else here
        path = root + self.segments(self.chance.choice([0, 1, 1, 1, 2]), depth)
        self.here = here
        return path + self.function(arguments=False) if self.maybe(0.15) else path

    def list_literal(self) -> str:
        return (
            "["
            + self.pick(",", ", ").join(self.chance.choice(ITEMS) for _ in range(self.chance.choice([0, 1, 2, 3])))
            + "]"
        )

    def pattern(self) -> str:
        return f"/{self.chance.choice(PATTERNS)}/{self.pick('', '', '', 'i', 's', 'im')}"

    def condition(self, depth: int) -> str:
        kind = self.chance.random()
        if kind < 0.12:
            joint = self.pick(" && ", " || ", " && ", "&&", "||")
            return joint.join(self.condition(depth) for _ in range(2))
        if kind < 0.18:
            return f"({self.condition(depth)})"
        if kind < 0.26:
            return f"!({self.condition(depth)})"
        if kind < 0.4:
            return self.pick("", "", "!", "! ", "!!") + self.query(depth)
        if kind < 0.7:
            blank = self.pick(" ", " ", "")
            sign = self.chance.choice(SIGNS)
            right = self.pattern() if sign == "=~" and self.maybe(0.9) else self.operand(depth)
            return self.operand(depth) + blank + sign + blank + right
        word = self.chance.choice(WORDS)
        rights: dict[str, Callable[[], str]] = {
            "size": lambda: self.pick("0", "1", "2", "-1", "'1'", self.query(depth)),
            "empty": lambda: self.pick("true", "false", "true", "1", self.query(depth)),
            "contains": lambda: self.operand(depth),
        }
        right = rights.get(word, lambda: self.list_literal() if self.maybe(0.6) else self.operand(depth))()
        left = self.list_literal() if word not in ("in", "nin") and self.maybe(0.15) else self.operand(depth)
        return f"{left} {word} {right}"


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def ask(pairs: list[tuple[str, object]], classpath: str) -> Iterator[dict[str, object]]:
    """Give Jayway's answers."""
    lines = "".join(f"{encode(text)}\t{encode(json.dumps(document))}\n" for text, document in pairs)
    done = subprocess.run(["java", "-cp", classpath, "Runner"], input=lines, capture_output=True, text=True, check=True)
    return map(json.loads, done.stdout.splitlines())


def compare(expression: Expression, document: object, answer: dict[str, object]) -> str | None:
    """Say what differs, if anything does."""
    if "compile_error" in answer:
        return "Jayway refuses it"
    if expression.definite != answer["definite"]:
        return "definite"
    theirs = [] if "result" not in answer else [answer["result"]] if answer["definite"] else answer["result"]
    again = [] if "again" not in answer else [answer["again"]] if answer["definite"] else answer["again"]
    if json.dumps(theirs) != json.dumps(again):
        return "depends on the documents before"
    try:
        ours = expression.search(document, Budget())
    except EvaluationError as error:
        return None if "result" not in answer else f"{error.message}: {json.dumps(theirs)}"
    same = json.dumps(ours) == json.dumps(theirs)
    return None if same else f"{json.dumps(ours)} is {json.dumps(theirs)} {answer.get('result_error', '')}"


def main() -> None:
    seed, count, classpath = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chance = random.Random(seed)
    maker = Maker(chance)
    counts: collections.Counter[str] = collections.Counter()
    reasons: collections.Counter[str] = collections.Counter()
    examples: dict[str, str] = {}
    asked: list[tuple[str, object]] = []
    compiled: dict[str, Expression | str] = {}
    while len(compiled) < count:
        text = maker.expression()
        if len(text) > 150 or not text or text in compiled:
            continue
        try:
            compiled[text] = compile_expression(text)
        except InvalidExpression as refusal:
            compiled[text] = re.sub(r".*?at character \d+: ", "", refusal.message).split(". Write")[0]
        documents = [maker.document, *([] if isinstance(compiled[text], str) else chance.sample(DOCUMENTS, 4))]
        asked.extend((text, document) for document in documents)
    shown = 0
    for (text, document), answer in zip(asked, ask(asked, classpath), strict=True):
        expression = compiled[text]
        if isinstance(expression, str):
            taken = "compile_error" not in answer
            counts["refused that Jayway takes" if taken else "refused by both"] += 1
            if taken:
                reasons[expression[:90]] += 1
                examples[expression[:90]] = text
            continue
        counts["compared"] += 1
        counts["found something"] += bool(answer.get("result"))
        difference = compare(expression, document, answer)
        if difference is not None:
            counts["differ"] += 1
            shown += 1
            if shown <= 30:
                print(f"{text}   on {json.dumps(document)[:150]}\n    {difference[:300]}")
    print(counts)
    for reason, number in reasons.most_common(40):
        print(number, reason, "|", examples[reason])


if __name__ == "__main__":
    main()
