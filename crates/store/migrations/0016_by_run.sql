-- What a run was given is found by its number, however much others were given.
CREATE INDEX observation_by_run ON observation (run);
CREATE INDEX log_event_by_run ON log_event (run);
