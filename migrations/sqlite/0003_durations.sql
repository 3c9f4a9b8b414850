-- How long deployments took that came up, removed since or not, is asked for each page: by the time
-- of their end, and by the removal that shows that one had come up.
CREATE INDEX deployments_ended ON deployments (completed_ms)
    WHERE removes IS NULL AND completed_ms IS NOT NULL;
CREATE INDEX deployments_removals ON deployments (removes) WHERE removes IS NOT NULL;
