-- What a lost call may have made after the end is looked for in a live stack once more.

CREATE INDEX deployments_tidy ON deployments (due_ms) WHERE state = 'live' AND due_ms IS NOT NULL;
