//! Tests of loading settings: sources, origins and mistakes.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;

use super::*;

mod mistakes;

const MANUAL: &str = include_str!("../../config.toml");

fn from_file(text: &str) -> Result<Loaded, Vec<String>> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let path = file.path().to_owned();
    let shorten = |problem: &String| problem.replace(path.to_str().unwrap(), "chat.toml");
    load(Some(&path), [], Flags::default()).map_err(|e| e.problems.iter().map(shorten).collect())
}

fn vars(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

fn from_env(pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let loaded = load(None, vars(pairs), Flags::default());
    loaded
        .map(|loaded| loaded.config)
        .map_err(|error| error.problems)
}

#[test]
fn the_sample_config_equals_the_defaults() {
    assert_eq!(from_file(MANUAL).unwrap().config, Config::default());
}

#[test]
fn the_sample_config_lists_every_setting() {
    let loaded = from_file(MANUAL).unwrap();
    for setting in SETTINGS {
        assert_ne!(
            loaded.origin(setting.key),
            &Origin::Default,
            "{} is missing",
            setting.key
        );
    }
}

#[test]
fn without_sources_the_defaults_apply() {
    assert_eq!(from_env(&[]).unwrap(), Config::default());
}

#[test]
fn printed_settings_can_be_parsed_again() {
    let file = "[compat]\nopen = [\"team\"]\n[server]\ntrusted_proxies = [\"10.1.2.3\"]\n[auth]\naccess_ttl = \"1h30m\"\n";
    let loaded = from_file(file).unwrap();
    let printed = loaded.to_toml();
    assert!(printed.contains("access_ttl = \"90m\" # "), "{printed}");
    assert_eq!(from_file(&printed).unwrap().config, loaded.config);
}

#[test]
fn flags_override_the_environment_and_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        &file,
        "[server]\ndb = \"a\"\nlisten = \"1.1.1.1:1\"\n[log]\nlevel = \"warn\"\n",
    )
    .unwrap();
    let env = vars(&[
        ("PARLOR_SERVER__DB", "b"),
        ("PARLOR_SERVER__LISTEN", "2.2.2.2:2"),
    ]);
    let flags = Flags {
        db: Some("c".into()),
        listen: None,
    };
    let loaded = load(Some(file.path()), env, flags).unwrap();
    assert_eq!(loaded.config.server.db, Path::new("c"));
    assert_eq!(loaded.origin("server.db"), &Origin::Flag("--db"));
    assert_eq!(loaded.config.server.listen, "2.2.2.2:2".parse().unwrap());
    assert_eq!(
        loaded.origin("server.listen").to_string(),
        "environment PARLOR_SERVER__LISTEN"
    );
    assert_eq!(loaded.config.log.level, LogLevel::Warn);
    assert_eq!(
        loaded.origin("log.level"),
        &Origin::File(file.path().to_owned(), 5)
    );
}

#[test]
fn variables_set_by_an_orchestrator_are_ignored() {
    let env = [
        ("PARLOR_PORT", "tcp://10.0.0.1:80"),
        ("PARLOR_SERVICE_HOST", "10.0.0.1"),
        ("OTHER__X", "1"),
    ];
    assert_eq!(from_env(&env).unwrap(), Config::default());
}

#[test]
fn a_value_may_be_read_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "closed\n").unwrap();
    let path = file.path().to_str().unwrap();
    let config = from_env(&[("PARLOR_AUTH__REGISTRATION_FILE", path)]).unwrap();
    assert_eq!(config.auth.registration, Registration::Closed);

    std::fs::write(&file, "a secret put into the wrong file").unwrap();
    let problems = from_env(&[("PARLOR_AUTH__REGISTRATION_FILE", path)]).unwrap_err();
    assert!(!problems.concat().contains("secret"), "{problems:?}");
    let both = [
        ("PARLOR_AUTH__REGISTRATION_FILE", path),
        ("PARLOR_AUTH__REGISTRATION", "open"),
    ];
    assert!(from_env(&both).unwrap_err()[0].contains("both set"));
}

#[test]
fn ws_url_is_also_read_from_its_short_variable() {
    let short = ("WS_URL", "ws://a:1");
    assert_eq!(
        from_env(&[short]).unwrap().web.ws_url.as_deref(),
        Some("ws://a:1")
    );
    let both = from_env(&[short, ("PARLOR_WEB__WS_URL", "wss://b")]).unwrap();
    assert_eq!(both.web.ws_url.as_deref(), Some("wss://b"));
    assert_eq!(from_env(&[("WS_URL", "")]).unwrap(), Config::default());
}

#[test]
fn invalid_urls_are_refused() {
    for url in [
        "ftp://x",
        "http://",
        "http://a@b",
        "http://x/",
        "http://x?y",
        "x",
        "http://:80",
        "http://a b",
        "http://a:99999",
        "http://a:0",
        "http://a:",
        "http://a:8 0",
        "https://[::1",
        "https://[::1]x",
        "https://[fe80]",
        "https://::1",
        "https://x.org:8443/chat",
    ] {
        assert!(
            from_env(&[("PARLOR_SERVER__PUBLIC_URL", url)]).is_err(),
            "{url}"
        );
    }
    for url in [
        "http://chat.lan",
        "https://x.org:8443",
        "http://[fd00::1]:80",
        "http://[::1]",
        "",
    ] {
        assert!(
            from_env(&[("PARLOR_SERVER__PUBLIC_URL", url)]).is_ok(),
            "{url}"
        );
    }
}

