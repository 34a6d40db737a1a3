-- Jobs: work that a commit asked for, done after it by whichever server claims it first.
--
-- One row is a job's whole life. due_at is one column for both things that a claim looks for, so
-- that one small index finds them: queued, the job is not begun before it; processing, its lease
-- ends then and the job is free for others. An expired lease needs no sweeper.

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    ledger_id uuid,
    kind text COLLATE "C" NOT NULL,
    payload text NOT NULL,
    status int2 NOT NULL,  -- 0 queued, 1 processing, 2 completed, 3 failed: a dead letter
    attempts int4 NOT NULL,
    attempts_max int4 NOT NULL,
    due_at timestamptz NOT NULL,
    lease uuid,
    result text,
    last_error text,
    finished_at timestamptz
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- What claims look for: it holds unfinished jobs only.
CREATE INDEX jobs_due ON jobs (due_at, id) WHERE status < 2;
-- What retention and the count of dead letters look for.
CREATE INDEX jobs_finished ON jobs (status, finished_at) WHERE status >= 2;
-- Lists: one range per status, merged.
CREATE INDEX jobs_of_organization ON jobs (organization_id, status, id);
CREATE INDEX jobs_of_ledger ON jobs (ledger_id, kind, id) WHERE ledger_id IS NOT NULL;
