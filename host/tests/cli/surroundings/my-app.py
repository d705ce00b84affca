"""What programs ask of their surroundings; each path answers `ok`, or what was there instead."""

import ast
import asyncio
import bz2
import concurrent.futures
import copy
import ctypes
import errno
import fcntl
import grp
import hashlib
import json
import lzma
import mmap
import multiprocessing
import os
import pathlib
import pickle
import pwd
import queue
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import zoneinfo

AT_IMPORT = hashlib.scrypt(b"", salt=b"", n=16, r=1, p=1, dklen=64).hex()
os.environ["SET_AT_IMPORT"] = "kept"
os.environ["GIVEN"] = "overwritten"


def refused(call, *said):
    try:
        call()
    except OSError as error:
        assert all(word in str(error) for word in said), error
        return
    raise AssertionError(f"{call} was done")


def keys():
    # RFC 7914, section 12, and RFC 6070.
    assert AT_IMPORT.startswith("77d6576238657b203b19ca42c18a0497"), AT_IMPORT
    key = hashlib.scrypt(b"pleaseletmein", salt=b"SodiumChloride", n=16384, r=8, p=1, dklen=64).hex()
    assert key.startswith("7023bdcb3afd7348461c06cd81fd38eb"), key
    key = hashlib.pbkdf2_hmac("sha1", b"password", b"salt", 4096, 20).hex()
    assert key == "4b007901b765489abead49d926f721d065a429c1", key
    for name in ("md5", "sha512", "SHA-256", "sha3_384", "blake2b"):
        assert hashlib.pbkdf2_hmac(name, b"p", b"s", 3), name
    for wrong in (
        lambda: hashlib.pbkdf2_hmac("rot13", b"p", b"s", 3),
        lambda: hashlib.pbkdf2_hmac("sha1", b"p", b"s", 0),
        lambda: hashlib.scrypt(b"p", salt=b"s", n=15, r=8, p=1),
        lambda: hashlib.scrypt(b"p", salt=b"s", n=1 << 20, r=8, p=1),
    ):
        try:
            wrong()
        except ValueError:
            continue
        raise AssertionError("it was derived")


def absent():
    context = ssl.create_default_context()
    assert context.verify_mode == ssl.CERT_REQUIRED and ssl.Purpose.CLIENT_AUTH.shortname == "clientAuth"
    refused(lambda: context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()), "OpenSSL")
    refused(socket.socket, "no network")
    refused(lambda: ctypes.CDLL("libc.so.6"), "native code")
    assert ctypes.c_int32(1 << 31).value == -(1 << 31) and ctypes.sizeof(ctypes.c_short * 3) == 6
    refused(lambda: ctypes.create_string_buffer(3), "native code")
    refused(lambda: multiprocessing.Process(target=print).start(), "one process")
    refused(lambda: multiprocessing.Lock(), "one process")
    refused(lambda: bz2.compress(b"x"), "native library")
    refused(lambda: lzma.compress(b"x"), "native library")
    refused(lambda: socket.create_connection(("example.com", 80)), "no network")
    refused(lambda: socket.create_connection(("127.0.0.1", 80)), "no network")
    assert pwd.getpwuid(os.getuid()).pw_dir == os.environ["HOME"] and grp.getgrgid(os.getgid())
    for call in (lambda: pwd.getpwnam("root"), lambda: grp.getgrnam("wheel")):
        try:
            call()
        except KeyError:
            continue
        raise AssertionError("there is such a one")


