"""The keys of the place Models."""

from __future__ import annotations

from dataclasses import replace

from mldeck.ui.kit.keys import SORT, Key

MODEL_PLACE = (
    Key("filter_models", "f", "filter", "filter", "Filter the models, or the versions by their runs", shown=True),
    Key("clear_model_filter", "F", "clear_filter", "clear filter", "Clear the filter: show all again"),
    Key("turn_versions", "v", "turn", "board/table", "Switch between board and table", shown=True, rank=15),
    Key("open_source_run", "o", "open_run", "run", "Go to the source run in Runs", shown=True, rank=14),
    Key("card_metric", "m", "card_metric", "metric", "Choose the metric on the cards", shown=True),
    Key("workspace", "W", "workspace", "workspace", "Choose a workspace"),
    Key("export_versions", "E", "export", "export", "Export the versions to a file: CSV, JSON or Markdown"),
)

MODEL_LIST = (replace(SORT, id="sort_models", keys="O,S", help="Sort by the column under the cursor: name or age"),)

STAGE_KEYS = (
    Key(
        "to_staging",
        "s",
        "stage('Staging')",
        "staging",
        "Promote the version to Staging, after a review",
        shown=True,
        rank=5,
    ),
    Key(
        "to_production",
        "p",
        "stage('Production')",
        "production",
        "Promote the version to Production, after a review",
        shown=True,
        rank=5,
    ),
    Key(
        "archive_version",
        "a",
        "stage('Archived')",
        "archive",
        "Archive the version, after a review",
        shown=True,
        rank=5,
    ),
    Key("to_no_stage", "n", "stage('None')", "no stage", "Move the version to no stage; or go to the next match"),
    Key("card_right", "shift+right,greater_than_sign", "move_card(1)", "next stage", "Move the card to the next stage"),
    Key(
        "card_left",
        "shift+left,less_than_sign",
        "move_card(-1)",
        "previous stage",
        "Move the card to the previous stage",
    ),
    Key("undo_stage", "u", "undo_stage", "undo", "Undo the last stage change of this model", shown=True, rank=12),
    Key("put_back", "P", "put_back", "put back", "Move the previous Production version back, after a review"),
    Key("history", "H", "history", "history", "Show the stage history of the model", shown=True, rank=13),
)

MODEL_EDITS = (
    Key("describe", "d", "describe", "description", "Edit the description of the version or the model", shown=True),
    Key("tag_version", "t", "tags", "tags", "Set or delete a tag of the version or the model", shown=True),
    Key("aliases", "at", "aliases", "aliases", "Set, move or delete aliases", shown=True),
    Key("rename_model", "R", "rename", "rename", "Rename the model"),
    Key("delete_version", "D", "delete", "delete", "Delete the version, or the model with all its versions (asks)"),
    Key("undo_edit", "ctrl+z", "undo_edit", "undo edit", "Undo last edit"),
)

VERSION_TABLE = (replace(SORT, id="sort_versions", keys="O,S"),)
