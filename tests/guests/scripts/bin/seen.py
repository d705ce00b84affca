"""What a script sees."""
import json
import os
import sys

print("Content-Type: application/json\n")
print(json.dumps({
    "env": dict(os.environ),
    "argv": sys.argv[1:],
    "cwd": os.listdir(),
    "body": sys.stdin.buffer.read().decode("latin-1"),
    "own": open("hello_words.py", encoding="utf-8").read(),
}))
