"""The sample project: a believable MLflow store made on the spot, and a training job that goes on writing to it.

`project.make_demo` builds the store, `live` is the job. The numbers are pure values from fixed seeds; all SQL is in
`mldeck.store.seed.seed`.
"""
