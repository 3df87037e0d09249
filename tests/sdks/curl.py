"""curl, as far as the guide uses it, for machines that have none."""

import sys
from pathlib import Path

import httpx


def main(arguments: list[str]) -> None:
    method, url, headers, data, form, files, shows_headers, is_silent = "", "", {}, None, {}, {}, False, False
    while arguments:
        argument = arguments.pop(0)
        if argument == "-X":
            method = arguments.pop(0)
        elif argument == "-H":
            name, _, value = arguments.pop(0).partition(":")
            headers[name] = value.strip()
        elif argument == "-d":
            data = arguments.pop(0)
        elif argument == "-F":
            name, _, value = arguments.pop(0).partition("=")
            if value.startswith("@"):
                files[name] = (value[1:], Path(value[1:]).read_bytes())
            else:
                form[name] = value
        elif argument == "-D":
            shows_headers = arguments.pop(0) == "-"
        elif argument == "-o":
            is_silent = arguments.pop(0) == "/dev/null"
        elif argument != "-s":
            url = argument
    method = method or ("POST" if data is not None or files or form else "GET")
    answer = httpx.request(
        method, url, headers=headers, content=data, data=form or None, files=files or None, timeout=60
    )
    if shows_headers:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in answer.headers.items()))
    if not is_silent:
        sys.stdout.write(answer.text + "\n")


main(sys.argv[1:])
