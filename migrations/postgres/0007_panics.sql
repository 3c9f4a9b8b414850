-- How often whoever drove an operation panicked: after a few times it is given up.
ALTER TABLE deployments ADD COLUMN panics BIGINT NOT NULL DEFAULT 0;
