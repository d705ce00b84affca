"""The system's log: lines are printed to standard error, which is the app's log."""

import sys

LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG = range(8)
LOG_KERN, LOG_USER, LOG_MAIL, LOG_DAEMON, LOG_AUTH, LOG_SYSLOG, LOG_LPR, LOG_NEWS, LOG_UUCP, LOG_CRON = range(0, 80, 8)
LOG_AUTHPRIV = 80
LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7 = range(128, 192, 8)
LOG_PID, LOG_CONS, LOG_ODELAY, LOG_NDELAY, LOG_NOWAIT, LOG_PERROR = 1, 2, 4, 8, 16, 32

_mask = 0xFF
_ident = ""


def openlog(ident="", logoption=0, facility=LOG_USER):
    global _ident
    _ident = f"{ident}: " if ident else ""


def syslog(*args):
    priority, message = args if len(args) == 2 else (LOG_INFO, *args)
    if _mask & 1 << (priority & 7):
        print(f"{_ident}{message}", file=sys.stderr)


def closelog():
    openlog()


def setlogmask(maskpri, /):
    global _mask
    before = _mask
    if maskpri:
        _mask = maskpri
    return before


def LOG_MASK(pri, /):
    return 1 << pri


def LOG_UPTO(pri, /):
    return (1 << (pri + 1)) - 1
