"""What the engine's benchmark counts and derives, and what docs/performance.md makes of it."""

from pathlib import Path

import numpy as np
import pytest
import torch


def test_pairs_are_counted_exactly() -> None:
    from benchmarks.engine_pairs import pairs_of
    from benchmarks.engine_scene import cube_of_gaussians, view_of_cube
    from radgs_core.radgs.oracle.projection import project

    model, view, cutoff = cube_of_gaussians(40), view_of_cube(64, turned_deg=20.0), 4.0
    p = project(model.to(torch.float64), torch.tensor(view.T_camera_reference))
    v, u = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    d = torch.stack([u, v, torch.ones_like(u)], -1).double() @ torch.tensor(np.linalg.inv(view.camera_matrix)).T
    x, y = (d[None, ..., i] - p.centre[:, i, None, None] for i in (0, 1))

    def quadratic(upper: torch.Tensor) -> torch.Tensor:
        xx, xy, yy = upper[:, :, None, None].unbind(1)
        return xx * x * x + 2 * xy * x * y + yy * y * y

    slope_x, slope_y = p.slope[:, :, None, None].unbind(1)
    s = 1 + 2 * (slope_x * x + slope_y * y) + quadratic(p.bend)
    inside = quadratic(p.conic) <= cutoff**2 * s
    pairs = pairs_of(model, [view, view], cutoff)
    assert pairs.count == 2 * int(inside.sum())
    assert pairs.lanes == 2 * 16 * int((inside.sum(-1) / 16).ceil().sum())


def test_a_line_through_times_is_found() -> None:
    from benchmarks.performance_tables import linearity

    costs = [{"varied": "gaussians", "pairs": n, "forward_s": 2e-9 * n + 3e-4} for n in (10**6, 10**7, 10**8)]
    aside = {"varied": "pixels", "pairs": 5, "forward_s": 1.0}
    assert linearity([*costs, aside], "forward") == pytest.approx((2.0, 300.0, 0.0), abs=1e-6)


def test_blocks_of_the_page_are_filled_and_the_rest_stays() -> None:
    from benchmarks.document_performance import BLOCKS, PAGE, filled

    text = "before\n<!-- begin gpu -->\nold\n<!-- end gpu -->\nafter\n"
    assert filled(text, "gpu", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="0 blocks speed"):
        filled(text, "speed", "new\n")
    for name in BLOCKS:
        filled(PAGE.read_text(), name, "")


def test_figures_get_into_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import document_performance, report
    from benchmarks.performance_tables import GROWN

    page = tmp_path / "performance.md"
    page.write_text(document_performance.PAGE.read_text())
    for module in (report, document_performance):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(document_performance, "PAGE", page)
    document_performance.main()
    assert page.read_text().count("\nNot run.\n") == len(document_performance.BLOCKS) - 1
    assert "it has not been run on a GPU." in page.read_text()
    monkeypatch.setattr(document_performance, "IMAGES", tmp_path)
    monkeypatch.setattr("sys.argv", ["benchmarks/fit.py"])
    fit = {"level": "T3", "count": 500, "seconds": 9.0, "psnr_db": 39.0, "mean_psnr_db": 41.0, "whole_psnr_db": 50.0}
    report.report("fit", {"threads": 2}, {"levels": [fit], "curve": [fit, {**fit, "count": 1000, "psnr_db": 42.5}]})
    monkeypatch.setattr("sys.argv", ["benchmarks/gpu.py"])
    report.report(
        "gpu",
        {"largest_difference": 3e-6},
        {
            "devices": [{"name": "A GPU", "torch": "2"}],
            "times": [{"what": "an image", "seconds": 0.0012}],
        },
    )
    monkeypatch.setattr("sys.argv", ["benchmarks/ros.py"])
    added = {"overhead_ms": 21.26, "overhead_p95_ms": 40.0, "core_ms": 512.0}
    replayed = {"replay_max_difference": 2e-10, "replay_time_ratio": 1.057}
    report.report("ros", {"pairs": 200, "lost_triggers": 0, **added, **replayed})
    monkeypatch.setattr("sys.argv", ["benchmarks/soak.py"])
    stream = {"minutes": 2.0, "pairs_per_s": 30.0, "triggers": 118, "lost_triggers": 0, "failed_triggers": 3}
    stream["rejected_triggers"] = 5
    answers = {"answer_median_ms": 600.0, "answer_max_ms": 900.0}
    growth = {f"{of}growth_{what}": 1 for of in ("", "loops_") for what in GROWN}
    memory = {"growth_mb": -0.25, "loops_growth_mb": 0.3}
    ended = {"starts": 20, "starts_left_files": 0, "starts_left_processes": 2, "ends": 6, "shutdown_s": 0.715}
    report.report("soak", {**stream, **answers, **growth, **memory, "loops": 100, **ended})
    document_performance.main()
    assert "| added by ROS, median, ms | 21.3 |" in page.read_text()
    assert "m or part of a quaternion | 2.0e-10 |" in page.read_text()
    assert "| 6 ends while registering | 0.71 s (longest) |" in page.read_text()
    assert "| 20 starts of the process | left: 0 files in shared memory, 2 processes |" in page.read_text()
    assert "| 100 lifecycle loops | memory: a loop | +0.3 | +1 | +1 | +1 | +1 |" in page.read_text()
    assert (
        "| 30.0 pairs a second; 118 triggers, of which 0 lost, 3 failed and 5 with rejected levels; answers"
        in page.read_text()
    )
    assert "A GPU, torch 2. The largest difference from the CPU is 3.0e-06 of the largest value." in page.read_text()
    assert "| an image | 1.2 |" in page.read_text()
    assert "| T3 | 500 | 9.0 | 39.0 | 41.0 | 50.0 |" in page.read_text()
    assert "| 1000 | 42.5 |" in page.read_text()
    assert (tmp_path / "fit.png").exists()
    assert "has not been run on a GPU" not in page.read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks import gpu

    assert gpu.main() == 2
    assert capsys.readouterr().err == "benchmarks.gpu needs an NVIDIA GPU and a CUDA build of torch, and finds none.\n"


def test_the_cpu_does_not_differ_from_itself() -> None:
    from benchmarks.gpu_parity import differences

    found = differences(torch.device("cpu"))
    assert len(found) == 7 + 6 + 7
    assert set(found.values()) == {0.0}
