"""Terminals, of which a sandbox has none."""

import errno

error = OSError
ECHO, ICANON, ISIG, IXON = 8, 2, 1, 0x400
TCSANOW, TCSADRAIN, TCSAFLUSH = 0, 1, 2
TCIFLUSH, TCOFLUSH, TCIOFLUSH = 0, 1, 2
VMIN, VTIME, VEOF, VINTR = 6, 5, 4, 0
BRKINT, ICRNL, INPCK, ISTRIP, OPOST, CSIZE, PARENB, CS8, IEXTEN = 2, 0x100, 16, 32, 1, 48, 0x100, 48, 0x8000
TIOCGWINSZ, TIOCSWINSZ, FIONREAD = 0x5413, 0x5414, 0x541B


def _none(*args):
    raise OSError(errno.ENOTTY, "a sandbox has no terminal")


tcgetattr = tcsetattr = tcsendbreak = tcdrain = tcflush = tcflow = tcgetwinsize = tcsetwinsize = _none
