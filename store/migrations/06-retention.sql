-- What finds the oldest rows.
CREATE INDEX path_history_at ON path_history (at);
CREATE INDEX paths_resolved ON paths (resolved_at);
CREATE INDEX layers_updated ON layers (updated_at);
