"""Tables of docs/performance.md, from what the benchmarks left."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Content = Mapping[str, Any]
"""Of a file in build/bench."""
WHAT = {
    "forward": "image, 3 sigma",
    "forward_backward": "image and gradient to a pose, 3 sigma",
    "default_forward": "image, default cut-off",
    "default_forward_backward": "image and gradient to a pose, default cut-off",
    "voxelizer": "128^3 voxels and gradients to all parameters",
}
GROWN = ("threads", "descriptors", "sockets", "shared_files")
DRAWN = {"forward": "image", "forward_backward": "image and gradient to a pose"}


def speed_table(content: Content) -> str:
    """The engine beside its peers."""
    rows = [
        [
            WHAT[row["what"]],
            _milliseconds(row["engine_s"]),
            row["peer"],
            _milliseconds(row["peer_s"]),
            f"{row['ratio']:.0f}",
        ]
        for row in content["speed"]
    ]
    alike = (
        f"The two images of the scene differ by {100 * content['peer_difference']:.2f} % (rms) of the largest value."
    )
    return table(["", "engine, ms", "peer", "peer, ms", "times faster"], rows) + f"\n{alike}\n"


def error_table(content: Content) -> str:
    """Errors where nothing is cut off."""
    return table(["", "error"], [[row["of"], f"{row['error']:.1e}"] for row in content["errors"]])


def cutoff_table(content: Content) -> str:
    """Error by cut-off."""
    rows = [[f"{row['cutoff_sigma']:g}", f"{row['error']:.1e}"] for row in content["cutoffs"]]
    return table(["cut-off, sigma", "error of the image"], rows)


def cost_table(content: Content) -> str:
    """Times by size of the scene, and per pair."""
    rows = [
        [
            *(f"{row[key]}" for key in ("gaussians", "pixels", "groups", "views")),
            f"{row['pairs'] / 1e6:.2f}",
            _milliseconds(row["forward_s"]),
            _milliseconds(row["forward_backward_s"]),
            f"{row['pairs'] / row['forward_s'] / 1e9:.2f}",
            f"{row['pairs'] / row['forward_backward_s'] / 1e9:.2f}",
        ]
        for row in content["costs"]
    ]
    columns = ["Gaussians", "pixels squared", "groups", "views", "million pairs", "image, ms", "and gradient, ms"]
    lines = []
    for what, label in DRAWN.items():
        pair_ns, fixed_us, off = linearity(content["costs"], what)
        lines.append(f"{label.capitalize()}: {fixed_us:.0f} us and {pair_ns:.2f} ns a pair, within {off:.0%}.")
    billions = ["image, billion pairs a second", "and gradient, billion pairs a second"]
    return (
        table([*columns, *billions], rows)
        + "\nA line through the rows of one view, by number of Gaussians. "
        + " ".join(lines)
        + "\n"
    )


def floor_table(content: Content) -> str:
    """What a pair takes, beside the least that it could take."""
    floors = content["floors"]
    labels = {
        "operations": "vector operations of a lane (a fused multiply-add is one)",
        "cached_bytes": "bytes read and written in the cache",
        "memory_bytes": "bytes from and to memory, at least",
        "operations_ns": "floor by operations, ns",
        "cached_ns": "floor by cache, ns",
        "memory_ns": "floor by memory, ns",
        "lanes_used": "lanes of vectors that hold pairs",
        "reached_ns": "reached, ns",
    }
    rows = [[label, *(f"{floor[key]:.3g}" for floor in floors)] for key, label in labels.items()]
    shares = [floor["operations_ns"] / floor["lanes_used"] / floor["reached_ns"] for floor in floors]
    rows.append(["floor by operations of the lanes used, over what is reached", *(f"{share:.0%}" for share in shares)])
    peaks = (
        f"Measured on one thread: {content['operations_per_s'] / 1e9:.0f} billion multiply-adds a second,"
        f" {content['cached_bytes_per_s'] / 1e9:.0f} GB/s in the cache, {content['memory_bytes_per_s'] / 1e9:.0f} GB/s"
        " from and to memory."
    )
    return table(["of a pair", *(DRAWN[floor["what"]] for floor in floors)], rows) + f"\n{peaks}\n"


def gpu_table(content: Content) -> str:
    """Times on CUDA, and how far it is from the CPU."""
    (device,) = content["devices"]
    rows = [[row["what"], f"{1e3 * row['seconds']:.3g}"] for row in content["times"]]
    parity = f"The largest difference from the CPU is {content['largest_difference']:.1e} of the largest value."
    return f"{device['name']}, torch {device['torch']}. {parity}\n\n" + table(["", "ms"], rows)


def fit_table(content: Content) -> str:
    """Every level's fit, and likeness by number of Gaussians."""
    rows = [
        [
            row["level"],
            str(row["count"]),
            f"{row['seconds']:.1f}",
            f"{row['psnr_db']:.1f}",
            f"{row['mean_psnr_db']:.1f}",
            f"{row['whole_psnr_db']:.1f}",
        ]
        for row in content["levels"]
    ]
    columns = [
        "",
        "Gaussians",
        "seconds",
        "PSNR of the worst view, dB",
        "mean of the views, dB",
        "worst whole image, dB",
    ]
    levels = list(dict.fromkeys(row["level"] for row in content["curve"]))
    psnr = {(row["level"], row["count"]): f"{row['psnr_db']:.1f}" for row in content["curve"]}
    counts = sorted({row["count"] for row in content["curve"]})
    by_count = [[str(count), *(psnr.get((level, count), "") for level in levels)] for count in counts]
    return (
        f"{content['threads']:.0f} threads.\n\n{table(columns, rows)}\nThe worst view by number of Gaussians:\n\n"
        f"{table(['Gaussians', *levels], by_count)}\n![PSNR over the number of Gaussians](images/fit.png)\n"
    )


