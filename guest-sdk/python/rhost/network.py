"""The network, which no sandbox has: what asks for it is told so."""

import errno
import socket

_WHY = "a sandbox has no network yet; ask a service beside the app by what it is lent, or fetch it before and lend the file"


def install():
    """Called once, before the application is imported."""
    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname
    make = socket.socket.__init__

    def __init__(self, *args, **kwargs):
        try:
            make(self, *args, **kwargs)
        except PermissionError:
            raise OSError(errno.ENETUNREACH, f"socket(): {_WHY}") from None

    # Named where nobody asks for one, in a check of an address's kind.
    if not hasattr(socket, "AF_UNIX"):
        socket.AF_UNIX = 1
    socket.socket.__init__ = __init__
    socket.socket.connect = _connect
    socket.socket.connect_ex = lambda self, address: errno.ENETUNREACH
    socket.socketpair = _no_pair


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """Addresses that are numbers need no network; names are not looked up."""
    number = 0 if port is None else int(port) if str(port).isdigit() else 0
    if isinstance(host, bytes):
        host = host.decode("ascii")
    if host in (None, "", "localhost"):
        host = "127.0.0.1"
    if host.replace(".", "").isdigit() and host.count(".") == 3:
        return [(socket.AF_INET, type or socket.SOCK_STREAM, proto or 6, "", (host, number))]
    raise socket.gaierror(socket.EAI_FAIL if hasattr(socket, "EAI_FAIL") else errno.ENETUNREACH, f"{host}: {_WHY}")


def gethostbyname(hostname):
    return getaddrinfo(hostname, None)[0][4][0]


def _connect(self, address):
    raise OSError(errno.ENETUNREACH, f"{address}: {_WHY}")


def _no_pair(*args, **kwargs):
    raise OSError(errno.ENOSYS, "socketpair(): a sandbox has no sockets")
