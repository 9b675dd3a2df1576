"""Loading the YAML of manifests as kubectl does: dates are text, and what repeats itself by aliases is bounded.

PyYAML makes dates of what looks like one, which Kubernetes does not know, and shares what an alias repeats. Whoever
walks such an object, or writes it as JSON, writes it out: ten lines become a gigabyte, and an anchor in itself never
ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

# Objects of 1.5 MiB are the largest that Kubernetes stores; a file may hold some that share their parts.
MAX_REPEATED = 4 * 1024 * 1024
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"


def load_all(text: str) -> Iterator[Any]:  # Any: what YAML can say
    """Give the documents of a YAML text.

    Raises:
        yaml.YAMLError, ValueError, RecursionError, AttributeError, LookupError: it is none. The last two are
            PyYAML's, of values that do not fit their tag.
    """
    yield from yaml.load_all(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own, and nobody adds to it
        first: [resolver for resolver in resolvers if resolver[0] != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_document(self, node: yaml.Node) -> Any:  # Any: what YAML can say
        """Make what a node says, unless its aliases repeat too much."""
        _Repeats().weigh(node)
        return super().construct_document(node)


class _Repeats:
    """Counts the characters that the aliases of a document stand for: each for all that stands below its anchor."""

    def __init__(self) -> None:
        self._weights: dict[yaml.Node, int | None] = {}  # None: being weighed
        self._repeated = 0

    def weigh(self, node: yaml.Node) -> int:
        """Give how many characters a node has with all aliases written out.

        Raises:
            yaml.YAMLError: it holds itself, or aliases stand for more than MAX_REPEATED characters.
        """
        if node in self._weights:
            return self._weigh_again(node)
        self._weights[node] = None
        weight = 1
        if isinstance(node, yaml.ScalarNode):
            weight += len(node.value)
        elif isinstance(node, yaml.MappingNode):
            weight += sum(self.weigh(key) + self.weigh(value) for key, value in node.value)
        else:
            weight += sum(self.weigh(item) for item in node.value)
        self._weights[node] = weight
        return weight

    def _weigh_again(self, node: yaml.Node) -> int:
        weight = self._weights[node]
        if weight is None:
            raise yaml.MarkedYAMLError(problem="an anchor holds itself", problem_mark=node.start_mark)
        self._repeated += weight
        if self._repeated > MAX_REPEATED:
            message = f"aliases stand for more than {MAX_REPEATED:,} characters"
            raise yaml.MarkedYAMLError(problem=message, problem_mark=node.start_mark)
        return weight
