"""Writes a wheel of the program: wheel.py OUT VERSION TAG TORCH DARTS LICENSE.

The wheel has the program, a module that replaces Python by it, and a command that calls that.
The same arguments give the same bytes: times are SOURCE_DATE_EPOCH.
"""

import base64
import hashlib
import os
import sys
import time
import zipfile

out, version, tag, torch, darts, licence = sys.argv[1:]
info = f"godarts-{version}.dist-info"


def read(path):
    with open(path, "rb") as f:
        return f.read()


module = '''"""The program darts, which is not written in Python. It uses the libtorch of the package torch."""

import os
import sys

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "darts")


def main():
    """Replaces this process by the program."""
    os.execv(PROGRAM, [PROGRAM, *sys.argv[1:]])
'''
metadata = f"""Metadata-Version: 2.1
Name: godarts
Version: {version}
Summary: Differentiable architecture search: searches neural network cells by gradients, trains what is found
License: {read(licence).decode().splitlines()[0].strip()}
Requires-Python: >=3.10
Requires-Dist: torch=={torch}
Description-Content-Type: text/markdown

The command `darts` searches neural network cells by gradients (DARTS, arXiv 1806.09055) and trains
what it finds. `darts search quickstart` takes a minute or two, `darts help` lists the commands. It uses the
libtorch of PyTorch, and runs no Python.
"""
files = [
    ("godarts/__init__.py", module.encode(), 0o644),
    ("godarts/__main__.py", b"from godarts import main\n\nmain()\n", 0o644),
    ("godarts/bin/darts", read(darts), 0o755),
    (f"{info}/METADATA", metadata.encode(), 0o644),
    (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: godarts\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644),
    (f"{info}/entry_points.txt", b"[console_scripts]\ndarts = godarts:main\n", 0o644),
    (f"{info}/licenses/LICENSE", read(licence), 0o644),
]
record = "".join(
    f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b'=').decode()},{len(text)}\n"
    for name, text, _ in files
)
files.append((f"{info}/RECORD", (record + f"{info}/RECORD,,\n").encode(), 0o644))
when = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
with zipfile.ZipFile(os.path.join(out, f"godarts-{version}-{tag}.whl"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for name, text, mode in files:
        entry = zipfile.ZipInfo(name, when)
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3
        z.writestr(entry, text, compresslevel=9)
