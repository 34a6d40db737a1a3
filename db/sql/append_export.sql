-- The next chunk of the export $1: it begins at byte $3, is $5, brings $4 rows, and behind it the
-- source is read on at $6. Only by whoever holds the lease $2 of its job, and only where the file
-- ends now: nothing is written twice. The job's row stays as it is until the commit, so that
-- whoever takes it over sees the chunk. Primary keys.
WITH held AS (
    SELECT 1 FROM jobs j WHERE j.id = $1 AND j.lease = $2 AND j.status = 1 FOR SHARE
), moved AS (
    UPDATE exports e SET rows = e.rows + $4, bytes = e.bytes + octet_length($5), position = $6
    WHERE e.id = $1 AND e.bytes = $3 AND e.status = 1 AND EXISTS (SELECT 1 FROM held)
    RETURNING e.id
)
INSERT INTO export_chunks (export_id, start, data) SELECT m.id, $3, $5 FROM moved m
