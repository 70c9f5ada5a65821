//! `parlor user` without a running server: output, and effects on the database.

use std::io::Read as _;
use std::path::PathBuf;

use parlor::chat::{Caller, Chat, ChatError, ClientInfo, Credential, Login};
use parlor::config::Config;
use parlor::model::{Content, Draft, MemberRole, NewRoom, RoomId, RoomKind, ShownName, Username};
use parlor::server::Server;
use parlor::store::OpenOptions;
use serde_json::Value;
use tempfile::TempDir;

use super::{parlor_with, text};

pub const PASSWORD: &str = "correct horse";

/// A database used by the command line only.
pub struct Files {
    _folder: TempDir,
    pub db: PathBuf,
}

impl Files {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("chat.db");
        Self {
            _folder: folder,
            db,
        }
    }

    /// Creates a database with the admin `ann` and the user `bob`.
    pub fn with_people() -> Self {
        let files = Self::new();
        files.done("add ann --email Ann@x.org --role admin --password-stdin");
        files.done("add bob --display-name Bobby --password-stdin");
        files
    }

    /// Runs `parlor user …` with [`PASSWORD`] on stdin; returns exit code, stdout and stderr.
    fn user(&self, args: &str) -> (i32, String, String) {
        self.user_with(args, &format!("{PASSWORD}\n"))
    }

    pub fn user_with(&self, args: &str, stdin: &str) -> (i32, String, String) {
        let mut all = vec!["--db", self.db.to_str().unwrap(), "user"];
        all.extend(args.split(' '));
        let output = parlor_with(&all, &[("PARLOR_AUTH__PBKDF2_ROUNDS", "1000")], stdin);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        (output.status.code().unwrap(), out.into(), err.into())
    }

    pub fn done(&self, args: &str) -> String {
        let (code, out, err) = self.user(args);
        assert_eq!((code, err.as_str()), (0, ""), "{args}");
        out
    }

    /// Runs a command that must be refused and returns its one line of output.
    pub fn refused(&self, args: &str) -> String {
        one_line_of(self.user(args), 1)
    }

    pub fn list(&self) -> Vec<Value> {
        serde_json::from_str(&self.done("list --json")).unwrap()
    }

    /// Starts a server that locks the database until its chat is stopped.
    pub async fn server(&self) -> Server {
        let mut config = Config::default();
        config.server.db.clone_from(&self.db);
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.auth.pbkdf2_rounds = 1000;
        Server::bind(&config, OpenOptions::default()).await.unwrap()
    }

    async fn chat(&self) -> Chat {
        self.server().await.chat().clone()
    }
}

fn one_line_of((code, out, err): (i32, String, String), expected: i32) -> String {
    assert_eq!((code, out.as_str()), (expected, ""), "{err}");
    let line = err
        .strip_prefix("parlor: ")
        .and_then(|err| err.strip_suffix('\n'));
    let line = line.unwrap_or_else(|| panic!("{err:?}"));
    assert!(!line.contains('\n'), "{line}");
    line.to_owned()
}

fn visitor() -> ClientInfo {
    ClientInfo {
        address: [127, 0, 0, 1].into(),
        remote: None,
        user_agent: "a test".into(),
    }
}

/// Logs in with [`PASSWORD`]; returns the caller and the cookie.
async fn log_in(chat: &Chat, login: &str) -> (Caller, String) {
    let visitor = visitor();
    let login = Login::new(login, PASSWORD);
    chat.log_in_cookie(login, &visitor).await.unwrap()
}

#[tokio::test]
async fn an_added_user_logs_in_by_name_or_e_mail_and_is_in_the_lobby() {
    let files = Files::new();
    let said = files.done("add ann --email Ann@x.org --role admin --password-stdin");
    let db = files.db.canonicalize().unwrap();
    assert_eq!(said, format!("made the admin ann in {}\n", db.display()));

    let chat = files.chat().await;
    assert_eq!(chat.setup_token(), None, "an admin is there");
    for login in ["ann", "ANN", "ann@x.org"] {
        let (caller, _) = log_in(&chat, login).await;
        let rooms = chat.rooms(&caller).await.unwrap();
        assert_eq!(rooms.len(), 1, "{login}");
        assert_eq!(rooms[0].room.id, RoomId::LOBBY, "{login}");
    }
    let wrong = chat
        .log_in_cookie(Login::new("ann", "wrong horse"), &visitor())
        .await;
    assert!(matches!(wrong, Err(ChatError::BadCredentials)));
}

