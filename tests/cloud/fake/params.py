"""Flat query parameters (`Tag.1.Key=a`) read against a description, and refused when they do not fit it.

A description is a dict of names, a list of one description, or the name of a kind: str, int, bool, blob.  A name that
ends in `!` must be there."""

import base64
import binascii

from .errors import ApiError, bad_value


def read(spec, pairs):
    """pairs: [("Tag.1.Key", "a")]; the result is nested as the description is, and has only what was given."""
    return _struct(spec, [(name.split("."), value) for name, value in pairs], "")


def _full(path, word):
    return f"{path}.{word}" if path else word


def _any(spec, items, path):
    if isinstance(spec, dict):
        return _struct(spec, items, path)
    if isinstance(spec, list):
        return _list(spec[0], items, path)
    return _leaf(spec, items, path)


def _groups(items, path):
    groups = {}
    for words, value in items:
        if not words or not words[0]:
            raise ApiError("UnknownParameter", f"The parameter {path} is not recognized")
        groups.setdefault(words[0], []).append((words[1:], value))
    return groups


def _struct(spec, items, path):
    names = {name.rstrip("!"): name for name in spec}
    result = {}
    for word, group in _groups(items, path).items():
        if word not in names:
            raise ApiError("UnknownParameter", f"The parameter {_full(path, word)} is not recognized")
        result[word] = _any(spec[names[word]], group, _full(path, word))
    for name in spec:
        if name.endswith("!") and name[:-1] not in result:
            raise ApiError("MissingParameter", f"The request must contain the parameter {_full(path, name[:-1])}")
    return result


def _list(spec, items, path):
    groups = _groups(items, path)
    # Written as 1, 2, 3, …: what is left out or written otherwise is a mistake of the client.
    for n in range(1, len(groups) + 1):
        if str(n) not in groups:
            raise ApiError("InvalidParameterValue", f"The list {path} is numbered {', '.join(sorted(groups))}")
    return [_any(spec, groups[str(n)], f"{path}.{n}") for n in range(1, len(groups) + 1)]


def _leaf(kind, items, path):
    if any(words for words, _ in items):
        raise ApiError("UnknownParameter", f"The parameter {path}.{'.'.join(items[0][0])} is not recognized")
    if len(items) > 1:
        raise ApiError("InvalidParameterCombination", f"The parameter {path} may only be specified once")
    value = items[0][1]
    if kind == "str":
        return value
    if kind == "int":
        if not value.lstrip("-").isdigit() or not value.isascii() or str(int(value)) != value:
            raise bad_value(path, value, "It is not an integer")
        return int(value)
    if kind == "bool":
        if value not in ("true", "false"):
            raise bad_value(path, value, "It is not true or false")
        return value == "true"
    if kind == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise bad_value(path, value[:40], "It is not BASE64") from None
    raise AssertionError(kind)
