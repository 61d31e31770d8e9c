"""Writing file stores by hand, as MLflow lays them out, for tests that change one while it is read."""

from __future__ import annotations

from pathlib import Path

STATUS = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}
START = 1_700_000_000_000


class FolderWriter:
    """A folder such as `mlruns`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.experiment("0", "Default")

    def experiment(self, experiment_id: str, name: str) -> Path:
        folder = self.root / experiment_id
        folder.mkdir(parents=True, exist_ok=True)
        lines = (
            f"artifact_location: {folder.as_uri()}",
            f"creation_time: {START}",
            f"experiment_id: '{experiment_id}'",
            f"last_update_time: {START}",
            "lifecycle_stage: active",
            f"name: {name}",
        )
        (folder / "meta.yaml").write_text("\n".join(lines) + "\n")
        return folder

    def run(self, number: int, *, experiment_id: str = "0", status: str = "FINISHED", **tags: str) -> str:
        """Make a run. Its number gives its id and its start: greater ones are newer."""
        run_id = f"{number:032x}"
        folder = self.root / experiment_id / run_id
        for name in ("metrics", "params", "tags", "artifacts"):
            (folder / name).mkdir(parents=True)
        self.meta(number, experiment_id=experiment_id, status=status)
        for key, value in tags.items():
            self.tag(number, key, value, experiment_id)
        return run_id

    def meta(
        self, number: int, *, experiment_id: str = "0", status: str = "FINISHED", stage: str = "active", name: str = ""
    ) -> None:
        """Write the attributes of a run, as MLflow does: the new file takes the place of the old one."""
        folder = self.folder(number, experiment_id)
        lines = (
            f"artifact_uri: {(folder / 'artifacts').as_uri()}",
            f"end_time: {'null' if status == 'RUNNING' else START + number * 1000 + 500}",
            "entry_point_name: ''",
            f"experiment_id: '{experiment_id}'",
            f"lifecycle_stage: {stage}",
            f"run_id: '{number:032x}'",
            f"run_name: {name or f'run-{number}'}",
            f"start_time: {START + number * 1000}",
            f"status: {STATUS[status]}",
            "tags: []",
            "user_id: ada",
        )
        (folder / "meta.new").write_text("\n".join(lines) + "\n")
        (folder / "meta.new").replace(folder / "meta.yaml")

    def folder(self, number: int, experiment_id: str = "0") -> Path:
        return self.root / experiment_id / f"{number:032x}"

    def metric(self, number: int, key: str, *points: tuple[float, int], experiment_id: str = "0") -> None:
        """Append points: (value, step)."""
        path = self.folder(number, experiment_id) / "metrics" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.writelines(f"{START + number * 1000 + step} {value} {step}\n" for value, step in points)

    def param(self, number: int, key: str, value: str, experiment_id: str = "0") -> None:
        path = self.folder(number, experiment_id) / "params" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)

    def tag(self, number: int, key: str, value: str, experiment_id: str = "0") -> None:
        path = self.folder(number, experiment_id) / "tags" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
