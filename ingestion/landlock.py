"""What a process may no longer do, by Linux's Landlock (5.13 and later): write files, open TCP connections,
signal other processes. Each kernel knows some of it; without Landlock nothing is forbidden.

Constants and layouts: linux/landlock.h. The C library has no functions for these system calls.
"""

import ctypes
import os
import struct
import sys
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38

_WRITE_FILE = 1 << 1
_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def forbid_writing(but_below: Path | None = None) -> bool:
    """From here on, for this process and those it starts: no writing but below a folder, no TCP, no signals to
    others. Cannot be undone. False where the system knows no such thing."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    version = library.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return False
    writing = _WRITE_FILE | _REMOVE_AND_MAKE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    fields = [writing]
    fields += [_TCP_BIND_AND_CONNECT] if version >= 4 else []
    fields += [_ABSTRACT_SOCKETS_AND_SIGNALS] if version >= 6 else []
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    rules = library.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        allowed = [(Path(os.devnull), writing & (_WRITE_FILE | _TRUNCATE))]
        allowed += [(but_below, writing)] if but_below else []
        for path, rights in allowed:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                if library.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, opened), 0) != 0:
                    return False
            finally:
                os.close(opened)
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(library.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)
