"""mldeck in a process of its own that promotes versions as fast as it can: `python mldeck_promoter.py STORE MODEL COUNT SEED`.

Prints a line of JSON for each attempt: `done` with what it moved, or `refused` with why.
"""

from __future__ import annotations

import json
import random
import sys

from mldeck.errors import MldeckError
from mldeck.registry.plan import plan_transition
from mldeck.store.address import read_address
from mldeck.store.connect import check_database
from mldeck.store.store import Store


def main() -> None:
    text, model, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    address = read_address(text)
    check_database(address, write=True)
    store = Store(address, write=True, patience_s=20)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()  # all begin at once
    for _ in range(count):
        try:
            versions = store.registry().versions(model)
            version = chance.choice(versions).version
            stage = chance.choice(["None", "Staging", "Production", "Archived"])
            archive = stage in ("Staging", "Production") and chance.random() < 0.7
            done = store.registry_editor().transition(plan_transition(versions, version, stage, archive))
            answer = {"done": done.key, "version": version, "to": stage, "archived": done.archived}
        except MldeckError as error:
            answer = {"refused": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    store.close()


if __name__ == "__main__":
    main()
