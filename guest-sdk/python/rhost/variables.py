"""The environ: PEP 3333's dictionary from the gateway's record.

Native strings hold octets, a character each (ISO 8859-1), whatever the octets
mean; PEP 3333 calls them bytes-as-unicode.
"""

from wsgiref.util import FileWrapper


def environ(record, body, errors):
    """The variables of one request, with what PEP 3333 puts beside CGI's."""
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": record.request_method,
        "SCRIPT_NAME": native(record.script_name),
        "PATH_INFO": record.path_info.decode("latin-1"),
        "QUERY_STRING": native(record.query_string),
        "REQUEST_URI": native(record.request_uri),
        "RAW_URI": native(record.request_uri),
        "SERVER_NAME": native(record.server_name),
        "SERVER_PORT": str(record.server_port),
        "SERVER_PROTOCOL": record.server_protocol,
        "SERVER_SOFTWARE": record.server_software,
        "REMOTE_ADDR": record.remote_addr,
        "REMOTE_PORT": str(record.remote_port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": record.url_scheme,
        "wsgi.input": body,
        # The body ends by itself, with or without a Content-Length.
        "wsgi.input_terminated": True,
        "wsgi.errors": errors,
        "wsgi.multithread": record.multithread,
        "wsgi.multiprocess": record.multiprocess,
        "wsgi.run_once": record.run_once,
        "wsgi.file_wrapper": FileWrapper,
        "rhost.request_id": record.request_id,
    }
    if record.content_type is not None:
        variables["CONTENT_TYPE"] = native(record.content_type)
    if record.content_length is not None:
        variables["CONTENT_LENGTH"] = str(record.content_length)
    for name, value in record.headers:
        key = "HTTP_" + name.upper().replace("-", "_")
        value = value.decode("latin-1")
        before = variables.get(key)
        if before is not None:
            value = before + ("; " if name == "cookie" else ", ") + value
        variables[key] = value
    for name, value in record.extensions:
        # What the server adds never hides what the contract says.
        variables.setdefault(name, native(value))
    return variables


def native(text):
    """Text as the native string of its octets."""
    return text if text.isascii() else text.encode("utf-8").decode("latin-1")
