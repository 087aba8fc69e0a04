#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions of one inference on emulated boards, and bytes of arena, beside recorded ones of TensorFlow Lite Micro.

Then bytes of code. Run in the root of the repository, with the images of the board presets built (make bench does both).
The models of ../shared are left out where it is absent.
Counts are exact to 40 instructions, and the same in every run.
"""
import json
import pathlib
import re
import subprocess
import sys

MODELS = pathlib.Path("../shared/models")
GOLDEN = pathlib.Path("../shared/golden")
PAGES = (512, 1024, 2048, 4096, 16384)
CASE = 2  # random inputs, seed 1

# Machine and address of its PSRAM, as in cmake/*.cmake.
BOARDS = {
    "cortex-m4": ("mps2-an386", 0x21000000),
    "cortex-m7": ("mps2-an500", 0x60000000),
    "cortex-m0plus": ("mps2-an385", 0x21000000),
}

# TensorFlow Lite Micro 90b983c2 with CMSIS-NN 4ab83cc3, its own levels (-Os, kernels -O2), arm-none-eabi-gcc 12.2.1, same
# machines and counting, same inputs: recorded once, not measured here. Instructions on M4, M7, M0+; bytes of arena.
RECORDED = {
    "kws_ref_model": (7698840, 7644640, 29000700, 22820),
    "pretrainedResnet_quant": (29862920, 30025520, 97555640, 54996),
    "vww_96_int8": (24101960, 24025600, 86904440, 100708),
    "ad01_int8": (582960, 583253, 1763187, 2580),
    "micro_speech_quantized": (1495384, 1489464, 2597040, 6836),
    "person_detect": (22928440, 22715880, 83704160, 82308),
}
# Bytes of its code with the same seven operators on M4, without the C library.
RECORDED_TEXT = "33,400 with reference kernels, 45,700 with CMSIS-NN"
SHARED = ("mlperf_tiny/kws_ref_model", "mlperf_tiny/pretrainedResnet_quant", "mlperf_tiny/vww_96_int8",
          "mlperf_tiny/ad01_int8", "article/micro_speech_quantized", "tflm/person_detect")


def run_any(preset, model, golden, page=0):
    """In the image with the seven operators, or in that with all if they are not enough."""
    return run(preset, model, golden, page, "run_tiny_model") or run(preset, model, golden, page, "run_model")


def run(preset, model, golden, page, name):
    """Figures that an image prints for one inference, None if it has not all operators; dies if the outputs are not the
    recorded ones."""
    machine, psram = BOARDS[preset]
    image = pathlib.Path("build") / preset / f"firmware/{name}.elf"
    job = (model.stat().st_size, CASE, 0, page)
    command = ["qemu-system-arm", "-M", machine, "-display", "none", "-monitor", "none", "-serial", "stdio",
               "-icount", "shift=0,sleep=off", "-semihosting-config", "enable=on,target=native", "-kernel", image,
               "-device", f"loader,file={model},addr={psram + 4096},force-raw=on"]
    for index, value in enumerate(job):
        command += ["-device", f"loader,addr={psram + 4 * index},data={value},data-len=4"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout
    if "status UnknownOperator" in printed:
        return None
    outputs = re.findall(r"^output ([0-9a-f]+)$", printed, re.MULTILINE)
    expected = [output["hex"] for output in json.loads(golden.read_text())["cases"][CASE]["outputs"]]
    if outputs != expected:
        sys.exit(f"{model} on {preset}, page {page}: not the recorded outputs\n{printed}")
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", printed, re.MULTILINE)}


def find_models():
    own = [(model, model.with_suffix(".json")) for model in sorted(pathlib.Path("models").glob("*/*.tflite"))]
    shared = [(MODELS / f"{name}.tflite", GOLDEN / f"{name}.json") for name in SHARED]
    present = [pair for pair in shared if all(path.exists() for path in pair)]
    if len(present) < len(shared):
        print(f"{len(shared) - len(present)} models of ../shared are absent and left out\n")
    return present + own


def print_boards(models):
    print("million instructions of an inference, and bytes of arena; in brackets TFLM + CMSIS-NN as recorded")
    header = "".join(f"{preset:>24}" for preset in BOARDS)
    print(f"{'model':24}{header}{'arena':>18}")
    for model, golden in models:
        recorded = RECORDED.get(model.stem)
        cells = ""
        for index, preset in enumerate(BOARDS):
            figures = run_any(preset, model, golden)
            brackets = f"({recorded[index] / 1e6:.3f})" if recorded else ""
            cells += f"{figures['invoke_instructions'] / 1e6:>13.3f}{brackets:>11}"
        brackets = f"({recorded[3]})" if recorded else ""
        print(f"{model.stem:24}{cells}{figures['arena_bytes']:>9}{brackets:>9}")


def print_streaming(models, preset):
    print(f"\n{preset}, million instructions of an inference: in place, and streamed through a page; bytes of arena")
    print(f"{'model':24}{'in place':>10}" + "".join(f"{f'page {page}':>26}" for page in PAGES))
    for model, golden in models:
        mapped = run_any(preset, model, golden)["invoke_instructions"]
        cells = f"{mapped / 1e6:>10.3f}"
        for page in PAGES:
            figures = run_any(preset, model, golden, page)
            streamed = figures["invoke_instructions"]
            cells += f"{streamed / 1e6:>10.3f}{streamed / mapped - 1:>+8.1%}{figures['arena_bytes']:>8}"
        print(f"{model.stem:24}{cells}")


def print_text():
    """Bytes of code and constants of the interpreter and its operators."""
    print("\nbytes of code of the interpreter with the seven operators of MLPerf Tiny for int8; TFLM on M4 as recorded:")
    print(RECORDED_TEXT)
    for preset in BOARDS:
        check = ["firmware/check_text.sh", f"build/{preset}/firmware/run_tiny_model.map", "1000000", "ltrans",
                 "libota_engine.a", "libota_formats.a"]
        printed = subprocess.run(check, capture_output=True, text=True, check=True).stdout
        print(f"{preset:16}{re.search(r'^total ([0-9]+)', printed, re.MULTILINE).group(1):>8}")


def main():
    models = find_models()
    print_boards(models)
    for preset in ("cortex-m4", "cortex-m0plus"):
        print_streaming(models, preset)
    print_text()


if __name__ == "__main__":
    main()
