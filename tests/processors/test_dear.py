"""A worker loads the dear detectors when a connection asks for personal data, and says when it cannot."""

import json
from pathlib import Path

import pytest

from processors.dear import dear_detectors
from processors.logs import configure_logs
from processors.metrics import Metrics
from processors.settings import ProcessorSettings


def settings(tmp_path: Path, **profiles: str) -> ProcessorSettings:
    """A worker with these profiles by connection."""
    return ProcessorSettings(tmp_path, b"k" * 32, profiles=profiles)


def available(metrics: Metrics) -> float | None:
    """What the metric says."""
    return metrics.registry.get_sample_value("sluicegate_processor_names_available")


def test_nothing_is_loaded_where_nobody_asks_for_personal_data(tmp_path: Path) -> None:
    metrics = Metrics()
    assert dear_detectors(settings(tmp_path, demo="strict"), metrics) == ()
    assert available(metrics) == 0


def test_one_connection_that_asks_is_enough(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    metrics = Metrics()
    (names,) = dear_detectors(settings(tmp_path, demo="secrets", people="strict+pii"), metrics)
    assert available(metrics) == 1
    assert names("My name is Ingeborg Lindqvist.")


def test_a_missing_extra_is_said_and_the_rules_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("masking.names_model.find_spec", lambda _name: None)
    configure_logs()
    metrics = Metrics()
    (names,) = dear_detectors(settings(tmp_path, people="secrets+pii"), metrics)
    said = [json.loads(line) for text in capfd.readouterr() for line in text.splitlines()]
    assert [(line["event"], line["level"]) for line in said] == [("names_by_rules_alone", "warning")]
    assert "install the extra" in said[0]["reason"]
    assert available(metrics) == 0
    assert names("Dear Mrs. Okonkwo, hello")
