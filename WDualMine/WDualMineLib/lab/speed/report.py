"""The figures of speed as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .slices import OURS

_DENSE = "DenseFuse's shape"


def lines(part: str, figures: dict[str, Any]) -> Iterator[str]:
    """What is printed of one part of what ``wdualmine bench speed`` measures.

    Args:
        part: a key of ``figures``.
        figures: all that is measured so far.
    """
    return _PARTS[part](figures)


def _network(figures: dict[str, Any]) -> Iterator[str]:
    cost = figures["network"]
    yield (
        f"Network: {cost['parameters']} parameters, {cost['weight_bytes'] / 1e6:.3f} MB of float16 "
        f"weights, {cost['flop'] / 1e9:.3f} GFLOP a lone pair of 256 x 256 "
        "(a multiply-add counts 2)"
    )


def _best(figures: dict[str, Any]) -> Iterator[str]:
    best = figures["best"]
    yield (
        f"One thread does {best['gflop_per_second']:.0f} GFLOP/s in a product of matrices and "
        f"copies {best['gigabytes_per_second']:.0f} GB/s"
    )


def _gpu(figures: dict[str, Any]) -> Iterator[str]:
    gpu = figures["gpu"]
    yield "GPU against CPU in float32, largest difference of the residual: " + _each(
        gpu["agreement"]
    )
    told = _each(gpu["volume_agreement"])
    yield f"  of the maps of a volume, in the precision that a fusion takes: {told}"
    yield "A slice of 256 x 256 from main memory and back: ms of wall"
    for row, seconds in gpu["latency"].items():
        yield f"  {row:32}{1e3 * seconds:9.2f}"
    graph = gpu["graph"]
    replayed = f"{1e3 * graph:9.2f}" if isinstance(graph, float) else f" none: {graph}"
    yield f"  {'on the device, from a graph':32}{replayed}"
    yield "Slices that lie on the device: slices a second (MB held) by slices in a batch"
    for precision in dict.fromkeys(row["precision"] for row in gpu["throughput"]):
        rows = [row for row in gpu["throughput"] if row["precision"] == precision]
        told = ", ".join(f"{r['batch']}: {1 / r['seconds']:.0f}{_held(r)}" for r in rows)
        yield f"  {precision:10}{told}"
    volume = gpu["volume"]
    yield (
        f"A volume of {' x '.join(map(str, volume['shape'][::-1]))} from arrays to maps, "
        f"{volume['precision']}: {volume['seconds']:.2f} s ({volume['first']:.2f} s the first "
        f"time){_held(volume)}"
    )
    yield from (f"  {note}" for note in volume["notes"])


def _each(differences: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1e}" for name, value in differences.items())


def _held(row: dict[str, Any]) -> str:
    return "" if row["bytes"] is None else f" ({row['bytes'] / 1e6:.0f})"


def _pair(figures: dict[str, Any]) -> Iterator[str]:
    rows, best = figures["pair"], figures["best"]
    yield "A pair of 256 x 256 on one thread, in turns: ms of processor (fastest), of wall; rate"
    dense = rows[_DENSE]["cpu"]
    for row, found in rows.items():
        rate = found["gflop"] / found["cpu"]
        told = f"{rate:6.0f} GFLOP/s ({100 * rate / best['gflop_per_second']:.0f} % of the product)"
        yield (
            f"  {row:20}{1e3 * found['cpu']:9.2f} ({1e3 * found['cpu_fastest']:.2f})"
            f"{1e3 * found['wall']:9.2f}{told if found['gflop'] else '':32}"
            + (f"  {dense / found['cpu']:.2f} times as fast as {_DENSE}" if row in OURS else "")
        )


def _sizes(figures: dict[str, Any]) -> Iterator[str]:
    rows = figures["sizes"]
    yield "A slice of a volume: ms of processor (of wall) by slices in a batch"
    for size, threads in dict.fromkeys((tuple(r["size"]), r["threads"]) for r in rows):
        those = [r for r in rows if (tuple(r["size"]), r["threads"]) == (size, threads)]
        told = ", ".join(
            f"{r['batch']}: {1e3 * r['cpu']:.1f} ({1e3 * r['wall']:.1f})" for r in those
        )
        yield f"  {size[0]} x {size[1]}, {threads} thread{'s' * (threads > 1)}: {told}"


def _volume(figures: dict[str, Any]) -> Iterator[str]:
    found = figures["volume"]
    yield (
        f"A volume of {' x '.join(map(str, found['shape'][::-1]))} from files to files: "
        "seconds of processor (of wall)"
    )
    for stage, took in (*found["stages"].items(), ("all", found["total"])):
        yield f"  {stage:20}{took['cpu']:9.2f} ({took['wall']:.2f})"
    yield f"  {_memory(found)}"


def _scaling(figures: dict[str, Any]) -> Iterator[str]:
    rows = figures["scaling"]
    yield "By the number of slices: ms of processor (of wall) a slice"
    for row in rows:
        yield (
            f"  {row['slices']:5} slices {1e3 * row['cpu']:9.1f} ({1e3 * row['wall']:.1f}), "
            f"{_memory(row)}"
        )


def _memory(found: dict[str, Any]) -> str:
    inputs = f"sources of {found['input_bytes'] / 1e6:.0f} MB"
    if found["peak_bytes"] is None:
        return f"{inputs}; the system does not tell the memory held"
    return f"{found['peak_bytes'] / 1e6:.0f} MB held at the most, {inputs}"


_PARTS = {
    "network": _network,
    "best": _best,
    "pair": _pair,
    "sizes": _sizes,
    "gpu": _gpu,
    "volume": _volume,
    "scaling": _scaling,
}
