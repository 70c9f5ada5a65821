-- The whole of a Parlor file. The only place where tables are defined; `src/store/schema.rs` runs it on an empty
-- file and numbered migrations lead older files here. Times are UTC milliseconds, uuids 16 bytes.

-- One value per key: `next_id` (no message or change ever had this id or a higher one), `secret` (signs tokens),
-- `instance` (names this server's cookie), `generation` (which log belongs to this file: `src/store/generation.rs`).
CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Everybody who has or had an account. A row is never removed and a name never given again: `deleted_at` ends an
-- account, and the row then keeps only its username: no display name, e-mail, password, picture or profile.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid          BLOB    NOT NULL UNIQUE,
    username      TEXT    NOT NULL,
    username_key  TEXT    NOT NULL UNIQUE,      -- NFKC, lower case
    username_look TEXT    NOT NULL,             -- what it looks like (Unicode TR 39), to refuse look-alikes
    email         TEXT    UNIQUE,               -- lower case
    display_name  TEXT    NOT NULL,
    password_hash TEXT,                         -- PHC string; without it nobody can log in by password
    role          TEXT    NOT NULL CHECK (role IN ('guest', 'user', 'admin')),
    avatar_url    TEXT,
    profile       TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(profile)),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    deleted_at    INTEGER
) STRICT;
CREATE INDEX users_look ON users (username_look);

-- Who is logged in where. Ending a session removes its row; a token without a row is worth nothing.
CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid         BLOB    NOT NULL UNIQUE,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    kind         TEXT    NOT NULL,              -- the dialect that opened it, or 'web'
    cookie_hash  BLOB    UNIQUE,                -- SHA-256 of the cookie's value
    refresh_jti  BLOB,                          -- the refresh token that is good now
    refresh_prev BLOB,                          -- the one before, good for a minute after `refreshed_at`
    refreshed_at INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,              -- written at most once a minute
    expires_at   INTEGER NOT NULL,
    ip           TEXT    NOT NULL DEFAULT '',
    user_agent   TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

-- The rooms. Deleting one is for good and takes its members and messages along.
CREATE TABLE rooms (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            BLOB    NOT NULL UNIQUE,
    kind            TEXT    NOT NULL CHECK (kind IN ('lobby', 'public', 'private', 'direct')),
    name            TEXT    NOT NULL,           -- empty in direct rooms
    description     TEXT    NOT NULL DEFAULT '',
    owner_id        INTEGER REFERENCES users (id),
    access_key      TEXT    UNIQUE,
    direct_key      TEXT    UNIQUE,             -- '<lower user id>:<higher>', so a pair has one room
    picture_url     TEXT,
    cleared_through INTEGER NOT NULL DEFAULT 0, -- messages up to this id were cleared away
    deleted_at      INTEGER,                    -- gone for everybody; its rows are removed in the background
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;

-- Who is in which room, and how far they have read. Everybody with an account is in the lobby.
CREATE TABLE members (
    room_id      INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    role         TEXT    NOT NULL CHECK (role IN ('member', 'moderator', 'owner')),
    joined_at    INTEGER NOT NULL,
    last_read_id INTEGER NOT NULL DEFAULT 0,
    notify       TEXT    NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'none')),
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_user ON members (user_id);

-- What was imposed on people in a room. It holds whether or not they are members, so that it outlives leaving. Rows that
-- impose nothing are not kept.
CREATE TABLE sanctions (
    room_id     INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL REFERENCES users (id),
    muted_until INTEGER NOT NULL DEFAULT 0,     -- may not write, edit or react before this time
    barred      INTEGER NOT NULL DEFAULT 0 CHECK (barred IN (0, 1)), -- was sent out and, while the room is private, only comes back if somebody adds them
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;

-- Links that let people in: who has the code joins the room, and makes an account if its creator may let them. Only the
-- hash of a code is here. Kept until it expires.
CREATE TABLE invites (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    code_hash  BLOB    NOT NULL UNIQUE,         -- SHA-256
    room_id    INTEGER REFERENCES rooms (id) ON DELETE CASCADE,
    created_by INTEGER NOT NULL REFERENCES users (id),
    max_uses   INTEGER NOT NULL,
    used       INTEGER NOT NULL DEFAULT 0 CHECK (used <= max_uses),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX invites_room ON invites (room_id);

-- Links by which people who forgot their password choose another: one each, made by an admin, good once.
CREATE TABLE password_links (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id),
    code_hash  BLOB    NOT NULL UNIQUE,         -- SHA-256
    expires_at INTEGER NOT NULL
) STRICT;

-- What was said. `id` and `change_id` come from `settings.next_id`, ascend within a room and have gaps; histories
-- page by `id`, resuming clients by `change_id`. A deleted message stays as a tombstone without content.
CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,
    uuid       BLOB    NOT NULL UNIQUE,         -- chosen by the sender's client; sending it again changes nothing
    room_id    INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    sender_id  INTEGER NOT NULL REFERENCES users (id),
    content    TEXT    NOT NULL,
    reply_to   INTEGER,
    mentions   TEXT,                            -- ids of those whom it calls, and 'room'; mostly nobody
    sent_at    INTEGER,                         -- what the sender's clock said
    created_at INTEGER NOT NULL,
    edited_at  INTEGER,
    deleted_at INTEGER,
    change_id  INTEGER NOT NULL
) STRICT;
-- Covers counting what somebody has not read: without the last two columns that reads every message of the room.
CREATE INDEX messages_room ON messages (room_id, id, sender_id, deleted_at);
-- Messages that never changed have their id as `change_id`; leaving them out saves a write for each.
CREATE INDEX messages_change ON messages (room_id, change_id) WHERE change_id > id;

