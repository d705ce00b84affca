#!/usr/bin/env python3
import hello_words

print("Content-Type: text/html; charset=utf-8\r\n\r\n", end="")
print(hello_words.TEXT, __name__)
