-- Mutes and bars get a table of their own, keyed by room and person.
ALTER TABLE members RENAME TO members_3;
CREATE TABLE members (
    room_id      INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    role         TEXT    NOT NULL CHECK (role IN ('member', 'moderator', 'owner')),
    joined_at    INTEGER NOT NULL,
    last_read_id INTEGER NOT NULL DEFAULT 0,
    notify       TEXT    NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'none')),
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE sanctions (
    room_id     INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    muted_until INTEGER NOT NULL DEFAULT 0,     -- may not write, edit or react before this time
    barred      INTEGER NOT NULL DEFAULT 0 CHECK (barred IN (0, 1)), -- was sent out and, while the room is private, only comes back if somebody adds them
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO members SELECT room_id, user_id, role, joined_at, last_read_id, notify FROM members_3;
INSERT INTO sanctions SELECT room_id, user_id, max(muted), max(barred) FROM (
    SELECT room_id, user_id, muted_until AS muted, 0 AS barred FROM members_3 WHERE muted_until > 0
    UNION ALL SELECT room_id, user_id, 0, 1 FROM bars) GROUP BY room_id, user_id;
DROP TABLE bars;
DROP TABLE members_3;
CREATE INDEX members_user ON members (user_id);