#[test]
fn durations_are_numbers_with_units() {
    let good = [
        ("1h", 3_600_000),
        ("1h30m", 5_400_000),
        ("250ms", 250),
        ("7d", 604_800_000),
        ("0s", 0),
    ];
    for (text, ms) in good {
        assert_eq!(
            Duration::from_text(text),
            Some(Duration::from_millis(ms)),
            "{text}"
        );
    }
    for text in [
        "",
        "1",
        "h",
        "1y",
        "-1s",
        "1.5h",
        "1h ",
        "99999999999999999999d",
        "9999999999999d",
    ] {
        assert_eq!(Duration::from_text(text), None, "{text}");
    }
}

#[test]
fn lists_in_the_environment_are_separated_by_commas() {
    let proxies = ("PARLOR_SERVER__TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let origins = ("PARLOR_CORS__ALLOWED_ORIGINS", "https://a.org,http://b:81");
    let config = from_env(&[proxies, origins, ("PARLOR_COMPAT__OPEN", "team,realtime")]).unwrap();
    assert!(
        config.server.trusted_proxies[0]
            .contains(&"127.0.0.1".parse::<std::net::IpAddr>().unwrap())
    );
    assert!(config.cors.allowed_origins.allows("http://b:81"));
    assert!(!config.cors.allowed_origins.allows("http://b"));
    assert!(config.compat.open.includes("team") && !config.compat.open.includes("komunikator"));
    for bad in ["native", "team,", "yes"] {
        assert!(from_env(&[("PARLOR_COMPAT__OPEN", bad)]).is_err(), "{bad}");
    }
}

#[test]
fn contradicting_settings_are_refused() {
    let ttl = from_env(&[("PARLOR_AUTH__REFRESH_TTL", "10m")]).unwrap_err();
    assert!(ttl[0].starts_with("auth.access_ttl is longer"), "{ttl:?}");
    let listen = from_env(&[("PARLOR_COMPAT__WS_LISTEN", "0.0.0.0:8080")]).unwrap_err();
    assert!(
        listen[0].starts_with("compat.ws_listen equals"),
        "{listen:?}"
    );
}

#[test]
fn zero_means_no_limit() {
    let config = from_env(&[("PARLOR_LIMITS__MESSAGES_PER_SECOND", "0")]).unwrap();
    assert_eq!(config.limits.messages_per_second, None);
}

#[test]
fn dangerous_settings_cause_warnings() {
    assert!(Config::default().warnings().is_empty());
    let env = [
        ("PARLOR_COMPAT__OPEN", "true"),
        ("PARLOR_AUTH__PBKDF2_ROUNDS", "1000"),
    ];
    assert_eq!(from_env(&env).unwrap().warnings().len(), 2);
    let proxy = ("PARLOR_SERVER__PUBLIC_URL", "https://chat.example.org");
    assert_eq!(from_env(&[proxy]).unwrap().warnings().len(), 1);
    let trusted = ("PARLOR_SERVER__TRUSTED_PROXIES", "::1");
    assert!(from_env(&[proxy, trusted]).unwrap().warnings().is_empty());
}

#[test]
fn hosts_and_origins_are_validated_and_normalized() {
    let env = [
        ("PARLOR_SERVER__HOSTS", "Chat.Example.org., nas"),
        ("PARLOR_CORS__TRUSTED_ORIGINS", "HTTP://Front.lan:3000"),
    ];
    let config = from_env(&env).unwrap();
    assert_eq!(config.server.hosts.0, ["chat.example.org", "nas"]);
    assert_eq!(config.cors.trusted_origins.0, ["http://front.lan:3000"]);
    for bad in ["http://a", "a:80", "a/b", "a b", "*", "*.a.org", "a..b"] {
        assert!(from_env(&[("PARLOR_SERVER__HOSTS", bad)]).is_err(), "{bad}");
    }
    for bad in [
        "*",
        "null",
        "front.lan",
        "http://front.lan/",
        "http://*.lan",
        "http://front.lan:99999",
        "http://[::1",
    ] {
        let env = [("PARLOR_CORS__TRUSTED_ORIGINS", bad)];
        assert!(from_env(&env).is_err(), "{bad}");
    }
}

#[test]
fn inconsistent_origins_and_proxies_cause_warnings() {
    let trusted = ("PARLOR_CORS__TRUSTED_ORIGINS", "http://a.lan");
    let allowed = ("PARLOR_CORS__ALLOWED_ORIGINS", "http://b.lan");
    assert!(from_env(&[trusted]).unwrap().warnings().is_empty());
    for (env, setting) in [
        (&[trusted, allowed][..], "cors.trusted_origins"),
        (
            &[("PARLOR_SERVER__TRUSTED_PROXIES", "0.0.0.0/0")],
            "server.trusted_proxies",
        ),
        (
            &[("PARLOR_SERVER__PUBLIC_URL", "http://b\u{fc}cher.example")],
            "server.public_url",
        ),
    ] {
        let warnings = from_env(env).unwrap().warnings();
        assert!(
            warnings.len() == 1 && warnings[0].starts_with(setting),
            "{warnings:?}"
        );
    }
}
