"""The only package that speaks SQL: connecting, what the version of a database offers, reading and writing.

The other packages use `store.Store`. `address` and `sqlite.files` import only the standard library, so that a wrong path is
reported before anything heavy is loaded. `sqlite` holds all that differs from one kind of database to another.
"""
