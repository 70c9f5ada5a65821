//! Errors in settings, one line each: from file, environment and flags.

use super::*;

/// Contents of a settings file, and the expected error.
const MISTAKES: &[(&str, &str)] = &[
    (
        "\n[server]\nlisen = 1",
        "unknown setting server.lisen, chat.toml line 3: did you mean server.listen?",
    ),
    (
        "listen = 1",
        "unknown setting listen, chat.toml line 1: did you mean server.listen?",
    ),
    (
        "[sever]\ndb = \"x\"",
        "unknown setting sever.db, chat.toml line 2: did you mean server.db?",
    ),
    (
        "[zzz]",
        "unknown section zzz, chat.toml line 1: remove it; `parlor config print` lists all settings",
    ),
    (
        "[logg]",
        "unknown section logg, chat.toml line 1: did you mean [log]?",
    ),
    (
        "[logg]\nlevel = \"info\"",
        "unknown setting logg.level, chat.toml line 2: did you mean log.level?",
    ),
    (
        "[limits]\nqqq = 1",
        "unknown setting limits.qqq, chat.toml line 2: remove it; `parlor config print` lists all settings",
    ),
    (
        "[server]\ndb = \"a\"\ndb = \"b\"",
        "db stands there twice, chat.toml line 3: keep one of the two",
    ),
    (
        "[server]\n[auth]\n[server]",
        "server stands there twice, chat.toml line 3: keep one of the two",
    ),
    (
        "server.db = \"/tmp\"",
        "server.db is \"/tmp\", chat.toml line 1: that is a folder: name a file in it, such as \"/tmp/parlor.db\"",
    ),
    (
        "server.listen = \"0.0.0.0:99999\"",
        "server.listen is \"0.0.0.0:99999\", chat.toml line 1: write an IP address and a port up to 65535 such as \"0.0.0.0:8080\", \"127.0.0.1:8080\" or \"[::]:8080\"",
    ),
    (
        "server.public_url = \"https://a.org/chat\"",
        "server.public_url is \"https://a.org/chat\", chat.toml line 1: the server does not work below a path: give it a host name of its own, and write \"https://a.org\"",
    ),
    (
        "server = 3",
        "server is a section, chat.toml line 1: write [server] and its settings below",
    ),
    (
        "[guests]\nenabled = \"yes\"",
        "guests.enabled is \"yes\", chat.toml line 2: write true or false",
    ),
    (
        "auth.pbkdf2_rounds = 7",
        "auth.pbkdf2_rounds is 7, chat.toml line 1: write at least 1000 and at most 10000000",
    ),
    (
        "auth.access_ttl = \"2d\"",
        "auth.access_ttl is \"2d\", chat.toml line 1: write at least \"1m\" and at most \"1d\"",
    ),
    (
        "limits.connections = -1",
        "limits.connections is -1, chat.toml line 1: write a whole number, 0 for no limit",
    ),
    (
        "limits.connections = \"9\"",
        "limits.connections is \"9\", chat.toml line 1: write a whole number, 0 for no limit",
    ),
    (
        "server.db = \"\"",
        "server.db is \"\", chat.toml line 1: write a path such as \"parlor.db\"",
    ),
];

#[test]
fn a_mistake_in_the_file_is_reported_with_position_and_advice() {
    for (text, problem) in MISTAKES {
        assert_eq!(from_file(text).unwrap_err(), [*problem]);
    }
}

#[test]
fn invalid_toml_is_reported_on_one_line_with_its_position() {
    for text in ["[server]\ndb = ", "[server\n"] {
        let problems = from_file(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].starts_with("this is not TOML, chat.toml line "),
            "{problems:?}"
        );
        assert!(!problems[0].contains('\n'), "{problems:?}");
    }
}

#[test]
fn all_mistakes_are_reported_in_file_order() {
    let problems = from_file("[web]\nx = 1\n[auth]\ny = 1\nopen_to = \"all\"").unwrap_err();
    let lines: Vec<_> = problems
        .iter()
        .map(|one| one.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "unknown setting web.x, chat.toml line 2",
            "unknown setting auth.y, chat.toml line 4",
            "auth.open_to is \"all\", chat.toml line 5"
        ]
    );
}

#[test]
fn a_mistake_in_a_flag_names_the_flag() {
    let refused = |db: Option<&str>, listen: Option<&str>| {
        let flags = Flags {
            db: db.map(Into::into),
            listen: listen.map(Into::into),
        };
        load(None, [], flags).unwrap_err().problems.concat()
    };
    let said = refused(Some("/tmp"), None);
    assert!(
        said.starts_with("server.db is \"/tmp\", --db: that is a folder"),
        "{said}"
    );
    for listen in ["127.0.0.1:99999", "localhost:80", ":80", ""] {
        let said = refused(None, Some(listen));
        let start = format!("server.listen is {listen:?}, --listen: write an IP address");
        assert!(said.starts_with(&start), "{said}");
    }
}

#[test]
fn a_mistake_in_the_environment_names_its_variable() {
    let table = [
        (
            "PARLOR_SERVER__LISEN",
            "",
            "unknown setting, environment PARLOR_SERVER__LISEN: did you mean PARLOR_SERVER__LISTEN?",
        ),
        (
            "PARLOR_SERVER_DB",
            "",
            "unknown setting, environment PARLOR_SERVER_DB: did you mean PARLOR_SERVER__DB?",
        ),
        (
            "PARLOR_GUESTS__ENABLED",
            "on",
            "guests.enabled is \"on\", environment PARLOR_GUESTS__ENABLED: write true or false",
        ),
        (
            "PARLOR_LOGG__LEVEL",
            "info",
            "unknown setting, environment PARLOR_LOGG__LEVEL: did you mean PARLOR_LOG__LEVEL?",
        ),
        (
            "PARLOR_SERVER__DB",
            "/tmp",
            "server.db is \"/tmp\", environment PARLOR_SERVER__DB: that is a folder: name a file in it, such as \"/tmp/parlor.db\"",
        ),
    ];
    for (name, value, problem) in table {
        assert_eq!(from_env(&[(name, value)]).unwrap_err(), [problem]);
    }
}
