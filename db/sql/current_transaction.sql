-- The transaction's id, asked before anything is written: if the answer to COMMIT is lost, this
-- number is what pg_xact_status() is asked about.
SELECT pg_current_xact_id()