-- What people think of messages, each emoji once. `change_id` is the message's change that brought it, and gives the order.
CREATE TABLE reactions (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL,
    emoji      TEXT    NOT NULL,
    change_id  INTEGER NOT NULL,
    PRIMARY KEY (message_id, user_id, emoji)
) STRICT, WITHOUT ROWID;

-- What people are told beside their rooms, the newest 500 of each. `id` comes from `settings.next_id`, below a message it
-- is that of the message or its edit. Goes with the message, the room and the place in it. Of a direct room only one is
-- unread, the newest.
CREATE TABLE notifications (
    user_id    INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('mention', 'reply', 'direct', 'added', 'removed', 'custom')),
    room_id    INTEGER REFERENCES rooms (id) ON DELETE CASCADE,
    message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    by_id      INTEGER,                         -- who caused it
    title      TEXT,                            -- the room's name then, where it may be out of reach now
    content    TEXT    CHECK (json_valid(content)),
    created_at INTEGER NOT NULL,
    read_at    INTEGER,
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_unread ON notifications (user_id, room_id) WHERE read_at IS NULL;
CREATE INDEX notifications_message ON notifications (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX notifications_room ON notifications (room_id) WHERE room_id IS NOT NULL;

-- What people uploaded, and other hosts' files they pointed at (`url`: nothing of those is here). One is 'uploading'
-- until its last byte is on disk. `media_type` has as parameters what the bytes of a file say: `recognized`, `cleaned`,
-- `frames`, `duration` (milliseconds). What no message, account or room shows for an hour, and every 'gone' one, is removed
-- in the background, bytes first.
CREATE TABLE files (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key        BLOB    NOT NULL,                -- 16 random bytes; signs addresses that work without a login
    owner_id   INTEGER NOT NULL REFERENCES users (id),
    purpose    TEXT    NOT NULL CHECK (purpose IN ('message', 'thumbnail', 'avatar', 'picture')),
    state      TEXT    NOT NULL CHECK (state IN ('uploading', 'ready', 'gone')),
    message_id INTEGER,                         -- the message that shows it, or whose file's thumbnail it is
    position   INTEGER NOT NULL DEFAULT 0,      -- its place among that message's files
    room_id    INTEGER,                         -- the room whose picture it is
    thumb_id   INTEGER,                         -- the small picture of this one
    name       TEXT    NOT NULL,
    media_type TEXT    NOT NULL,
    size       INTEGER NOT NULL,                -- bytes
    sha256     BLOB,
    width      INTEGER,                         -- pixels; only of pictures whose bytes say that they are one
    height     INTEGER,
    url        TEXT,
    created_at INTEGER NOT NULL,
    touched_at INTEGER NOT NULL                 -- when it last grew or was finished
) STRICT;
CREATE INDEX files_owner ON files (owner_id, state, size) WHERE url IS NULL;
CREATE INDEX files_mine ON files (owner_id, id) WHERE purpose = 'message';
CREATE INDEX files_message ON files (message_id, position) WHERE message_id IS NOT NULL;
CREATE INDEX files_loose ON files (touched_at) WHERE message_id IS NULL;
CREATE INDEX files_room ON files (room_id) WHERE room_id IS NOT NULL;
CREATE INDEX files_gone ON files (id) WHERE state = 'gone';

-- The bytes of a file in order: 256 KiB each but the last, one a transaction, so that an upload holds nobody up.
CREATE TABLE file_contents (
    file_id INTEGER NOT NULL REFERENCES files (id),
    seq     INTEGER NOT NULL,
    bytes   BLOB    NOT NULL CHECK (length(bytes) BETWEEN 1 AND 262144),
    PRIMARY KEY (file_id, seq)
) STRICT;

-- Which messages (rowid) have which words, and which stand side by side: what is searched. Derived from `messages` and
-- written in the transaction of the message, without triggers. Holds no text and no places, so what it finds is looked at
-- again. The terms of a deleted message are removed from its pages at once (`secure-delete`).
CREATE VIRTUAL TABLE words USING fts5 (list, tokenize = 'ascii', content = '', detail = none);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);

-- Between which ids the messages of a day (UTC) lie, so that a search by date need not look at all others; others may lie
-- there too. Derived from `messages` like `words`, except that a day does not shrink.
CREATE TABLE days (
    day      INTEGER PRIMARY KEY,               -- since 1970
    first_id INTEGER NOT NULL,
    last_id  INTEGER NOT NULL
) STRICT;

INSERT INTO settings (key, value) VALUES ('next_id', 1), ('secret', randomblob(32)), ('instance', lower(hex(randomblob(4))));
INSERT INTO rooms (id, uuid, kind, name, description, created_at, updated_at)
VALUES (1, randomblob(16), 'lobby', 'Lobby', '', CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER));
