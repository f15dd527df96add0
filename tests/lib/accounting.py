"""Which programs were started meanwhile, how often, and what they took: the kernel's own process accounting (acct(5))."""

import collections
import ctypes
import pathlib
import struct

FILE = pathlib.Path("/run/accounting")
RECORD = struct.Struct("<BBHIIIIIIfHHHHHHHH16s")
HERTZ = 100  # AHZ, whatever the kernel's
FORKED_ONLY = 1  # it never ran a program of its own
libc = ctypes.CDLL(None, use_errno=True)


def begin():
    FILE.write_bytes(b"")
    if libc.acct(bytes(FILE)) != 0:
        raise OSError(ctypes.get_errno(), "acct")


def end():
    """{name of the program: how many have ended since begin()}"""
    libc.acct(None)
    return collections.Counter(name for name, fields in records() if not fields[0] & FORKED_ONLY)


def processor_time():
    """{name of the program: seconds of processors, user's and system's, of all that ended between begin() and end()}"""
    found = collections.Counter()
    for name, fields in records():
        found[name] += sum((number & 0x1FFF) << (3 * (number >> 13)) for number in fields[10:12]) / HERTZ
    return found


def records():
    for fields in RECORD.iter_unpack(FILE.read_bytes()):
        yield fields[-1].split(b"\0")[0].decode(), fields