def ros_table(content: Content) -> str:
    """What ROS adds, and replay beside the live run."""
    rows = [
        ["pairs of X-rays", f"{content['pairs']:.0f}"],
        ["registering, by the node's clock, median, ms", f"{content['core_ms']:.0f}"],
        ["added by ROS, median, ms", f"{content['overhead_ms']:.1f}"],
        ["added by ROS, 95th percentile, ms", f"{content['overhead_p95_ms']:.1f}"],
        ["pairs without a result", f"{content['lost_triggers']:.0f}"],
        ["replay: largest difference of a pose, m or part of a quaternion", f"{content['replay_max_difference']:.1e}"],
        ["replay: time of a pair over that of registering it", f"{content['replay_time_ratio']:.2f}"],
    ]
    return table(["", ""], rows)


def soak_table(content: Content) -> str:
    """What went through, and what grew."""
    rows = [
        [
            f"{content['minutes']:g} minutes of X-rays",
            f"{content['pairs_per_s']:.1f} pairs a second; {content['triggers']:.0f} triggers, of which"
            f" {content['lost_triggers']:.0f} lost, {content['failed_triggers']:.0f} failed and"
            f" {content['rejected_triggers']:.0f} with rejected levels; answers after"
            f" {content['answer_median_ms']:.0f} ms (median), {content['answer_max_ms']:.0f} ms (longest)",
            *_grown(content, "growth"),
        ],
        [f"{content['loops']:.0f} lifecycle loops", "memory: a loop", *_grown(content, "loops_growth")],
        [
            f"{content['starts']:.0f} starts of the process",
            f"left: {content['starts_left_files']:.0f} files in shared memory,"
            f" {content['starts_left_processes']:.0f} processes",
            *[""] * 5,
        ],
        [f"{content['ends']:.0f} ends while registering", f"{content['shutdown_s']:.2f} s (longest)", *[""] * 5],
    ]
    return table(["", "", "growth of memory, MB", "threads", "open files", "sockets", "files in shared memory"], rows)


def linearity(costs: Sequence[Content], what: str) -> tuple[float, float, float]:
    """Of time over pairs: nanoseconds a pair, fixed microseconds, and the largest relative deviation from that line.

    The line goes through the rows in which only the number of Gaussians varies; least squares of relative deviations.
    """
    rows = [row for row in costs if row["varied"] == "gaussians"]
    pairs, seconds = (np.array([row[key] for row in rows], dtype=np.float64) for key in ("pairs", f"{what}_s"))
    design = np.stack([pairs, np.ones_like(pairs)], -1) / seconds[:, None]
    (slope, fixed), *_ = np.linalg.lstsq(design, np.ones_like(seconds), rcond=None)
    return 1e9 * slope, 1e6 * fixed, float(np.abs((slope * pairs + fixed) / seconds - 1).max())


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _grown(content: Content, prefix: str) -> list[str]:
    counts = [f"{content[f'{prefix}_{name}']:+.0f}" for name in GROWN]
    return [f"{content[f'{prefix}_mb']:+.1f}", *counts]


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}"
