"""Fetches gunicorn's corpus of requests, and prints its cases as JSON.

    python3 gunicorn_corpus.py DIRECTORY

The directory keeps the source distribution from one run to the next. Octets are
printed as text in ISO 8859-1. Exits with 75 (try again later) when the corpus
cannot be fetched.
"""

import fcntl
import json
import pathlib
import re
import runpy
import subprocess
import sys
import tarfile
import types

VERSION = "27.0.1"
NOT_FETCHED = 75

# What the corpus writes for octets that an editor would spoil. Ends of lines in
# the files are no part of the cases.
ESCAPES = {b"\\r\\n": b"\r\n", b"\\0": b"\0", b"\\n": b"\n", b"\\t": b"\t"}


def fetch(directory):
    archive = directory / f"gunicorn-{VERSION}.tar.gz"
    if not archive.exists():
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        options = ["--no-deps", "--no-binary", ":all:", "--dest", str(directory)]
        command = pip + ["download", f"gunicorn=={VERSION}"] + options
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
            sys.exit(NOT_FETCHED)
    source = directory / f"gunicorn-{VERSION}"
    if not source.exists():
        with tarfile.open(archive) as files:
            # What is in it becomes whole at once, or not at all.
            part = directory / "part"
            files.extractall(part)
            (part / source.name).rename(source)
    return source


def octets(data):
    data = data.replace(b"\n", b"")
    for escape, meant in ESCAPES.items():
        data = data.replace(escape, meant)
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda hex: bytes([int(hex[1], 16)]), data)


def split(raw):
    """A target as gunicorn's own tests take it apart."""
    path, _, fragment = raw.partition("#")
    path, _, query = path.partition("?")
    if "://" in path:
        rest = path.split("://", 1)[1]
        path = rest[rest.index("/"):] if "/" in rest else ""
    return {"raw": raw, "path": path, "query": query}


class Config:
    """The settings of gunicorn that a case asks for; they are not ours."""

    def set(self, name, value):
        pass


def expected(case):
    """The requests that a valid case has."""
    # The cases import gunicorn for its settings and for names of its errors.
    for name in ["gunicorn", "gunicorn.config", "gunicorn.http", "gunicorn.http.errors"]:
        module = types.ModuleType(name)
        module.Config = Config
        module.__getattr__ = lambda name: name
        sys.modules[name] = module
    names = runpy.run_path(str(case), {"uri": split, "cfg": Config()})
    requests = names["request"]
    return list(map(plain, requests if isinstance(requests, list) else [requests]))


def plain(request):
    body = request["body"]
    return {
        "method": request["method"],
        "uri": request["uri"],
        "version": "HTTP/%d.%d" % request["version"],
        "headers": request["headers"],
        "body": body.decode("latin-1") if isinstance(body, bytes) else body,
    }


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    # Two tests may want it at once.
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        corpus = fetch(directory) / "tests" / "requests"
    cases = []
    for kind in ["invalid", "valid"]:
        for file in sorted((corpus / kind).glob("*.http")):
            text = octets(file.read_bytes()).decode("latin-1")
            case = {"name": f"{kind}/{file.stem}", "octets": text}
            if kind == "valid":
                case["requests"] = expected(file.with_suffix(".py"))
            cases.append(case)
    json.dump(cases, sys.stdout)


main()
