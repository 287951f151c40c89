"""``loopnet evaluate``: each option once, what goes where, what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from loopnet_cli.cli.app import app
from loopnet_cli.evaluation import embeddings, paper_run
from loopnet_cli.evaluation.embeddings import Embedding
from loopnet_cli.evaluation.frechet import read_statistics
from loopnet_cli.evaluation.report import Cell, Section, Table

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluation"))
from tiny_store import write_pairs, write_store


def call(*words: object):
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


def refused(result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("loopnet: error: ")]
    for part in parts:
        assert part in line, line


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture
def networks(monkeypatch) -> dict[str, Path]:
    """Embeddings that remember their files."""
    asked = {}

    def fake(name: str, size: int):
        def made(path: Path) -> Embedding:
            asked[name] = path
            return Embedding(name, name.upper(), 16000, size, None, lambda audio: audio[: 8 * size].reshape(8, size))

        return made

    monkeypatch.setattr(embeddings, "yamnet_embedding", fake("yamnet", 3))
    monkeypatch.setattr(embeddings, "vggish_embedding", fake("vggish", 2))
    return asked


class TestTables:
    @pytest.fixture
    def plans(self, monkeypatch) -> list[paper_run.Plan]:
        found = []

        def run(plan, step):
            found.append(plan)
            for done in range(11):
                step("table 1", done, 10)
            return {"paper-table-1": Section("T", "m", [Table("C", ["a", "b"], [["x", Cell(1.0, 0.5, 2.0, 9)]])])}

        monkeypatch.setattr(paper_run, "run", run)
        return found

    def test_defaults(self, plans):
        result = call("tables", "bars.h5")
        assert result.exit_code == 0
        (plan,) = plans
        assert (plan.models, plan.bars, plan.loops, plan.full) == (None, 300, 100, 16)
        assert (plan.tables, plan.workers, plan.out) == (("1", "2", "speed"), 1, Path("results"))
        setup = plan.setup
        assert (setup.dataset, setup.seed, setup.state) == (Path("bars.h5"), 0, Path("results/.rows"))
        assert (setup.material, setup.yamnet, setup.vggish) == (None, None, None)
        assert "| x | 1.00 [0.50, 2.00] |" in result.stdout
        assert "table 1 (5 of 10)" in result.stderr
        assert "results/RESULTS.md" in result.stderr

    @pytest.mark.parametrize(
        ("words", "where", "value"),
        [
            (("--models", "multi, studio"), "models", ("multi", "studio")),
            (("--bars", 40), "bars", 40),
            (("--loops", 7), "loops", 7),
            (("--full-loops", 0), "full", 0),
            (("--tables", "2"), "tables", ("2",)),
            (("--workers", 3), "workers", 3),
            (("--out", "docs"), "out", Path("docs")),
            (("--material", "m"), "setup.material", Path("m")),
            (("--embedding-weights", "y"), "setup.yamnet", Path("y")),
            (("--vggish-weights", "v"), "setup.vggish", Path("v")),
            (("--seed", 5), "setup.seed", 5),
            (("--state", "s"), "setup.state", Path("s")),
        ],
    )
    def test_each_option(self, plans, words, where, value):
        assert call("tables", "bars.h5", *words).exit_code == 0
        found = plans[0]
        for name in where.split("."):
            found = getattr(found, name)
        assert found == value

    def test_json_and_quiet(self, plans):
        result = call("tables", "bars.h5", "--json", "--quiet")
        cell = json.loads(result.stdout)["paper-table-1"]["tables"][0]["rows"][0][1]
        assert (cell["value"], cell["low"], cell["high"], cell["count"]) == (1.0, 0.5, 2.0, 9)
        assert not result.stderr

    def test_what_is_refused(self, tmp_path):
        refused(call("tables", tmp_path / "none.h5", "--models", "studio"), 1, "no such file")
        refused(call("tables", tmp_path / "none.h5", "--models", "stduio"), 2, "unknown model", "studio")
        refused(call("tables", tmp_path / "none.h5", "--models", " , "), 2, "empty list")
        refused(call("tables", tmp_path / "none.h5", "--tables", "9"), 2, "no table '9'")
        refused(call("tables", "x.h5", "--models", "studio", "--vggish-weights", tmp_path / "no"), 1, "cannot be read")
        assert call("tables", "x.h5", "--bars", 2).exit_code == 2

    def test_a_data_set_without_enough_bars(self, tmp_path):
        few = write_store(tmp_path / "few.h5", test=2, train=0)
        refused(call("tables", few, "--models", "studio", "--out", tmp_path), 1, "2 test bars are too few")


class TestPairs:
    def test_a_table(self, folders, networks):
        result = call("pairs", *folders, "--embedding-weights", "y", "--vggish-weights", "v", "--seed", 3)
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        assert lines[0].split() == ["pair", "log-mel,", "dB", "kick", "F", "snare", "F", "hat", "F"]
        assert [line.split()[0] for line in lines[1:6]] == ["0", "1", "2", "3", "mean"]
        assert "N 4, 640 vectors, 64 dimensions" in result.stdout
        assert "VGGISH: " in result.stdout
        assert networks == {"yamnet": Path("y"), "vggish": Path("v")}

    def test_json_and_files_without_partner(self, folders, tmp_path):
        (made := tmp_path / "made").mkdir()
        for path in [*folders[0].glob("[12].wav")]:
            (made / path.name).write_bytes(path.read_bytes())
        (made / "alone.wav").write_bytes(path.read_bytes())
        result = call("pairs", made, folders[1], "--json")
        found = json.loads(result.stdout)
        assert [pair["name"] for pair in found["pairs"]] == ["1", "2"]
        assert found["frechet"]["logmel"]["dimension"] == 64
        assert found["frechet"]["logmel"]["loops"] == 2
        assert len(found["left_out"]) == 3
        assert "3 files without a partner" in result.stderr
        assert not call("pairs", made, folders[1], "--quiet").stderr

    def test_what_is_refused(self, tmp_path, folders):
        refused(call("pairs", tmp_path / "none", folders[1]), 2, "is no folder")


class TestFrechet:
    def store(self, path: Path, mean: float, count: int | None = None) -> Path:
        more = {} if count is None else {"count": count}
        np.savez(path, mu=np.full(4, mean), sigma=np.eye(4), **more)
        return path

    def test_two_files(self, tmp_path):
        one, two = self.store(tmp_path / "a.npz", 0.0), self.store(tmp_path / "b.npz", 1.5, 77)
        assert call("frechet", one, two).stdout == "9.000  (4 dimensions, reference of 77 vectors)\n"
        assert "an unknown number of vectors" in call("frechet", two, one).stdout
        found = json.loads(call("frechet", one, two, "--json").stdout)
        assert found == {"distance": 9.0, "low": None, "high": None, "dimension": 4, "reference_vectors": 77}

    def test_axes(self, tmp_path):
        one, two = (tmp_path / f"{name}.npz" for name in "ab")
        np.savez(one, mu=np.array([3.0, 1.0]), sigma=np.diag([9.0, 1.0]))
        np.savez(two, mu=np.zeros(2), sigma=np.diag([9.0, 1.0]))
        assert call("frechet", one, two, "--axes", 1).stdout.startswith("9.000  (1 dim")
        refused(call("frechet", one, two, "--axes", 3), 2, "only 2 dimensions")

    def test_folders_with_an_interval(self, folders):
        found = json.loads(call("frechet", *folders, "--json").stdout)
        assert found["low"] < found["distance"] < found["high"]
        assert found["dimension"] == 64
        assert found["reference_vectors"] == 640
        again = json.loads(call("frechet", *folders, "--json", "--seed", 9).stdout)
        assert again["distance"] == found["distance"]
        assert again["low"] != found["low"]
        assert "(5 dimensions" in call("frechet", *folders, "--axes", 5).stdout

    def test_statistics_stand_for_their_folder(self, folders, tmp_path):
        stored = tmp_path / "wanted.npz"
        made = call("statistics", folders[1], "-o", stored)
        assert made.exit_code == 0
        assert "640 vectors of 64 numbers" in made.stderr
        assert read_statistics(stored).count == 640
        mixed, plain = (json.loads(call("frechet", folders[0], two, "--json").stdout) for two in (stored, folders[1]))
        assert mixed["distance"] == pytest.approx(plain["distance"])
        assert mixed["low"] is None

    def test_other_embeddings(self, folders, tmp_path, networks):
        words = ("--embedding", "yamnet", "--embedding-weights", "y")
        made = call("statistics", folders[1], "--output", tmp_path / "y.npz", *words, "--json", "--quiet")
        assert json.loads(made.stdout)["dimension"] == 3
        assert call("frechet", folders[1], tmp_path / "y.npz", *words).stdout.startswith("0.000  (3 dim")
        found = call("frechet", *folders, "--embedding", "vggish", "--vggish-weights", "v")
        assert "(2 dimensions" in found.stdout
        assert networks == {"yamnet": Path("y"), "vggish": Path("v")}

    def test_what_is_refused(self, folders, tmp_path):
        refused(call("frechet", *folders, "--embedding", "yamnet"), 2, "--embedding-weights")
        refused(call("frechet", *folders, "--embedding", "vggish"), 2, "--vggish-weights")
        refused(call("frechet", tmp_path / "a.npz", tmp_path / "b.npz"), 1, "a.npz", "cannot be read")
        refused(call("frechet", folders[0], self.store(tmp_path / "c.npz", 0.0)), 1, "64 and 4 dimensions")
        refused(call("statistics", folders[0], "-o", tmp_path / "x.txt"), 2, ".npz")
        refused(call("statistics", folders[0], "-o", tmp_path / "no" / "x.npz"), 1, "does not exist")
