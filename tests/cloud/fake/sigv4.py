"""Signature Version 4, checked: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html

Each service words the same refusal in its own way; the tables below are those words."""

import calendar
import hashlib
import hmac
import re
import time

from .errors import ApiError

WINDOW_SECONDS = 15 * 60
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
UNKNOWN_KEY = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "sts": ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
    "ssm": ("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
}
TOKEN_EXPIRED = {
    "ec2": ("RequestExpired", "Request has expired.", 400),
    "sts": ("ExpiredToken", "The security token included in the request is expired", 403),
    "ssm": ("ExpiredTokenException", "The security token included in the request is expired", 400),
}
BAD_SIGNATURE = {
    "ec2": ("SignatureDoesNotMatch", 403), "sts": ("SignatureDoesNotMatch", 403), "ssm": ("InvalidSignatureException", 400),
}  # fmt: skip
for _errors in (UNKNOWN_KEY, TOKEN_EXPIRED, BAD_SIGNATURE):
    _errors["pricing"] = _errors["ssm"]


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, scope, stamp, canonical):
    """scope: "20260101/us-east-1/ec2/aws4_request"; canonical: the request as the specification writes it."""
    key = ("AWS4" + secret).encode()
    for word in scope.split("/"):
        key = _hmac(key, word)
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    return _hmac(key, text).hex()


def canonical_request(method, path, query, headers, signed, body):
    """headers: {lower-case name: [values]}.  Paths and queries of ours need no escaping: other ones are refused."""
    lines = [f"{name}:{','.join(' '.join(v.split()) for v in headers[name])}\n" for name in signed]
    return "\n".join((method, path, query, "".join(lines), ";".join(signed), hashlib.sha256(body).hexdigest()))


def service_of(headers):
    """The service that a request says it is for, before anything is checked."""
    m = AUTHORIZATION.fullmatch(headers.get("authorization", [""])[0])
    return m.group(4) if m else None


def verify(method, path, query, headers, body, service, region, keys, now):
    """The credentials (from `keys`, {id: credentials}) that the request is signed with, or ApiError."""

    def refuse(text):
        code, status = BAD_SIGNATURE[service]
        raise ApiError(code, text, status)

    given = headers.get("authorization", [])
    if not given:
        raise ApiError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    m = AUTHORIZATION.fullmatch(given[0])
    if not m or len(given) > 1:
        raise ApiError("IncompleteSignature", f"The Authorization header is not complete: {given}", 400)
    key_id, day, its_region, its_service, signed, theirs = m.groups()
    signed = signed.split(";")
    if signed != sorted(set(signed)) or "host" not in signed:
        refuse("SignedHeaders must be sorted and contain host")
    for name, values in headers.items():
        if name.startswith("x-amz-") and name not in signed:
            refuse(f"The header {name} is not signed")
        if (name.startswith("x-amz-") or name in ("host", "content-type", "content-length")) and len(values) > 1:
            refuse(f"The header {name} is there {len(values)} times")
    for name in signed:
        if name not in headers:
            refuse(f"The header {name} is signed but was not sent")
    key = keys.get(key_id)
    if key is None:
        raise ApiError(*UNKNOWN_KEY[service])
    if its_service != service:
        refuse(f"Credential should be scoped to correct service: '{service}'.")
    if its_region != region:
        if service == "ec2":
            raise ApiError(*UNKNOWN_KEY["ec2"])
        refuse(f"Credential should be scoped to a valid region, not '{its_region}'.")
    stamp = headers.get("x-amz-date", [""])[0]
    if "x-amz-date" not in signed or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        raise ApiError("IncompleteSignature", "Authorization header requires existence of 'X-Amz-Date'", 400)
    if stamp[:8] != day:
        refuse(f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {day} != {stamp}")
    _check_clock(stamp, service, now, refuse)
    token = headers.get("x-amz-security-token", [None])[0]
    if key.token != token:
        raise ApiError(*UNKNOWN_KEY[service])
    content = headers.get("x-amz-content-sha256", [None])[0]
    if content is not None and content != hashlib.sha256(body).hexdigest():
        refuse("The X-Amz-Content-Sha256 header is not that of the body")
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = canonical_request(method, path, query, headers, signed, body)
    if not hmac.compare_digest(signature(key.secret, scope, stamp, canonical), theirs):
        refuse("The request signature we calculated does not match the signature you provided. Check your AWS Secret "
               f"Access Key and signing method.\nThe Canonical String for this request should have been\n'{canonical}'")  # fmt: skip
    if key.expires is not None and now >= key.expires:
        raise ApiError(*TOKEN_EXPIRED[service])
    return key


def _check_clock(stamp, service, now, refuse):
    then = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    if abs(now - then) <= WINDOW_SECONDS:
        return
    # EC2 says "expired" of the past, and of the future only that it cannot tell who that is.
    if service == "ec2":
        raise ApiError(*(TOKEN_EXPIRED if then < now else UNKNOWN_KEY)["ec2"])
    here = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    if then < now:
        refuse(f"Signature expired: {stamp} is now earlier than the limit ({here} - 15 min.)")
    refuse(f"Signature not yet current: {stamp} is still later than the limit ({here} + 15 min.)")
