"""Memory that processes share. There is one process."""

from rhost.absent import refusing

_WHY = "a sandbox shares its memory with nobody; share by a file in a directory that is lent"

shm_open = refusing("shm_open", _WHY)
shm_unlink = refusing("shm_unlink", _WHY)
