-- The holder whose lease had expired, not been released, when the present one claimed it: it was interrupted.
ALTER TABLE operations ADD COLUMN lease_former TEXT;
