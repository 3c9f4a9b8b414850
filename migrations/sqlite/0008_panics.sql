-- How often whoever drove an operation panicked: after a few times it is given up.
ALTER TABLE deployments ADD COLUMN panics INTEGER NOT NULL DEFAULT 0;