#[tokio::test]
async fn messages_before_adding_a_user_are_not_unread() {
    let files = Files::with_people();
    let chat = files.chat().await;
    let (ann, _) = log_in(&chat, "ann").await;
    let draft = Draft::new(Content::parse("hello?").unwrap());
    chat.post(&ann, RoomId::LOBBY, draft).await.unwrap();
    chat.stop().await;
    drop(chat);

    files.done("add cleo --password-stdin");
    let chat = files.chat().await;
    let (cleo, _) = log_in(&chat, "cleo").await;
    assert_eq!(chat.rooms(&cleo).await.unwrap()[0].unread, 0);
}

#[test]
fn a_name_or_e_mail_that_is_taken_is_refused() {
    let files = Files::with_people();
    files.done("add scope --password-stdin");
    let taken =
        "username is taken: choose another; look-alikes count, and who was removed keeps theirs";
    for name in ["ann", "ANN", "ѕсоре"] {
        assert_eq!(
            files.refused(&format!("add {name} --password-stdin")),
            format!("no account was made for {name}, {taken}")
        );
    }
    assert_eq!(
        files.refused("add cleo --email ann@X.org --password-stdin"),
        "no account was made for cleo, email is taken: choose another"
    );
    assert_eq!(files.list().len(), 3);
}

#[test]
fn usage_errors_have_exit_code_2_and_create_no_file() {
    let table = [
        (
            "add a@b --password-stdin",
            "invalid value 'a@b' for '<NAME>': username must not contain @, command line: see parlor --help",
        ),
        (
            "add ann --email ann --password-stdin",
            "invalid value 'ann' for '--email <EMAIL>': email is not an e-mail address, command line: see parlor --help",
        ),
        (
            "add ann --role guest --password-stdin",
            "invalid value 'guest' for '--role <ROLE>', [possible values: admin, user], command line: see parlor --help",
        ),
        (
            "add ann",
            "no account was made for ann, no password: pipe it in and say --password-stdin",
        ),
        (
            "add ann --password secret",
            "unexpected argument '--password' found, tip: a similar argument exists: '--password-stdin', command line: see parlor user add --help",
        ),
    ];
    let files = Files::new();
    for (args, line) in table {
        assert_eq!(one_line_of(files.user(args), 2), line, "{args}");
    }
    assert!(!files.db.exists());
}

#[test]
fn a_password_is_one_line_of_8_to_128_characters() {
    let files = Files::new();
    let table = [
        ("", "password must not be empty"),
        ("7 chars\n", "password must have at least 8 characters"),
        (
            &"x".repeat(129),
            "password must have at most 128 characters",
        ),
        (
            "two of\nthem\n",
            "stdin: the password must be one line of text",
        ),
    ];
    for (password, why) in table {
        let said = files.user_with("add ann --password-stdin", password);
        assert_eq!(
            one_line_of(said, 1),
            format!("no account was made for ann, {why}")
        );
    }
    assert!(!files.db.exists());
}

#[test]
fn only_add_creates_a_database() {
    let files = Files::new();
    for args in [
        "list",
        "passwd ann --password-stdin",
        "role ann admin",
        "remove ann",
    ] {
        let said = files.refused(args);
        let there_is_no = format!("there is no {}: name the database", files.db.display());
        assert!(said.contains(&there_is_no), "{said}");
    }
    assert!(!files.db.exists());
}

