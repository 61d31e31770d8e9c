"""The sample project: a realistic MLflow store, generated on demand, and a training job that writes to it.

`project.make_demo` generates the store, and `live` is the training job. All numbers are computed from fixed seeds; all SQL
is in `mldeck.store.seed`.
"""
