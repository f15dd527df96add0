"""Answers as XML: a dict is an element's content, a list becomes <item>s, None is left out."""

import datetime
from xml.sax.saxutils import escape

EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
STS = "https://sts.amazonaws.com/doc/2011-06-15/"


def time_text(seconds):
    t = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"


def _text(value):
    if value is True:
        return "true"
    if value is False:
        return "false"
    return escape(str(value))


def content(value):
    if isinstance(value, dict):
        return "".join(element(name, one) for name, one in value.items() if one is not None)
    if isinstance(value, list):
        return "".join(element("item", one) for one in value)
    return _text(value)


def element(name, value):
    inner = content(value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def _document(text):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode()


def ec2_answer(action, result, request_id):
    return _document(
        f'<{action}Response xmlns="{EC2}"><requestId>{request_id}</requestId>{content(result)}</{action}Response>'
    )


def ec2_error(error, request_id):
    return _document(f"<Response><Errors><Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
                     f"</Error></Errors><RequestID>{request_id}</RequestID></Response>")  # fmt: skip


def sts_answer(action, result, request_id):
    return _document(f'<{action}Response xmlns="{STS}"><{action}Result>{content(result)}</{action}Result>'
                     f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>")  # fmt: skip


def sts_error(error, request_id):
    side = "Sender" if error.status < 500 else "Receiver"
    return _document(f'<ErrorResponse xmlns="{STS}"><Error><Type>{side}</Type><Code>{escape(error.code)}</Code>'
                     f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId>"
                     "</ErrorResponse>")  # fmt: skip
