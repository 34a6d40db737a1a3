-- Dead letters, due again from the given instants on with all their attempts. Primary key; the
-- rows are locked.
UPDATE jobs j SET status = 0, attempts = 0, due_at = u.at, lease = NULL, finished_at = NULL
FROM unnest($1, $2) u (id, at) WHERE j.id = u.id
