"""The speed that networks are measured against."""

from atomstream.bench.gemm import gemm_peak


def test_a_product_of_matrices_has_a_speed() -> None:
    peak = gemm_peak(threads=1, side=256, repeats=3)
    assert (peak.threads, peak.side) == (1, 256)
    assert 0.01 < peak.gflop_per_cpu_s < 2000
    assert 0.001 < peak.gflop_s < 2000
