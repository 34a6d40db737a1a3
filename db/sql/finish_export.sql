-- The export $1 is ready: the digest of its bytes is $3, it was finished at $4 and expires at $5,
-- and $6 is the id of the record of that. Only by whoever holds the lease $2 of its job. Primary
-- keys.
WITH held AS (
    SELECT 1 FROM jobs j WHERE j.id = $1 AND j.lease = $2 AND j.status = 1 FOR SHARE
), ended AS (
    UPDATE exports e SET status = 2, sha256 = $3, finished_at = $4, expires_at = $5, due_at = $5
    WHERE e.id = $1 AND e.status = 1 AND EXISTS (SELECT 1 FROM held)
    RETURNING e.id
)
INSERT INTO export_audit (export_id, id, type, request_id) SELECT d.id, $6, 1, '' FROM ended d
