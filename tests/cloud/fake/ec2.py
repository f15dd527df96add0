"""The EC2 Query API, version 2016-11-15: what all its actions share.  The actions register themselves in ACTIONS."""

import base64
import fnmatch
import hashlib
import json
import re

from . import params
from .errors import ApiError, bad_value

VERSION = "2016-11-15"
ACTIONS = {}  # name: (description of its parameters, function(world, parameters, credentials) -> answer)

FILTERS = [{"Name!": "str", "Value!": ["str"]}]
TAG_SPECIFICATIONS = [{"ResourceType!": "str", "Tag!": [{"Key!": "str", "Value": "str"}]}]
PAGES = {"MaxResults": "int", "NextToken": "str"}


def action(name, spec, dry_run=True):
    def register(function):
        ACTIONS[name] = ({**spec, "DryRun": "bool"} if dry_run else spec, function)
        return function

    return register


def call(world, credentials, pairs):
    """pairs: the parameters as they came.  The name of the action, and its answer."""
    given = dict(pairs)
    name = given.get("Action")
    if not name:
        raise ApiError("MissingAction", "The request must contain the parameter Action")
    if given.get("Version") != VERSION or name not in ACTIONS:
        raise ApiError("InvalidAction", f"The action {name} is not valid for this web service.")
    if world.denied("ec2", name):
        raise unauthorized(credentials, name)
    spec, function = ACTIONS[name]
    p = params.read(spec, [(key, value) for key, value in pairs if key not in ("Action", "Version")])
    if p.get("TagSpecification") and world.denied("ec2", "CreateTags"):
        raise unauthorized(credentials, "CreateTags")
    dry = p.pop("DryRun", False)
    if dry:
        raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    return function(world, p, credentials)


def unauthorized(credentials, name):
    blob = base64.b64encode(hashlib.sha512(name.encode()).digest()).decode().rstrip("=")
    return ApiError("UnauthorizedOperation",
                    f"You are not authorized to perform this operation. User: {credentials.arn} is not authorized to "
                    f"perform: ec2:{name} because no identity-based policy allows the ec2:{name} action. Encoded "
                    f"authorization failure message: {blob}", 403)  # fmt: skip


# --- tags ---


def check_tags(pairs):
    """[{"Key", "Value"}] → {key: value}"""
    found = {}
    for tag in pairs:
        key, value = tag["Key"], tag.get("Value", "")
        if not 1 <= len(key) <= 127:
            raise ApiError("InvalidParameterValue", f"Tag key exceeds the maximum length of 127 characters: '{key}'")
        if len(value) > 255:
            raise ApiError(
                "InvalidParameterValue", f"Tag value exceeds the maximum length of 255 characters: '{value}'"
            )
        if key.lower().startswith("aws:"):
            raise ApiError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        if key in found:
            raise ApiError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        found[key] = value
    if len(found) > 50:
        raise ApiError("TagLimitExceeded", "The maximum number of tags for a resource is 50")
    return found


def tags_at_creation(p, *allowed):
    """{type of resource: tags}"""
    found = {}
    for spec in p.get("TagSpecification", []):
        kind = spec["ResourceType"]
        if kind not in allowed:
            raise ApiError(
                "InvalidParameterValue", f"'{kind}' is not a valid taggable resource type for this operation."
            )
        if kind in found:
            raise ApiError(
                "InvalidParameterValue", f"The resource type '{kind}' is there twice in the tag specifications"
            )
        found[kind] = check_tags(spec["Tag"])
    return found


def tag_set(tags):
    return [{"key": key, "value": value} for key, value in tags.items()] or None


# --- filters ---


def _matches(pattern, value):
    if not any(c in pattern for c in "*?\\"):
        return pattern == value
    # Only * and ? are patterns, \ takes their meaning away; [ has none.
    text = re.sub(r"\\(.)", lambda m: f"[{m.group(1)}]", pattern.replace("[", "[[]"))
    return fnmatch.fnmatchcase(value, text)


def filtered(p, things, names):
    """names: {filter: function(thing) -> text, or list of texts, or None}; tag:KEY and tag-key are always known."""
    things = list(things)
    for one in p.get("Filter", []):
        name, patterns = one["Name"], one["Value"]
        if not patterns:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' has no value")
        if len(patterns) > 200:
            raise ApiError("FilterLimitExceeded", "The maximum number of filter values is 200")
        if name.startswith("tag:"):
            values = lambda thing, key=name[4:]: thing.tags.get(key)  # noqa: E731
        elif name == "tag-key":
            values = lambda thing: list(thing.tags)  # noqa: E731
        elif name in names:
            values = names[name]
        else:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
        kept = []
        for thing in things:
            have = values(thing)
            have = have if isinstance(have, (list, tuple)) else [have]
            if any(h is not None and _matches(pattern, str(h)) for h in have for pattern in patterns):
                kept.append(thing)
        things = kept
    return things


# --- pages ---


def page(world, p, things, least=5, most=1000, ids=()):
    """The part of `things` that is asked for, and the token for the next one."""
    size = p.get("MaxResults")
    if size is not None:
        if ids:
            raise ApiError(
                "InvalidParameterCombination", "The parameter MaxResults cannot be used with a list of identifiers"
            )
        if not least <= size <= most:
            raise bad_value("maxResults", size, f"Expecting a value between {least} and {most}")
    stamp = hashlib.sha256(
        json.dumps({k: v for k, v in p.items() if k != "NextToken"}, sort_keys=True).encode()
    ).hexdigest()[:16]
    start = 0
    if "NextToken" in p:
        try:
            theirs, start = json.loads(base64.b64decode(p["NextToken"], validate=True))
        except ValueError:
            theirs = None
        if theirs != stamp:
            raise ApiError("InvalidParameterValue", "Unable to parse pagination token")
    end = start + min(size or world.settings.page, world.settings.page)
    token = base64.b64encode(json.dumps([stamp, end]).encode()).decode() if end < len(things) else None
    return things[start:end], token


def visible(world, table, ids, code, what):
    """All things, or those that are named; one that is not there is an error only when it is named."""
    if ids:
        wrong = [name for name in ids if name not in table or table[name].gone or not world.seen(table[name])]
        if wrong:
            raise ApiError(code, f"The {what} '{', '.join(wrong)}' do{'es' if len(wrong) == 1 else ''} not exist")
        return [table[name] for name in dict.fromkeys(ids)]
    return [thing for thing in table.values() if not thing.gone and world.seen(thing)]


def check_id(parameter, value, prefix, code=None):
    """A name that cannot be one is an error of its own."""
    if not re.fullmatch(prefix + r"-([0-9a-f]{8}|[0-9a-f]{17})", value):
        raise ApiError(code or "InvalidParameterValue", f'Invalid id: "{value}" (expecting "{prefix}-...")')
    return value