#[test]
fn list_prints_a_table_or_json() {
    let files = Files::with_people();
    let table = files.done("list");
    let rows: Vec<Vec<_>> = table.lines().map(|row| row.split("  ").collect()).collect();
    let rows: Vec<Vec<_>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| cell.trim())
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        rows[0],
        [
            "ID",
            "NAME",
            "E-MAIL",
            "ROLE",
            "CREATED",
            "LAST SEEN",
            "SESSIONS"
        ]
    );
    let created = rows[1][4];
    assert_eq!(created.len(), "2026-01-31 12:59".len(), "{created}");
    assert_eq!(
        rows[1],
        ["1", "ann", "ann@x.org", "admin", created, "-", "0"]
    );
    assert_eq!(rows[2][1..4], ["bob", "-", "user"]);
    assert_eq!(rows.len(), 3);

    let list = files.list();
    let (ann, bob) = (&list[0], &list[1]);
    assert_eq!((&ann["id"], &bob["id"]), (&1.into(), &2.into()));
    assert_eq!(bob["display_name"], "Bobby");
    assert_eq!(
        (&bob["email"], &bob["last_seen_at"]),
        (&Value::Null, &Value::Null)
    );
    let created = ann["created_at"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.len() == "2026-01-31T12:59:59.000Z".len());
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_and_all_sessions() {
    let files = Files::with_people();
    let chat = files.chat().await;
    let (_, cookie) = log_in(&chat, "bob").await;
    chat.stop().await;
    drop(chat);
    assert_eq!(files.list()[1]["sessions"], 1);
    assert!(files.list()[1]["last_seen_at"].is_string());

    let (code, said, _) = files.user_with("passwd BOB --password-stdin", "battery staple");
    assert_eq!(
        (code, said.as_str()),
        (0, "bob has another password and is logged out everywhere\n")
    );
    assert_eq!(files.list()[1]["sessions"], 0);
    let chat = files.chat().await;
    let revoked = chat.authenticate(Credential::Cookie(&cookie)).await;
    assert!(matches!(revoked, Err(ChatError::Unauthenticated(_))));
    let old = chat
        .log_in_cookie(Login::new("bob", PASSWORD), &visitor())
        .await;
    assert!(matches!(old, Err(ChatError::BadCredentials)));
    chat.log_in_cookie(Login::new("bob", "battery staple"), &visitor())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_guest_gets_a_role_before_a_password() {
    let files = Files::with_people();
    let chat = files.chat().await;
    let name = Username::parse("gus").unwrap();
    chat.register_guest(name, None, None, &visitor())
        .await
        .unwrap();
    chat.stop().await;
    drop(chat);
    assert_eq!(
        files.refused("passwd gus --password-stdin"),
        "the password of gus was not changed, gus is a guest, who has no password: \
         give them a role first, with parlor user role"
    );
    files.done("role gus user");
    files.done("passwd gus --password-stdin");
}

#[test]
fn the_last_admin_can_be_neither_demoted_nor_removed() {
    let files = Files::with_people();
    let last = "ann is the last admin: make somebody else an admin first";
    assert_eq!(
        files.refused("role ann user"),
        format!("the role of ann was not changed, {last}")
    );
    assert_eq!(
        files.refused("remove ann"),
        format!("the account of ann was not removed, {last}")
    );
    assert_eq!(files.done("role ann admin"), "ann has the role admin now\n");

    assert_eq!(files.done("role bob admin"), "bob has the role admin now\n");
    files.done("role ann user");
    let roles: Vec<_> = files.list().iter().map(|one| one["role"].clone()).collect();
    assert_eq!(roles, ["user", "admin"]);
}

#[test]
fn a_removed_users_name_stays_taken_but_not_the_e_mail_address() {
    let files = Files::with_people();
    files.done("role bob admin");
    assert_eq!(
        files.done("remove ann@x.org"),
        "the account ann has ended\n"
    );
    assert_eq!(files.list().len(), 1);
    assert!(
        files
            .refused("add Ann --password-stdin")
            .contains("username is taken")
    );
    files.done("add anna --email ann@x.org --password-stdin");
    for args in ["remove ann", "role ann user", "passwd ann --password-stdin"] {
        let said = files.refused(args);
        assert!(
            said.ends_with(", there is no account \"ann\": parlor user list shows all"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn rooms_of_a_removed_user_get_a_new_owner_at_server_start() {
    let files = Files::with_people();
    let chat = files.chat().await;
    let (ann, _) = log_in(&chat, "ann").await;
    let (bob, _) = log_in(&chat, "bob").await;
    let new = NewRoom {
        name: ShownName::of_room("Kitchen").unwrap(),
        description: String::new(),
        kind: RoomKind::Public,
        access_key: None,
    };
    let kitchen = chat.create_room(&bob, new).await.unwrap().id;
    chat.join(&ann, kitchen).await.unwrap();
    chat.stop().await;
    drop(chat);

    files.done("remove bob");
    let chat = files.chat().await;
    let (room, place) = chat.room(&ann, kitchen).await.unwrap();
    assert_eq!(room.owner_id, Some(ann.id()));
    assert_eq!(place.unwrap().role, MemberRole::Owner);
}

#[test]
fn a_database_of_an_earlier_version_is_migrated_only_when_asked() {
    let files = Files::new();
    let packed = std::fs::File::open("tests/fixtures/v3.db.gz").unwrap();
    let mut old = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut old)
        .unwrap();
    std::fs::write(&files.db, &old).unwrap();
    for args in ["list", "add ann --password-stdin", "remove ann"] {
        let said = files.refused(args);
        assert!(said.contains("written by an earlier version"), "{said}");
        assert!(said.contains("--migrate"), "{said}");
    }
    assert_eq!(std::fs::read(&files.db).unwrap(), old);
    let folder = std::fs::read_dir(files.db.parent().unwrap()).unwrap();
    assert_eq!(folder.count(), 1);

    let (code, out, log) = files.user("--migrate list --json");
    assert_eq!(code, 0, "{log}");
    serde_json::from_str::<Value>(&out).unwrap();
    assert!(log.contains("the database is being migrated"), "{log}");
    assert!(log.contains("chat.db.v3.bak"), "{log}");
    files.list();
}
