-- What templates ask of people: their verified e-mail address, and those of their groups that some template named when they
-- last signed in, as a JSON array. NULL: the person has not signed in since.
ALTER TABLE people ADD COLUMN email text;
ALTER TABLE people ADD COLUMN groups text;

-- When the person signed in: secrets are only revealed soon after that. NULL: an older version began the session.
ALTER TABLE sessions ADD COLUMN begun_ms bigint;
