-- Deletions are told to relays from the oldest tombstone on. This one stands for "nothing was ever forgotten", so that the
-- first deletion of all does not make every relay fetch everything. It goes with the first purge, like any other.
INSERT INTO "tombstones" ("id", "revision") SELECT 'none', 0 WHERE NOT EXISTS (SELECT 1 FROM "tombstones");
