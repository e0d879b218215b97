"""Reading of profile YAML: every scalar stays text, and every field remembers its line.

YAML 1.1 turns a bare ``On`` into a boolean and ``1e3`` into text or a number depending on a dot. A
profile speaks of camera entries named ``Off`` and ``On``, so nothing is guessed here: scalars are
text, and the schema (`rig.profile_schema`) converts what it declares to be a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from rig.errors import ProfileError

MAX_BYTES = 1_000_000
"""A profile larger than this is no profile."""

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A profile's plain data and where each part of it stands.

    Attributes:
        source: File name (or built-in name) for messages.
        data: Nested dicts, lists and strings.
        lines: 1-based line of every field, keyed by its path such as ``("cameras", "B", "cti")``.
    """

    source: str
    data: dict[str, Any]
    lines: dict[FieldPath, int]

    def line_of(self, path: FieldPath) -> int:
        """Return the line of the deepest known part of `path` (1 for the document itself)."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


class _TextLoader(yaml.SafeLoader):
    """SafeLoader that resolves no scalar to anything but text."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  (PyYAML's own class attribute)


_TAGS: dict[type[yaml.Node], tuple[str, ...]] = {
    yaml.ScalarNode: ("tag:yaml.org,2002:str", "!"),
    yaml.MappingNode: ("tag:yaml.org,2002:map",),
    yaml.SequenceNode: ("tag:yaml.org,2002:seq",),
}
"""What a node is without an explicit type tag."""


def read_document(text: str, source: str) -> Document:
    """Parse the text of one profile.

    Args:
        text: YAML text.
        source: Name used in messages.

    Returns:
        The document with all scalars as `str`.

    Raises:
        ProfileError: Not YAML, not a mapping, a doubled key, an alias, or an explicit type tag.
    """
    if len(text.encode()) > MAX_BYTES:
        raise ProfileError(f"{source}: larger than {MAX_BYTES} bytes", hint="this is not a hardware profile")
    try:
        root = yaml.compose(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        raise ProfileError(f"{where}: not valid YAML: {error.problem}", hint=error.context or "") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ProfileError(f"{source}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(root, yaml.MappingNode):
        raise ProfileError(f"{source}:1: a profile is a mapping of fields", hint="start with 'kind: rig'")
    lines: dict[FieldPath, int] = {}
    data = _plain(root, (), source, lines, set())
    return Document(source, data, lines)


def _plain(node: yaml.Node, path: FieldPath, source: str, lines: dict[FieldPath, int], seen: set[int]) -> Any:
    """Turn a YAML node into dicts, lists and strings, noting lines on the way."""
    line = node.start_mark.line + 1
    if id(node) in seen:  # an alias gives the same node twice; a few of them nested can fill the memory
        raise ProfileError(
            f"{source}:{line}: {_dotted(path)}: anchors and aliases are not allowed in profiles"
        )
    seen.add(id(node))
    lines.setdefault(path, line)
    if node.tag not in _TAGS[type(node)]:
        where = f"{source}:{line}: {_dotted(path)}"
        raise ProfileError(
            f"{where}: the type tag {node.tag} is not allowed", hint="the schema knows the type"
        )
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _text(key_node, path, source)
            if key in mapping:
                where = f"{source}:{key_node.start_mark.line + 1}: {_dotted((*path, key))}"
                first = lines[(*path, key)]
                raise ProfileError(f"{where}: stands twice", hint=f"first on line {first}; keep one")
            lines[(*path, key)] = key_node.start_mark.line + 1
            mapping[key] = _plain(value_node, (*path, key), source, lines, seen)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), source, lines, seen) for index, item in enumerate(node.value)]
    return _text(node, path, source)


def _text(node: yaml.Node, path: FieldPath, source: str) -> str:
    where = f"{source}:{node.start_mark.line + 1}: {_dotted(path)}"
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _TAGS[yaml.ScalarNode]:
        raise ProfileError(f"{where}: a field name must be plain text")
    text = str(node.value)
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # no file, port or terminal can take it
        raise ProfileError(f"{where}: holds half a letter, such as \\ud800", hint="write the letter itself")
    return text


def _dotted(path: FieldPath) -> str:
    return dotted(path) or "(document)"


def dotted(path: FieldPath) -> str:
    """Write a field path as people read it: ``steps_common[3].to``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