def files():
    with open("/data/mapped", "w+b") as file:
        file.write(b"0123456789")
        file.flush()
        with mmap.mmap(file.fileno(), 0) as mapped:
            assert mapped[2:5] == b"234" and mapped.find(b"7") == 7
            mapped[0:2] = b"ab"
        file.seek(0)
        assert file.read() == b"ab23456789"
        fcntl.flock(file, fcntl.LOCK_EX)
        assert os.path.isdir("/data/mapped.lock")
        fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert not os.path.exists("/data/mapped.lock")
        os.mkdir("/data/mapped.lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            assert error.errno == errno.EAGAIN
        else:
            raise AssertionError("another's lock was taken")
        os.rmdir("/data/mapped.lock")
    low = os.open("/data/low", os.O_RDWR | os.O_CREAT)
    fcntl.flock(low, fcntl.LOCK_EX)
    assert os.path.isdir("/data/low.lock")
    # A lock that is left is given back with the request.
    fcntl.flock(open("/data/left", "w"), fcntl.LOCK_EX)


def databases():
    asked = sqlite3.connect("file:shipped.db?mode=ro", uri=True)
    shipped = sqlite3.connect("shipped.db")
    for connection in (asked, shipped):
        assert connection.execute("SELECT * FROM t").fetchall() == [(7,)]
    try:
        shipped.execute("INSERT INTO t VALUES (8)")
    except sqlite3.OperationalError as error:
        assert "readonly" in str(error), error
    else:
        raise AssertionError("it was written to")
    open_one = sqlite3.connect("file:/data/own.db?vfs=unix-dotfile", uri=True)
    open_one.execute("CREATE TABLE IF NOT EXISTS t (x)")
    open_one.execute("INSERT INTO t VALUES (1)")
    # Neither committed nor closed: the end of the request does that.


def threads():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(threading.current_thread().name), name="in-line")
    thread.start()
    thread.join()
    assert seen == ["in-line"] and not thread.is_alive()
    assert threading.current_thread() is threading.main_thread()

    def worker(jobs=queue.Queue()):
        while True:
            jobs.get()

    threading.Thread(target=worker, name="worker").start()
    pinging = threading.Thread(target=lambda: [time.sleep(60) for _ in iter(int, 1)], daemon=True, name="pinging")
    pinging.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        assert list(pool.map(len, ["a", "bb"])) == [1, 2]
        assert isinstance(pool.submit(int, "x").exception(), ValueError)
    assert not threading.Event().wait(0.01)


def loops():
    async def one(number):
        await asyncio.sleep(0.001 * number)
        return number

    async def many():
        in_pool = asyncio.get_running_loop().run_in_executor(None, len, "abc")
        return await asyncio.gather(one(2), one(1), in_pool)

    assert asyncio.run(many()) == [2, 1, 3]


class Lazy:
    """As Django's lazy objects are: to look at its class is to make it."""

    @property
    def __class__(self):
        raise LookupError("it was looked at")


LAZY = Lazy()
for line in range(500):
    print(f"line {line} of what is printed while it is built", file=sys.stderr)


def printed():
    print("a line that is long: " + "x" * 6000 + " and has an end", file=sys.stderr)


def world():
    assert os.getcwd() == os.path.dirname(__file__) and open("shipped.txt").read() == "shipped"
    assert os.environ["SET_AT_IMPORT"] == "kept" and os.environ["GIVEN"] == "by the server"
    assert pathlib.Path.home() == pathlib.Path(os.environ["HOME"])
    for name in ("UTC", "Europe/Berlin", "America/Argentina/Ushuaia"):
        zoneinfo.ZoneInfo(name)
    assert os.umask(0o077) == 0o022 and os.umask(0o022) == 0o077
    for flags in (0, os.O_RDONLY):
        os.close(os.open(".", flags))
    assert shutil.disk_usage(".").free > 0
    for program in (["git", "--version"], "git"):
        try:
            subprocess.run(program)
        except FileNotFoundError as error:
            assert error.filename == "git", error
        else:
            raise AssertionError("a program was run")


def recursion():
    def nested(depth):
        thing = []
        for _ in range(depth):
            thing = [thing]
        return thing

    def sorting(depth):
        return sorted([1], key=lambda _: sorting(depth - 1) if depth else 0) and 1

    for deep in (
        lambda: json.loads("[" * 100_000),
        lambda: repr(nested(100_000)),
        lambda: copy.deepcopy(nested(10_000)),
        lambda: pickle.dumps(nested(100_000)),
        lambda: sorting(10_000),
    ):
        try:
            deep()
        except RecursionError:
            continue
        raise AssertionError("it was not deep enough")
    try:
        ast.literal_eval("[" * 100_000)
    except (RecursionError, MemoryError, SyntaxError):
        pass
    assert json.loads("[" * 900 + "]" * 900) and sorting(90)


def large(start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    block = b"x" * (1 << 20)
    return (block for _ in range(600))


ASKED = {f"/{ask.__name__}": ask for ask in (keys, absent, files, databases, threads, loops, world, recursion, printed)}


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/large":
        return large(start_response)
    if path == "/left":
        return _left(start_response)
    if path in ASKED:
        ASKED[path]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def _left(start_response):
    left = [name for name in os.listdir("/data") if name.endswith(".lock")]
    rows = sqlite3.connect("/data/own.db").execute("SELECT count(*) FROM t").fetchall()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{left} {rows}".encode()]
