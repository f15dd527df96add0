"""What botocore's model of the API says, for checking the fake: which parameters and which elements there are."""

import xml.etree.ElementTree as ElementTree

import botocore.session

_session = botocore.session.Session()
MODELS = {name: _session.get_service_model(name) for name in ("ec2", "sts", "ssm")}
# Debian 12's botocore is of December 2022; these came later.
NEWER = {("TerminateInstances", "SkipOsShutdown"), ("TerminateInstances", "Force"), ("StopInstances", "SkipOsShutdown"),
         ("DescribeImages", "MaxResults"), ("DescribeImages", "NextToken"), ("DescribeKeyPairs", "IncludePublicKey"),
         ("CreateVolume", "AvailabilityZoneId"), ("DeleteKeyPair", "keyPairId"), ("DeleteSecurityGroup", "groupId"),
         ("ImportKeyPair", "keyPairId"), ("DescribeImages", "nextToken")}  # fmt: skip
NEWER_TYPES = {"m7g.medium", "c7g.medium", "c8g.medium"}
KINDS = {"string": "str", "integer": "int", "long": "int", "boolean": "bool", "blob": "blob", "timestamp": "str",
         "float": "float", "double": "float"}  # fmt: skip


def operation(service, name):
    return MODELS[service].operation_model(name)


def wire_name(service, name, shape):
    """What a parameter is called on the wire."""
    if service != "ec2":
        return name
    serialization = shape.serialization
    if "queryName" in serialization:
        return serialization["queryName"]
    text = serialization.get("name", name)
    return text[0].upper() + text[1:]


def check_parameters(service, name, spec):
    """[what is wrong] with a description of parameters."""
    return list(_check(service, name, spec, operation(service, name).input_shape, ""))


def _check(service, action, spec, shape, path):
    if isinstance(spec, dict):
        if shape.type_name != "structure":
            yield f"{action}: {path} is a {shape.type_name}"
            return
        there = {wire_name(service, n, s): (n, s) for n, s in shape.members.items()}
        for word, inner in spec.items():
            plain = word.rstrip("!")
            if plain not in there:
                if (action, plain) not in NEWER:
                    yield f"{action}: there is no parameter {path}{plain}"
                continue
            yield from _check(service, action, inner, there[plain][1], f"{path}{plain}.")
        needed = {w for w, (n, _) in there.items() if n in shape.required_members}
        missing = needed - {w[:-1] for w in spec if w.endswith("!")}
        # CreateVolume's zone has an alternative since 2025, and the fake says itself what is missing.
        if missing - ({"AvailabilityZone"} if action == "CreateVolume" else set()):
            yield f"{action}: {path}{missing} must be required"
    elif isinstance(spec, list):
        if shape.type_name != "list":
            yield f"{action}: {path} is a {shape.type_name}"
            return
        yield from _check(service, action, spec[0], shape.member, f"{path}N.")
    elif KINDS.get(shape.type_name) != spec:
        # UserData is a text in the model, and BASE64 by its description.
        yield f"{action}: {path} is a {shape.type_name}, not {spec}"


def check_answer(service, action, document):
    """[what is wrong] with an answer's XML: elements that the model does not know, or that hold something else."""
    root = ElementTree.fromstring(document)
    shape = operation(service, action).output_shape
    tag = root.tag.rpartition("}")[2]
    if tag != f"{action}Response":
        return [f"{action}: the answer is {tag}"]
    if service == "sts":
        root = root[0]
    wrong = []
    for child in root:
        name = child.tag.rpartition("}")[2]
        if name == "requestId" or (name == "return" and (shape is None or "Return" not in shape.members)):
            continue
        wrong += _check_member(action, child, name, shape, "")
    return wrong


def _members(shape):
    return {s.serialization.get("name", n): s for n, s in shape.members.items()} if shape is not None else {}


def _check_member(action, node, name, shape, path):
    there = _members(shape)
    if name not in there:
        return [] if (action, name) in NEWER else [f"{action}: no element {path}{name}"]
    return _check_node(action, node, there[name], f"{path}{name}/")


def _check_node(action, node, shape, path):
    wrong = []
    children = [(child, child.tag.rpartition("}")[2]) for child in node]
    if shape.type_name == "structure":
        for child, name in children:
            wrong += _check_member(action, child, name, shape, path)
    elif shape.type_name == "list":
        for child, name in children:
            wrong += (
                _check_node(action, child, shape.member, path)
                if name == "item"
                else [f"{action}: {path}{name}, not item"]
            )
    elif children:
        wrong.append(f"{action}: {path} has elements, but is a {shape.type_name}")
    else:
        wrong += _check_text(action, node.text or "", shape, path)
    return wrong


def _check_text(action, text, shape, path):
    kind = shape.type_name
    if kind in ("integer", "long"):
        good = text.lstrip("-").isdigit()
    elif kind == "boolean":
        good = text in ("true", "false")
    elif kind == "timestamp":
        good = len(text) == 24 and text[10] == "T" and text.endswith("Z")
    else:
        good = not getattr(shape, "enum", None) or text in shape.enum or text in NEWER_TYPES
    return [] if good else [f"{action}: {path} is '{text}', which is no {kind}"]
