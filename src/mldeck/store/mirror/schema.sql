-- The tables and columns of MLflow 3.17.2 that mldeck reads (../seed/schema-3.17.2.sql), as a mirror has them.
-- Its constraints are left out, because a folder may hold what MLflow's database would refuse. So are columns that nobody reads.
-- Points of a history may repeat, as they do in a file, so metrics has no primary key.
CREATE TABLE alembic_version (version_num TEXT NOT NULL);
INSERT INTO alembic_version VALUES ('dc11669786a5');
CREATE TABLE experiments (
    experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT, creation_time BIGINT,
    last_update_time BIGINT, workspace TEXT DEFAULT 'default' NOT NULL
);
CREATE TABLE experiment_tags (key TEXT, value TEXT, experiment_id INTEGER, PRIMARY KEY (key, experiment_id));
CREATE TABLE runs (
    run_uuid TEXT NOT NULL PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT,
    lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER, deleted_time BIGINT
);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (
    key TEXT NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid TEXT NOT NULL, step BIGINT NOT NULL,
    is_nan BOOLEAN NOT NULL
);
CREATE TABLE latest_metrics (
    key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid TEXT, PRIMARY KEY (key, run_uuid)
);
CREATE TABLE datasets (
    dataset_uuid TEXT PRIMARY KEY, experiment_id INTEGER, name TEXT, digest TEXT, dataset_source_type TEXT,
    dataset_source TEXT, dataset_schema TEXT, dataset_profile TEXT
);
CREATE TABLE inputs (
    input_uuid TEXT, source_type TEXT, source_id TEXT, destination_type TEXT, destination_id TEXT, step BIGINT,
    PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
CREATE TABLE input_tags (input_uuid TEXT, name TEXT, value TEXT, PRIMARY KEY (input_uuid, name));
CREATE TABLE registered_models (
    name TEXT, creation_time BIGINT, last_updated_time BIGINT, description TEXT, workspace TEXT DEFAULT 'default' NOT NULL,
    PRIMARY KEY (workspace, name)
);
CREATE TABLE registered_model_tags (
    key TEXT, value TEXT, name TEXT, workspace TEXT DEFAULT 'default' NOT NULL, PRIMARY KEY (workspace, key, name)
);
CREATE TABLE model_versions (
    name TEXT, version INTEGER, creation_time BIGINT, last_updated_time BIGINT, description TEXT, user_id TEXT,
    current_stage TEXT, source TEXT, run_id TEXT, status TEXT, status_message TEXT, run_link TEXT, storage_location TEXT,
    workspace TEXT DEFAULT 'default' NOT NULL, PRIMARY KEY (workspace, name, version)
);
CREATE TABLE model_version_tags (
    key TEXT, value TEXT, name TEXT, version INTEGER, workspace TEXT DEFAULT 'default' NOT NULL,
    PRIMARY KEY (workspace, key, name, version)
);
CREATE TABLE registered_model_aliases (
    alias TEXT, version INTEGER, name TEXT, workspace TEXT DEFAULT 'default' NOT NULL, PRIMARY KEY (workspace, name, alias)
);
CREATE TABLE logged_models (
    model_id TEXT PRIMARY KEY, experiment_id INTEGER, name TEXT, artifact_location TEXT, creation_timestamp_ms BIGINT,
    last_updated_timestamp_ms BIGINT, status INTEGER, lifecycle_stage TEXT, model_type TEXT, source_run_id TEXT,
    status_message TEXT
);
CREATE TABLE logged_model_params (
    model_id TEXT, experiment_id INTEGER, param_key TEXT, param_value TEXT, PRIMARY KEY (model_id, param_key)
);
CREATE TABLE logged_model_metrics (
    model_id TEXT, metric_name TEXT, metric_timestamp_ms BIGINT, metric_step BIGINT, metric_value FLOAT,
    experiment_id INTEGER, run_id TEXT, dataset_uuid TEXT, dataset_name TEXT, dataset_digest TEXT
);
CREATE TABLE logged_model_tags (
    model_id TEXT, experiment_id INTEGER, tag_key TEXT, tag_value TEXT, PRIMARY KEY (model_id, tag_key)
);
CREATE INDEX index_params_run_uuid ON params (run_uuid);
CREATE INDEX index_tags_run_uuid ON tags (run_uuid);
CREATE INDEX index_latest_metrics_run_uuid ON latest_metrics (run_uuid);
CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, key, step);
CREATE INDEX mldeck_metrics_of_time ON metrics (key, timestamp);
CREATE INDEX index_inputs_destination_type_destination_id_source_type
    ON inputs (destination_type, destination_id, source_type);
CREATE INDEX index_logged_model_metrics_model_id ON logged_model_metrics (model_id);
-- What the mirror knows of its source.
CREATE TABLE mldeck_seen (
    place TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, experiment_id INTEGER, quick INTEGER, whole INTEGER
);
CREATE TABLE mldeck_histories (
    run_uuid TEXT, key TEXT, bookmark TEXT NOT NULL, PRIMARY KEY (run_uuid, key)
);
