"""Requests to Hetzner Cloud: read, and refused when they are not right."""

import json
import re
import urllib.parse

USER_DATA_LIMIT = 32768
PER_PAGE, MOST_PER_PAGE = 25, 50
PAGES = ("page", "per_page", "sort")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
STATUS = {"invalid_input": 422, "json_error": 400, "not_found": 404, "unauthorized": 401, "token_readonly": 403,
          "uniqueness_error": 409, "resource_limit_exceeded": 403, "rate_limit_exceeded": 429, "locked": 423,
          "conflict": 409, "resource_unavailable": 412, "volume_already_attached": 422, "service_error": 503,
          "placement_error": 412, "no_space_left_in_location": 422, "invalid_server_type": 422,
          "resource_in_use": 422, "protected": 423}  # fmt: skip


class HcloudError(Exception):
    def __init__(self, code, message, status=None, fields=()):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status or STATUS.get(code, 422)
        self.fields = fields

    def as_json(self):
        error = {"code": self.code, "message": self.message, "details": None}
        if self.code == "invalid_input":
            error["details"] = {"fields": [{"name": name, "messages": [text]} for name, text in self.fields]}
        return {"error": error}


def invalid(field, text):
    return HcloudError("invalid_input", f"invalid input in field '{field}'", fields=[(field, text)])


ROUTES = []


def route(method, path, body=None, query=()):
    """body: {name: kind}, where a name that ends in ! must be there; query: names of what may follow the ?."""

    def register(function):
        pattern = re.compile("/v1" + path.replace("ID", r"([0-9]+)"))
        ROUTES.append((method, pattern, function, body, set(query)))
        return function

    return register


KINDS = {
    "str": lambda v: isinstance(v, str), "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "bool": lambda v: isinstance(v, bool), "dict": lambda v: isinstance(v, dict),
    "ref": lambda v: isinstance(v, (str, int)) and not isinstance(v, bool),
    "list": lambda v: isinstance(v, list),
    "refs": lambda v: isinstance(v, list) and all(KINDS["ref"](one) for one in v),
    "ints": lambda v: isinstance(v, list) and all(KINDS["int"](one) for one in v),
}  # fmt: skip


def read_body(spec, raw):
    try:
        p = json.loads(raw) if raw else {}
    except ValueError:
        raise HcloudError("json_error", "invalid JSON in request body") from None
    if not isinstance(p, dict):
        raise HcloudError("json_error", "the request body is not an object")
    return read_object(spec, p)


def read_object(spec, p, inside=""):
    """An object of the body, in the field `inside`; what is null is not said."""
    if not isinstance(p, dict):
        raise invalid(inside, "Not an object.")
    kinds = {name.rstrip("!"): kind for name, kind in spec.items()}
    p = {name: value for name, value in p.items() if value is not None}
    for name, value in p.items():
        if name not in kinds:
            raise invalid(name, "Unknown field.")
        if not KINDS[kinds[name]](value):
            raise invalid(name, f"Not of the right type: {kinds[name]}.")
    for name in spec:
        if name.endswith("!") and name[:-1] not in p:
            raise invalid(name[:-1], "Missing data for required field.")
    return p


def read_query(names, text):
    found = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        if name not in names:
            raise invalid(name, "Unknown parameter.")
        found.setdefault(name, []).append(value)
    return found


def listed(q, key, things, text=lambda t: t):
    """A page of a list."""

    def number(name, otherwise, most):
        value = q.get(name, [str(otherwise)])[-1]
        if not value.isdigit() or not 1 <= int(value) <= most:
            raise invalid(name, f"Not a number from 1 to {most}.")
        return int(value)

    page, per_page = number("page", 1, 10**6), number("per_page", PER_PAGE, MOST_PER_PAGE)
    last = max(1, -(-len(things) // per_page))
    part = things[(page - 1) * per_page : page * per_page]
    return 200, {key: [text(t) for t in part], "meta": {"pagination": {
        "page": page, "per_page": per_page, "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < last else None, "last_page": last, "total_entries": len(things)}}}  # fmt: skip


def selected(q, things, labels):
    """By label_selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`, joined by commas."""
    for selector in q.get("label_selector", []):
        for one in re.findall(r"[^,(]+(?:\([^)]*\))?", selector):
            one = one.strip()
            if m := re.fullmatch(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)", one):
                key, how, values = m[1], m[2], {v.strip() for v in m[3].split(",")}
                things = [t for t in things if (labels(t).get(key) in values) == (how == "in")]
            elif m := re.fullmatch(r"([^=!\s]+)\s*(==|=|!=)\s*(\S*)", one):
                things = [t for t in things if (labels(t).get(m[1]) == m[3]) == (m[2] != "!=")]
            elif m := re.fullmatch(r"(!?)([^=!\s]+)", one):
                things = [t for t in things if (m[2] in labels(t)) == (not m[1])]
            else:
                raise invalid("label_selector", f"Cannot be read: '{one}'.")
    return things


def check_labels(p):
    labels = p.get("labels", {})
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or not isinstance(value, str) or not LABEL_VALUE.fullmatch(value):
            raise invalid("labels", f"'{key}: {value}' is not a valid label.")
    return dict(labels)


def unique(things, name, ours=None):
    if any(name_of(t) == name and t is not ours for t in things):
        raise HcloudError("uniqueness_error", "name is already used")


def rename(things, thing, p):
    """What a PUT changes: its name and its labels, each if it is said."""
    if "name" in p:
        unique(things, p["name"], thing)
        thing.name = p["name"]
    if "labels" in p:
        thing.labels = check_labels(p)


def name_of(thing):
    return thing["name"] if isinstance(thing, dict) else thing.name


def find(table, number, what):
    thing = table.get(int(number))
    if thing is None:
        raise HcloudError("not_found", f"{what} with ID '{number}' not found")
    return thing


def by_reference(field, value, names):
    """One of `names`, {name: id}, by either."""
    for name, number in names.items():
        if value in (name, number, str(number)):
            return name
    raise (
        invalid(field, f"'{value}' not found.")
        if isinstance(value, str)
        else HcloudError("not_found", f"{field} '{value}' not found")
    )


def unlocked(*things):
    for thing in things:
        if thing.locks:
            raise HcloudError("locked", f"{thing.kind} is locked")
