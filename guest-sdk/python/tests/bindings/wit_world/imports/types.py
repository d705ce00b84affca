"""As componentize-py generates it, cut down to what the adapter uses."""

from dataclasses import dataclass
from typing import Any, Optional


@dataclass
class Environ:
    request_method: str
    script_name: str
    path_info: bytes
    query_string: str
    request_uri: str
    content_type: Optional[str]
    content_length: Optional[int]
    server_name: str
    server_port: int
    server_protocol: str
    server_software: str
    url_scheme: str
    remote_addr: str
    remote_port: int
    headers: list
    multithread: bool
    multiprocess: bool
    run_once: bool
    request_id: str
    extensions: list


@dataclass
class ExcInfo:
    kind: str
    message: str
    traceback: str


@dataclass
class StartError_AlreadyStarted:
    pass


@dataclass
class StartError_HeadersSent:
    pass


@dataclass
class StartError_HeadersTooLarge:
    value: int


@dataclass
class InputError_Incomplete:
    pass


@dataclass
class InputError_TooLarge:
    value: int


@dataclass
class InputError_TimedOut:
    pass


@dataclass
class OutputError_Closed:
    pass


@dataclass
class OutputError_TooLarge:
    value: int


@dataclass
class OutputError_Superseded:
    pass


@dataclass
class Failure_Exception:
    value: ExcInfo


@dataclass
class Failure_Input:
    value: Any


@dataclass
class Failure_Output:
    value: Any
