"""Who is let in: signatures, clocks, tokens, permissions."""

import json
import subprocess
import sys
import time

import botocore.exceptions
import botocore.session
import pytest
from conftest import ask, client, post, signed
from fake import sigv4
from fake.imds import CONTAINER_TOKEN

IDENTITY = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]
REGIONS = [("Action", "DescribeInstances"), ("Version", "2016-11-15")]
PARAMETER = json.dumps({"Name": "/aws/service/debian/release/13/latest/arm64"})
SSM = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.GetParameter"}

# AWS's published examples: (headers, body) → signature.
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
STAMP = "20150830T123600Z"
PUBLISHED = {
    "get-vanilla": ("GET", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "post-vanilla": ("POST", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-x-www-form-urlencoded": ("POST", {"content-type": ["application/x-www-form-urlencoded"]}, b"Param1=value1",
                                   "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    "get-header-value-trim": ("GET", {"my-header1": [" value1"], "my-header2": [' "a   b   c"']}, b"",
                              "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_examples(name):
    method, more, body, wanted = PUBLISHED[name]
    headers = {"host": ["example.amazonaws.com"], "x-amz-date": [STAMP], **more}
    canonical = sigv4.canonical_request(method, "/", "", headers, sorted(headers), body)
    assert sigv4.signature(SECRET, "20150830/us-east-1/service/aws4_request", STAMP, canonical) == wanted


def test_good_ones(fake):
    assert post(fake, *signed(fake, IDENTITY, "sts"))[0] == 200
    assert post(fake, *signed(fake, REGIONS))[0] == 200
    assert post(fake, *signed(fake, [], "ssm", headers=SSM, body=PARAMETER))[0] == 200


def test_a_change_on_the_way(fake):
    headers, body = signed(fake, REGIONS)
    assert post(fake, headers, body + "&MaxResults=5")[:2] == (403, "SignatureDoesNotMatch")
    for name, value in (("X-Amz-Date", headers["X-Amz-Date"][:-2] + "0Z"), ("Content-Type", "text/plain")):
        if headers[name] != value:
            assert post(fake, {**headers, name: value}, body)[:2] == (403, "SignatureDoesNotMatch")
    assert post(fake, {**headers, "Host": "ec2.us-east-1.amazonaws.com"}, body)[:2] == (403, "SignatureDoesNotMatch")
    last = "0" if headers["Authorization"][-1] != "0" else "1"
    assert (
        post(fake, {**headers, "Authorization": headers["Authorization"][:-1] + last}, body)[1]
        == "SignatureDoesNotMatch"
    )
    assert post(fake, headers, body, path="/x")[1] == "InvalidAction"


def test_headers_that_are_not_signed_or_twice(fake):
    headers, body = signed(fake, REGIONS)
    assert post(fake, {**headers, "X-Amz-Extra": "1"}, body)[1] == "SignatureDoesNotMatch"
    assert post(fake, {**headers, "X-Amz-Date": [headers["X-Amz-Date"]] * 2}, body)[1] == "SignatureDoesNotMatch"
    assert post(fake, {k: v for k, v in headers.items() if k != "Content-Type"}, body)[1] == "SignatureDoesNotMatch"
    assert (
        post(fake, {k: v for k, v in headers.items() if k != "Authorization"}, body)[1] == "MissingAuthenticationToken"
    )
    assert (
        post(fake, {**headers, "Authorization": "AWS4-HMAC-SHA256 Credential=x"}, body)[1]
        == "MissingAuthenticationToken"
    )


@pytest.mark.parametrize("service,pairs", [("ec2", REGIONS), ("sts", IDENTITY)])
def test_region_and_day(fake, service, pairs):
    wanted = {"ec2": (401, "AuthFailure"), "sts": (403, "SignatureDoesNotMatch")}[service]
    assert post(fake, *signed(fake, pairs, service, region="eu-west-1"))[:2] == wanted


@pytest.mark.parametrize("service,unknown,wrong", [
    ("ec2", (401, "AuthFailure"), (403, "SignatureDoesNotMatch")),
    ("sts", (403, "InvalidClientTokenId"), (403, "SignatureDoesNotMatch")),
    ("ssm", (400, "UnrecognizedClientException"), (400, "InvalidSignatureException"))])  # fmt: skip
def test_keys(fake, service, unknown, wrong):
    class Key:
        id, secret, token = "AKIAIOSFAKE000000009", "x", None

    def request(key):
        more = {"headers": SSM, "body": PARAMETER} if service == "ssm" else {}
        return signed(fake, {"ec2": REGIONS, "sts": IDENTITY, "ssm": []}[service], service, key=key, **more)

    assert post(fake, *request(Key))[:2] == unknown
    Key.id = fake.world.root_key.id
    assert post(fake, *request(Key))[:2] == wrong


@pytest.mark.parametrize(
    "seconds,ec2_says", [(-890, None), (890, None), (-910, "RequestExpired"), (910, "AuthFailure")]
)
def test_clock(fake, seconds, ec2_says):
    at = time.time() + seconds
    assert post(fake, *signed(fake, REGIONS, at=at))[1] == ec2_says
    status, code, text = post(fake, *signed(fake, IDENTITY, "sts", at=at))
    assert code == (ec2_says and "SignatureDoesNotMatch")
    if code:
        assert ("Signature expired" if seconds < 0 else "Signature not yet current") in text
    code = post(fake, *signed(fake, [], "ssm", headers=SSM, body=PARAMETER, at=at))[1]
    assert code == (ec2_says and "InvalidSignatureException")


def test_the_server_clock_is_in_its_answer(make_fake):
    fake = make_fake(clock_ahead=3600)
    with pytest.raises(botocore.exceptions.ClientError) as e:
        client(fake).describe_instances()
    assert e.value.response["Error"]["Code"] == "RequestExpired"
    from email.utils import parsedate_to_datetime

    date = parsedate_to_datetime(e.value.response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert abs(date.timestamp() - time.time() - 3600) < 5
    assert post(fake, *signed(fake, REGIONS, at=time.time() + 3600))[0] == 200


def test_session_tokens(fake):
    world = fake.world
    key = world.role_session(world.add_role("r"), "me", 900)
    assert client(fake, "sts", key).get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/r/me"
    # The token is part of the credentials: neither without it, nor with another one.
    for token in (None, key.token + "x", ""):
        wrong = type("Key", (), {"id": key.id, "secret": key.secret, "token": token})
        assert post(fake, *signed(fake, REGIONS, key=wrong))[:2] == (401, "AuthFailure")
    key.expires = time.time() - 1
    assert post(fake, *signed(fake, REGIONS, key=key))[:2] == (400, "RequestExpired")
    assert post(fake, *signed(fake, IDENTITY, "sts", key=key))[:2] == (403, "ExpiredToken")
    assert post(fake, *signed(fake, [], "ssm", key=key, headers=SSM, body=PARAMETER))[:2] == (
        400,
        "ExpiredTokenException",
    )


def test_assume_role(fake):
    sts = client(fake, "sts")
    arn = fake.world.add_role("outer", external_id="secret")

    def code(**parameters):
        with pytest.raises(botocore.exceptions.ClientError) as e:
            sts.assume_role(**{"RoleArn": arn, "RoleSessionName": "me", **parameters})
        return e.value.response["Error"]["Code"]

    assert code() == "AccessDenied"
    assert code(ExternalId="other") == "AccessDenied"
    assert code(RoleArn=arn + "x") == "AccessDenied"
    assert code(ExternalId="secret", DurationSeconds=3601) == "ValidationError"
    words = {"RoleArn": arn, "RoleSessionName": "me", "ExternalId": "secret"}
    assert ask(fake, "AssumeRole", service="sts", DurationSeconds="899", **words)[:2] == (400, "ValidationError")
    assert code(ExternalId="secret", RoleSessionName="a b") == "ValidationError"
    key = sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="secret", DurationSeconds=900)["Credentials"]
    assert 890 < key["Expiration"].timestamp() - time.time() < 901


def test_permissions(fake, ec2):
    fake.settings.deny = ["ec2:CreateVolume", "ssm:GetParameter", "sts:AssumeRole"]
    with pytest.raises(
        botocore.exceptions.ClientError, match="UnauthorizedOperation.*not authorized to perform: ec2:CreateVolume"
    ):
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    # Also when it is only asked whether.
    assert ask(fake, "CreateVolume", DryRun="true", AvailabilityZone="us-east-1a", Size="1")[:2] == (
        403,
        "UnauthorizedOperation",
    )
    assert ask(fake, "DeleteVolume", DryRun="true", VolumeId="vol-00000000")[:2] == (412, "DryRunOperation")
    fake.settings.deny = ["ec2:CreateTags"]
    with pytest.raises(botocore.exceptions.ClientError, match="ec2:CreateTags"):
        ec2.create_volume(AvailabilityZone="us-east-1a", Size=1,
                          TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}])  # fmt: skip
    assert ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["Size"] == 1
    assert len(fake.world.volumes) == 1


def identity(fake, **env):
    """Who botocore's own chain of credentials says we are."""
    program = ("import botocore.session as s; c = s.Session().create_client('sts', endpoint_url='%s'); "
               "print(c.get_caller_identity()['Arn'])" % fake.endpoint)  # fmt: skip
    clean = fake.env()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del clean[name]
    done = subprocess.run(
        [sys.executable, "-c", program], env={**clean, **env}, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip() or done.stderr


def test_instance_credentials_by_botocore(fake):
    assert identity(fake) == "arn:aws:sts::123456789012:assumed-role/instance/i-0123456789abcdef0"
    fake.world.imds["role"] = None
    assert "NoCredentialsError" in identity(fake)


def test_container_credentials_by_botocore(fake):
    # Only loopback addresses may be asked without TLS: ours is one.
    url = f"{fake.imds_url}/v2/credentials/instance"
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": CONTAINER_TOKEN}
    assert identity(fake, **env) == "arn:aws:sts::123456789012:assumed-role/instance/i-0123456789abcdef0"
    env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "wrong"
    assert "MetadataRetrievalError" in identity(fake, **env) or "CredentialRetrievalError" in identity(fake, **env)


def test_metadata_without_its_token(fake):
    import http.client

    def ask(method, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", fake.imds.port, timeout=20)
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    assert ask("GET", "/latest/meta-data/instance-id")[0] == 401
    assert ask("PUT", "/latest/api/token")[0] == 400
    assert ask("PUT", "/latest/api/token", X_aws_ec2_metadata_token_ttl_seconds="21601")[0] == 400
    ttl, token = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}, "X_aws_ec2_metadata_token"
    assert ask("PUT", "/latest/api/token", X_Forwarded_For="192.0.2.1", **ttl)[0] == 403
    given = ask("PUT", "/latest/api/token", **ttl)[1]
    assert ask("GET", "/latest/meta-data/instance-id", **{token: given}) == (200, "i-0123456789abcdef0")
    assert ask("GET", "/latest/meta-data/iam/security-credentials/", **{token: given}) == (200, "instance")
    assert ask("GET", "/latest/meta-data/iam/security-credentials/other", **{token: given})[0] == 404
    assert ask("GET", "/latest/meta-data/spot/instance-action", **{token: given})[0] == 404
    fake.world.imds_tokens[given] = time.time() - 1
    assert ask("GET", "/latest/meta-data/instance-id", **{token: given})[0] == 401
