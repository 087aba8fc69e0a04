# SPDX-License-Identifier: Apache-2.0
"""Our FAT images against an independent reader and writer (pyfatfs), in both directions.

Usage: fat.py OTA_TINYML MODELS
"""
import json
import subprocess
import sys
import tempfile

from pyfatfs.PyFat import PyFat
from pyfatfs.PyFatFS import PyFatFS

TOOL, MODELS = sys.argv[1:3]
LONG_NAME = "Keyword spotting, living room (version 1.2.0).tflite"
KINDS = {12: (PyFat.FAT_TYPE_FAT12, 1 << 20), 16: (PyFat.FAT_TYPE_FAT16, 16 << 20), 32: (PyFat.FAT_TYPE_FAT32, 40 << 20)}


def run(*arguments, expected=0):
    result = subprocess.run([TOOL, "image", *arguments], capture_output=True, text=True)
    assert result.returncode == expected, (arguments, result.returncode, result.stdout, result.stderr)
    return result.stdout


def read(path):
    with open(path, "rb") as file:
        return file.read()


DIGITS = read(f"{MODELS}/digits/digits.tflite")
SINE = read(f"{MODELS}/sine/sine.tflite")


def check_sound(image, bits, was_written_by_them):
    if was_written_by_them and bits == 32:  # they leave the count of free clusters as it was, which fsck.fat says too
        run("check", image, expected=1)
        run("check", "--repair", image)
    assert run("check", image).endswith("\nsound\n")


def check_extracted(image, folder, contents):
    """Ours lists these files and gives their bytes back."""
    listed = {file["name"]: file["bytes"] for file in json.loads(run("list", "--json", image))["files"]}
    assert listed == {name: len(content) for name, content in contents.items()}, listed
    run("extract", image, "-d", folder)
    for name, content in contents.items():
        assert read(f"{folder}/{name}") == content, name


def check_ours(folder, bits, is_partitioned):
    """Theirs lists and reads what ours has made, and adds to it; ours reads that."""
    image = f"{folder}/ours-{bits}-{is_partitioned}"
    run("build", "--fs", "fat", "--fat", str(bits), "--size", str(KINDS[bits][1]), "--plain", "-o", image,
        *["--partitioned"] * is_partitioned, f"{MODELS}/digits/digits.tflite",
        f"{LONG_NAME}={MODELS}/sine/sine.tflite")
    check_sound(image, bits, False)
    # The first entry of the master boot record says where the partition starts, in sectors.
    offset = 512 * int.from_bytes(read(image)[454:458], "little") if is_partitioned else 0
    with PyFatFS(image, offset=offset) as files:
        assert sorted(files.listdir("/")) == sorted(["digits.tflite", LONG_NAME, "models.sha256"])
        assert files.readbytes("/digits.tflite") == DIGITS
        assert files.readbytes("/" + LONG_NAME) == SINE
        digests = files.readbytes("/models.sha256")
        files.writebytes("/A second " + LONG_NAME, DIGITS)
    check_extracted(image, f"{image}-files", {"digits.tflite": DIGITS, LONG_NAME: SINE, "models.sha256": digests,
                                             "A second " + LONG_NAME: DIGITS})
    check_sound(image, bits, True)


def check_theirs(folder, bits):
    """Ours lists and extracts what theirs has made."""
    image = f"{folder}/theirs-{bits}"
    with open(image, "wb"):
        pass
    kind, size = KINDS[bits]
    volume = PyFat()
    volume.mkfs(image, kind, size=size)
    volume.close()
    with PyFatFS(image) as files:
        files.makedir("/models")
        files.writebytes("/models/SINE.BIN", SINE)
        files.writebytes("/" + LONG_NAME, DIGITS)
    check_extracted(image, f"{image}-files", {"models/SINE.BIN": SINE, LONG_NAME: DIGITS})
    check_sound(image, bits, True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for bits in KINDS:
            check_ours(folder, bits, False)
            check_ours(folder, bits, True)
            check_theirs(folder, bits)
    print("FAT: ours read and written by theirs, theirs read by ours; FAT12, 16 and 32, long names, partitioned")


main()
