"""Checkpoints and token files of rapt, read with h5py: usage: hdf5.py PROGRAM-or-FILE.h5...

With the program, trains two steps and checks the resulting files; with files, checks those.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

import h5py
import numpy

ALLOWED_TYPES = {"<f4", "<f8", "<i8", "<i4", "<u2", "|u1"}


def crc32c(data: bytes) -> int:
    """CRC-32C bit by bit over a table, as RFC 3720 defines it: independent of rapt's own."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def check_header(raw: bytes) -> None:
    """The 512 bytes before a checkpoint's HDF5 part (docs/checkpoints.md)."""
    version, length, body_crc = struct.unpack_from("<I4xQI", raw, 8)
    (header_crc,) = struct.unpack_from("<I", raw, 508)
    assert version == 1, version
    assert length == len(raw) - 512, (length, len(raw))
    assert header_crc == crc32c(raw[:508]), "header checksum"
    assert body_crc == crc32c(raw[512:]), "body checksum"


def check_dataset(name: str, dataset: h5py.Dataset, raw: bytes) -> None:
    assert dataset.chunks is None and dataset.compression is None and not dataset.fletcher32, name
    assert not dataset.is_virtual and dataset.external is None, name
    if h5py.check_string_dtype(dataset.dtype) is not None:
        assert dataset.shape == (), name
        dataset.asstr()[()]
        return
    assert dataset.dtype.str in ALLOWED_TYPES, (name, dataset.dtype)
    if dataset.size == 0:
        return
    offset = dataset.id.get_offset()
    assert offset % 64 == 0, (name, offset)
    values = numpy.frombuffer(raw, dataset.dtype, dataset.size, offset).reshape(dataset.shape)
    assert values.tobytes() == dataset[()].tobytes(), name


def check_file(path: pathlib.Path) -> None:
    raw = path.read_bytes()
    is_checkpoint = raw.startswith(b"RAPTCKPT")
    if is_checkpoint:
        check_header(raw)
    datasets = {}
    with h5py.File(path, "r") as file:
        assert file.userblock_size == (512 if is_checkpoint else 0)
        file.visititems(lambda name, item: datasets.update({name: item}) if isinstance(item, h5py.Dataset) else None)
        for name, dataset in datasets.items():
            check_dataset(name, dataset, raw)
        if is_checkpoint:
            assert any(name.startswith("model/") for name in datasets)
            for name in ("config", "tokenizer", "manifest"):
                assert name in datasets, name
            state = file["state"].attrs
            assert len(state) > 0
            for name, value in state.items():
                assert isinstance(value, (str, numpy.int64, numpy.float64)), (name, type(value))
    print(f"  {path.name}: {len(datasets)} datasets")


def files_of(program: str, folder: pathlib.Path) -> list[pathlib.Path]:
    text = folder / "text.txt"
    text.write_text("".join(f"{i} bottles stand on the wall.\n" for i in range(2000)), encoding="utf-8")
    run = folder / "run"
    subprocess.run(
        [program, "train", text, "--out", run, "--layers", "2", "--heads", "2", "--width", "32", "--context", "32",
         "--batch", "4", "--steps", "2", "--threads", "2"], check=True, capture_output=True)
    files = sorted(run.glob("*.h5"))
    assert run / "last.h5" in files, files
    return files


def main() -> None:
    arguments = [pathlib.Path(argument) for argument in sys.argv[1:]]
    assert arguments, __doc__
    if all(path.suffix == ".h5" for path in arguments):
        for path in arguments:
            check_file(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in files_of(str(arguments[0]), pathlib.Path(folder)):
            check_file(path)


main()
