"""Packages with native code: what brings the same in pure Python, as far as anything does.

componentize-py links extensions that were built for WebAssembly with position-independent
code (`_kdf.abi3.so` is one); nobody publishes such wheels, so a package whose native part
has no fallback cannot be used.
"""

import importlib.machinery

# By the module that is imported.
INSTEAD = {
    "MySQLdb": "PyMySQL, with pymysql.install_as_MySQLdb()",
    "PIL": "an image service beside the app; nothing in pure Python does the same",
    "argon2": "hashlib.scrypt, as werkzeug.security and Django's ScryptPasswordHasher use it",
    "asyncpg": "pg8000",
    "bcrypt": "hashlib.scrypt, as werkzeug.security and Django's ScryptPasswordHasher use it",
    "brotli": "gzip",
    "cryptography": "hmac and secrets of the standard library, or the package rsa; PyJWT signs by HS256 without it",
    "gevent": "nothing: each request has an instance of its own",
    "greenlet": "nothing: SQLAlchemy needs it for its asyncio part alone",
    "lxml": "xml.etree.ElementTree with defusedxml, or html5lib",
    "msgspec": "dataclasses and json",
    "nacl": "hmac and secrets of the standard library",
    "numpy": "array, statistics and math of the standard library",
    "orjson": "json",
    "pandas": "csv and sqlite3 of the standard library",
    "psycopg": "pg8000",
    "psycopg2": "pg8000",
    "pydantic_core": "pydantic 1 (pydantic<2), whose wheel py3-none-any is pure Python",
    "regex": "re",
    "rpds": "jsonschema<4.18, which does not need it",
    "ujson": "json",
    "zstandard": "gzip",
}


def install():
    """Called once, before the application is imported.

    An extension that was built for another machine is as good as not there: packages that
    can do without it catch ModuleNotFoundError, and not each other ImportError.
    """
    loader = importlib.machinery.ExtensionFileLoader
    create = loader.create_module

    def create_module(self, spec):
        try:
            return create(self, spec)
        except ImportError:
            raise ModuleNotFoundError(
                f"the native extension {spec.name} cannot run in a sandbox", name=spec.name, path=self.path
            ) from None

    loader.create_module = create_module
