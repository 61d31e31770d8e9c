"""The only room that knows SQL: connecting, what this database's version offers, reading and writing.

`address` and `files` need the standard library only, so that a wrong path is reported before anything heavy is imported;
`store.Store` is what the other rooms use.
"""
