"""The keys of the artifact tree and the file viewer."""

from __future__ import annotations

from mldeck.ui.kit.keys import Key, moves

VIEW_FILE = (
    Key(
        "view_file",
        "v",
        "ask('view')",
        "view",
        "Show the file, folder or model full screen",
        shown=True,
        rank=2,
    ),
)

TAKE_FILE = (
    Key(
        "download",
        "d",
        "ask('download')",
        "download",
        "Copy the file or folder to a path of your choice",
        shown=True,
        rank=3,
    ),
    Key("pager", "o", "ask('PAGER')", "$PAGER", "Open the file in $PAGER (less, if it is not set)", shown=True, rank=4),
    Key(
        "editor", "e", "ask('EDITOR')", "$EDITOR", "Open the file in $EDITOR (vi, if it is not set)", shown=True, rank=5
    ),
)

TEXT = (
    Key("wrap", "w", "wrap", "wrap", "Toggle line wrap", shown=True, rank=3),
    Key("line_numbers", "number_sign", "numbers", "line numbers", "Toggle line numbers"),
)

VIEWER = (
    Key("leave_file", "escape", "back", "back", "Stop the running calculation or search; otherwise go back"),
    Key("close_file", "q", "close", "close", "Close the viewer at once", shown=True, pinned=True),
    Key("find_in_file", "slash", "find", "find", "Find a text in the whole file", shown=True, rank=1),
    Key("next_found", "n", "find_next", "next match", "Go to the next match"),
    Key("previous_found", "N", "find_previous", "previous match", "Go to the previous match"),
    Key(
        "next_file",
        "right_square_bracket",
        "file(1)",
        "next file",
        "Show the next file of the folder",
        shown=True,
        rank=2,
    ),
    Key("previous_file", "left_square_bracket", "file(-1)", "previous file", "Show the previous file of the folder"),
    Key("raw", "R", "raw", "raw", "Toggle raw view", shown=True),
    Key("copy_whole", "Y", "copy_whole", "copy text", "Copy the text of the file to the clipboard"),
    Key("copy_place", "c", "copy_place", "copy path", "Copy the path of the file to the clipboard", shown=True),
    Key("file_hash", "s", "work_out('hash')", "SHA-256", "Compute the SHA-256 of the file", shown=True),
    Key("count_rows", "r", "work_out('rows')", "count rows", "Count the rows of the table"),
)

PICTURE = (
    Key("picture_zoom_in", "plus,equals_sign", "zoom(1)", "larger", "Zoom in", shown=True),
    Key("picture_zoom_out", "minus", "zoom(-1)", "smaller", "Zoom out, until all of the picture is in view"),
    Key("picture_zoom_reset", "0", "zoom(0)", "reset zoom", "Reset the zoom"),
    *moves(
        Key("picture_down", "j", "scroll_down", "down", "Scroll the picture down"),
        Key("picture_up", "k", "scroll_up", "up", "Scroll the picture up"),
        Key("picture_left", "h", "scroll_left", "left", "Scroll the picture to the left"),
        Key("picture_right", "l", "scroll_right", "right", "Scroll the picture to the right"),
        Key("picture_page_down", "ctrl+d", "page_down", "page down", "Scroll the picture one page down"),
        Key("picture_page_up", "ctrl+u", "page_up", "page up", "Scroll the picture one page up"),
        Key("picture_first", "g", "scroll_home", "first", "Go to the top of the picture"),
        Key("picture_last", "G", "scroll_end", "last", "Go to the bottom of the picture"),
    ),
)
