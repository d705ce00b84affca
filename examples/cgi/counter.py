#!/usr/bin/env python3
"""A guest counter, as CGI had them: it prints a page, and counts in an SQLite file."""

import os
import sqlite3
from contextlib import closing
from html import escape

DATABASE = os.environ.get("COUNTER_DATABASE", "/data/counter.db")


def count(page):
    """One more visit to `page`; says how many there were."""
    with closing(sqlite3.connect(DATABASE, timeout=30)) as database, database:
        # From here to the end nobody else writes, so none is counted twice and none is lost.
        database.execute("BEGIN IMMEDIATE")
        database.execute("CREATE TABLE IF NOT EXISTS visits (page TEXT PRIMARY KEY, number INTEGER NOT NULL)")
        row = database.execute(
            "INSERT INTO visits VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number", [page]
        )
        return row.fetchone()[0]


page = os.environ.get("PATH_INFO") or "/"
number = count(page)

print("Content-Type: text/html; charset=utf-8")
print("Cache-Control: no-store")
print()
print(f"""<!doctype html>
<html lang="en">
<title>A guest counter</title>
<h1>You are visitor number {number} of {escape(page)}.</h1>""")
