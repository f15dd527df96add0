"""The two small services: STS (query, XML) and SSM's GetParameter (JSON 1.1)."""

import json

from . import params
from .errors import ApiError
from .xml import time_text

STS_VERSION = "2011-06-15"
STS_ACTIONS = {
    "GetCallerIdentity": {},
    "AssumeRole": {"RoleArn!": "str", "RoleSessionName!": "str", "DurationSeconds": "int", "ExternalId": "str",
                   "Policy": "str", "SerialNumber": "str", "TokenCode": "str"},
    "AssumeRoleWithWebIdentity": {"RoleArn!": "str", "RoleSessionName!": "str", "WebIdentityToken!": "str",
                                  "DurationSeconds": "int", "ProviderId": "str", "Policy": "str"},
    "GetSessionToken": {"DurationSeconds": "int", "SerialNumber": "str", "TokenCode": "str"},
}  # fmt: skip
UNSIGNED = {"AssumeRoleWithWebIdentity"}


def _bad(text):
    return ApiError("ValidationError", f"1 validation error detected: {text}")


def sts(world, key, pairs):
    given = dict(pairs)
    name = given.get("Action")
    if given.get("Version") != STS_VERSION or name not in STS_ACTIONS:
        raise ApiError("InvalidAction", f"Could not find operation {name} for version {given.get('Version')}")
    try:
        p = params.read(STS_ACTIONS[name], [(k, v) for k, v in pairs if k not in ("Action", "Version")])
    except ApiError as e:
        raise _bad(e.message) from None
    if world.denied("sts", name):
        raise ApiError("AccessDenied", f"User: {key.arn} is not authorized to perform: sts:{name}", 403)
    return {"GetCallerIdentity": _identity, "AssumeRole": _assume_role, "AssumeRoleWithWebIdentity": _by_token,
            "GetSessionToken": _session_token}[name](world, key, p)  # fmt: skip


def _identity(world, key, _):
    return {"Arn": key.arn, "UserId": key.user_id, "Account": world.account}


def _credentials(key):
    return {
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret,
        "SessionToken": key.token,
        "Expiration": time_text(key.expires),
    }


def _session_asked(p):
    name, seconds = p["RoleSessionName"], p.get("DurationSeconds", 3600)
    if not 2 <= len(name) <= 64 or not all(c.isalnum() or c in "_=,.@-" for c in name):
        raise _bad(f"Value '{name}' at 'roleSessionName' failed to satisfy constraint: [\\w+=,.@-]*")
    if seconds < 900 or seconds > 43200:
        raise _bad(f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: 900 to 43200")
    return name, seconds


def _session_of(world, arn, name, seconds, longest):
    if seconds > longest:
        raise ApiError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    session = world.role_session(arn, name, seconds)
    return {"Credentials": _credentials(session),
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn}}  # fmt: skip


def _by_token(world, _, p):
    """Whose token it is, another service says: nobody has signed the request."""
    name, seconds = _session_asked(p)
    token = world.identity_tokens.get(p["WebIdentityToken"])
    if token is None:
        raise ApiError("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider")
    if token["expires"] <= world.signature_time():
        raise ApiError("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
    role = world.roles.get(p["RoleArn"])
    if role is None or token["role"] != p["RoleArn"]:
        raise ApiError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
    answer = _session_of(world, p["RoleArn"], name, seconds, role["longest"])
    return dict(answer, SubjectFromWebIdentityToken=token["subject"], Provider="https://id.example.org",
                Audience="sts.amazonaws.com")  # fmt: skip


def _assume_role(world, key, p):
    name, seconds = _session_asked(p)
    role = world.roles.get(p["RoleArn"])
    # A role that is not there, and one that is not for us, are the same answer.
    if role is None or role["external_id"] != p.get("ExternalId", role["external_id"] and ""):
        raise ApiError(
            "AccessDenied",
            f"User: {key.arn} is not authorized to perform: sts:AssumeRole on resource: {p['RoleArn']}",
            403,
        )
    longest = 3600 if key.token and ":assumed-role/" in key.arn else role["longest"]
    return _session_of(world, p["RoleArn"], name, seconds, longest)


def _session_token(world, key, p):
    if key.token:
        raise ApiError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    seconds = p.get("DurationSeconds", 43200)
    if not 900 <= seconds <= 129600:
        raise _bad(f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: 900 to 129600")
    return {"Credentials": _credentials(world.session(key.arn, key.user_id, seconds))}


def ssm(world, key, target, body):
    """target: the header X-Amz-Target.  The name of the action, and its answer."""
    if target != "AmazonSSM.GetParameter":
        raise ApiError("UnknownOperationException", "")
    try:
        p = json.loads(body)
        if not isinstance(p, dict):
            raise ValueError
    except ValueError:
        raise ApiError("SerializationException", "") from None
    if set(p) - {"Name", "WithDecryption"} or not isinstance(p.get("Name"), str):
        raise ApiError(
            "ValidationException",
            "1 validation error detected: Name must be there, and nothing else but WithDecryption",
        )
    if world.denied("ssm", "GetParameter"):
        raise ApiError("AccessDeniedException", f"User: {key.arn} is not authorized to perform: ssm:GetParameter")
    name = p["Name"]
    if name not in world.parameters:
        raise ApiError("ParameterNotFound", "")
    # Unlike EC2's, these numbers and times are JSON's.
    return {"Parameter": {"Name": name, "Type": "String", "Value": world.parameters[name], "Version": 1,
                          "LastModifiedDate": round(world.now() - 86400, 3), "DataType": "text",
                          "ARN": f"arn:aws:ssm:{world.region}::parameter{name}"}}  # fmt: skip
