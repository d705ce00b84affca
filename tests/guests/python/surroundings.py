"""What is around a program: its files, variables, chance and time."""

import hashlib
import json
import os
import random
import secrets
import sys
import tempfile
import uuid
from pathlib import Path

IMPORTED_WITH = dict(os.environ)
SERVED = []

PLAIN = [("Content-Type", "application/json")]


def attempt(action):
    try:
        return action()
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def late():
    """Modules of the standard library and of a package that nothing imported so far."""
    import colorsys
    import werkzeug.middleware.proxy_fix  # noqa: F401

    return list(colorsys.rgb_to_hsv(1, 0, 0))


def temporary():
    with tempfile.TemporaryFile() as file:
        file.write(b"octets")
        file.seek(0)
        return file.read().decode()


def snapshot():
    """Whether references to what was imported are counted, and to what was not."""
    imported = (SERVED, PLAIN, late, late.__code__, late.__code__.co_consts, Path, SERVED.append.__self__)
    return [[sys._is_immortal(each) for each in imported], sys._is_immortal([])]


def app(environ, start_response):
    SERVED.append(1)
    seen = {
        "env": dict(os.environ),
        "env_at_import": IMPORTED_WITH,
        "random": random.random(),
        "uuid": [str(uuid.uuid1()), str(uuid.uuid4())],
        "secret": secrets.token_hex(8),
        "served": len(SERVED),
        "late": late(),
        "snapshot": snapshot(),
        "temporary": temporary(),
        "named": attempt(lambda: tempfile.NamedTemporaryFile().name),
        "own_file": attempt(lambda: Path(__file__).with_name("pyproject.toml").read_text().splitlines()[0]),
        "write": attempt(lambda: Path(__file__).with_name("new").write_text("x")),
        "passwd": attempt(lambda: Path("/etc/passwd").read_text()),
        "digest": hashlib.sha256(b"").hexdigest()[:8],
        "environ": {name: value for name, value in environ.items() if isinstance(value, (str, bool, tuple))},
    }
    print("to standard output")
    start_response("200 OK", PLAIN)
    return [json.dumps(seen).encode()]
