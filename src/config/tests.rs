use super::*;

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/provisiond.example.toml"
);

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn with(overrides: &[(&str, &str)]) -> Result<Config, Error> {
    Config::load(None, [], pairs(overrides))
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn nothing_is_required_on_loopback() {
    let config = with(&[]).unwrap();
    assert_eq!(config.grpc.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8480");
    assert_eq!(config.http.public_url, None);
    assert_eq!(config.store.path, Path::new("provisiond-data"));
    assert_eq!(config.sealing.key_file, Path::new("provisiond-data.key"));
    assert_eq!(config.shutdown.grace, Duration::from_secs(25));
    let google = config.systems.first().unwrap();
    assert_eq!(google.client, None);
    assert_eq!(
        google.token_url.as_str(),
        "https://oauth2.googleapis.com/token"
    );
}

#[test]
fn the_example_file_shows_every_key_and_the_defaults() {
    let mut config = Config::load(Some(Path::new(EXAMPLE)), [], []).unwrap();
    assert_eq!(config.http.return_urls, ["https://console.example.com"]);
    let public = config.http.public_url.take().unwrap();
    assert_eq!(public.as_str(), "http://127.0.0.1:8480/");
    config.http.return_urls.clear();
    assert_eq!(config, with(&[]).unwrap());

    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    for key in raw::KEYS
        .iter()
        .map(|key| (*key).to_owned())
        .chain(systems::keys())
    {
        let name = key.rsplit('.').next().unwrap();
        assert!(text.contains(&format!("{name} = ")), "{key} is missing");
    }
}

#[test]
fn flags_go_over_environment_over_file() {
    let (_dir, path) = file(
        "[store]\npath = \"file\"\n[log]\nfilter = \"warn\"\n[grpc]\nlisten = \"127.0.0.1:1\"",
    );
    let env = pairs(&[
        ("PROVISIOND_STORE__PATH", "environment"),
        ("PROVISIOND_GRPC__LISTEN", "127.0.0.1:2"),
        ("HOME", "somewhere"),
    ]);
    let config = Config::load(Some(&path), env, pairs(&[("grpc.listen", "[::1]:3")])).unwrap();
    assert_eq!(config.log.filter, "warn");
    assert_eq!(config.store.path, Path::new("environment"));
    assert_eq!(config.grpc.listen.to_string(), "[::1]:3");
}

#[test]
fn the_client_secret_comes_from_a_file_and_is_never_shown() {
    let (_dir, path) = file("  top-secret\n");
    let env = pairs(&[
        ("PROVISIOND_SYSTEMS__GOOGLE_WORKSPACE__CLIENT_ID", "abc"),
        (
            "PROVISIOND_SYSTEMS__GOOGLE_WORKSPACE__CLIENT_SECRET_FILE",
            path.to_str().unwrap(),
        ),
        (
            "PROVISIOND_SYSTEMS__GOOGLE_WORKSPACE__API_URL",
            "http://127.0.0.1:9/google",
        ),
    ]);
    let config = Config::load(None, env, []).unwrap();
    assert!(!format!("{config:?}").contains("top-secret"));
    let google = config.systems.first().unwrap();
    let client = google.client.as_ref().unwrap();
    assert_eq!(
        (client.id.as_str(), client.secret.expose()),
        ("abc", "top-secret")
    );
    assert_eq!(google.api_url.as_str(), "http://127.0.0.1:9/google/");
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let google = "systems.google-workspace";
    let table: &[(&str, &str, &str)] = &[
        (
            "grpc.listen",
            "0.0.0.0:50051",
            "callers ([callers.<name>]) and TLS",
        ),
        ("grpc.listen", "localhost", "give IP and port"),
        ("grpc.listen", "  ", "leave the key out"),
        ("http.listen", "0.0.0.0:80", "http.public_url: must be set"),
        ("http.listen", "8480", "give IP and port"),
        ("backup.directory", "provisiond-data/backups", "elsewhere"),
        ("backup.every", "30m", "1h to 720h"),
        ("backup.keep", "0", "1 to 1000"),
        ("http.public_url", "http://sync.example.com", "https"),
        ("http.public_url", "sync.example.com", "is not a URL"),
        (
            "http.public_url",
            "https://sync.example.com/?a=1",
            "no query",
        ),
        ("http.return_urls", "https://a.example.com/path", "no path"),
        (
            "http.return_urls",
            "http://a.example.com",
            "https except on loopback",
        ),
        (
            "http.return_urls",
            "javascript:alert(1)",
            "is not an origin",
        ),
        ("sealing.key_file", "provisiond-data/key", "not be inside"),
        ("log.format", "xml", "auto, text, json"),
        ("log.filter", "provisiond=loud", "give a level"),
        ("shutdown.grace", "soon", "25s"),
        ("sync.runs_at_once", "0", "from 1 to 64"),
        ("retention.events_days", "0", "from 1 to 3650"),
        ("retention.events_days", "91", "retention.runs_days"),
        ("retention.runs_days", "3", "must not be less"),
        ("sync.runs_at_once", "many", "from 1 to 64"),
        ("sync.catch_up", "soon", "6h"),
        ("sync.catch_up", "-1h", "6h"),
        ("shutdown.grace", "-1s", "25s"),
        ("shutdown.grace", "1h", "10m"),
        (&format!("{google}.client_id"), "abc", "client_secret_file"),
        (
            &format!("{google}.client_secret_file"),
            "absent",
            "client_id",
        ),
        (
            &format!("{google}.token_url"),
            "http://oauth2.googleapis.com",
            "https",
        ),
        ("store.pth", "x", "the nearest is store.path"),
        (
            "systems.google.client_id",
            "x",
            "the nearest is systems.google-workspace.client_id",
        ),
    ];
    for (key, value, expected) in table {
        let error = with(&[(key, value)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{key} = {value}: {error}");
    }
}

#[test]
fn everything_wrong_is_told_at_once_with_its_origin() {
    let (_dir, path) =
        file("[grpc]\nlisten = 7\n[http]\nreturn_urls = [1]\n[lgo]\nformat = \"text\"\n");
    let env = pairs(&[("PROVISIOND_LOG__FORMAT", "xml")]);
    let error = Config::load(Some(&path), env, []).unwrap_err();
    let found = |key: &str, origin: &str, text: &str| {
        let mut all = error.problems.iter();
        all.any(|p| p.key == key && p.origin.contains(origin) && p.text.contains(text))
    };
    assert!(found("grpc.listen", "p.toml", "quotes"), "{error}");
    assert!(found("http.return_urls", "p.toml", "list"), "{error}");
    assert!(found("lgo.format", "p.toml", "log.format"), "{error}");
    assert!(
        found("log.format", "PROVISIOND_LOG__FORMAT", "xml"),
        "{error}"
    );
    assert_eq!(error.problems.len(), 4, "{error}");
}

#[test]
fn a_file_that_is_absent_or_no_toml_is_named() {
    let absent = Config::load(Some(Path::new("absent.toml")), [], []).unwrap_err();
    assert!(absent.to_string().contains("absent.toml: can't be read"));
    let (_dir, path) = file("[grpc\n");
    let broken = Config::load(Some(&path), [], []).unwrap_err();
    assert!(broken.to_string().contains("not valid TOML"), "{broken}");
}

#[test]
fn auto_means_json_unless_on_a_terminal() {
    let config = with(&[]).unwrap();
    assert!(config.log_as_json(false) && !config.log_as_json(true));
    let text = with(&[("log.format", "text")]).unwrap();
    assert!(!text.log_as_json(false));
}

#[test]
fn what_is_wrong_with_callers_is_named_with_what_to_do() {
    let (token, hash) = new_token().unwrap();
    let (_, other) = new_token().unwrap();
    let good = [
        ("callers.one.role", "viewer"),
        ("callers.one.companies", "acme"),
        ("callers.one.token_hash", &hash),
    ];
    let load = |rows: &[(&str, &str)]| {
        let rows = good.iter().chain(rows);
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let rows: std::collections::BTreeMap<_, _> = rows.map(own).collect();
        Config::load(None, [], rows)
    };
    let callers = load(&[]).unwrap().callers;
    assert_eq!((callers.len(), callers[0].name.as_str()), (1, "one"));
    let two = [
        ("callers.two.role", "admin"),
        ("callers.two.companies", "*"),
    ];
    assert_eq!(
        load(&[two[0], two[1], ("callers.two.token_hash", &other)])
            .unwrap()
            .callers
            .len(),
        2
    );
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("callers.one.role", "root")], "viewer, operator, admin"),
        (&[("callers.one.companies", "")], "must name companies"),
        (&[("callers.one.companies", "ACME")], "is no company"),
        (&[("callers.one.companies", "acme,*")], "is no company"),
        (
            &[("callers.one.token_hash", token.expose())],
            "never the token itself",
        ),
        (&[("callers.one.certificate", "a b")], "is no DNS name"),
        (
            &[("callers.one.certificate", "a.test")],
            "tls_client_ca_file",
        ),
        (
            &[("callers.One.role", "viewer")],
            "is not a name of a caller",
        ),
        (&[("callers.one.rolle", "viewer")], "callers.one.role"),
        (&two, "provisiond token new"),
        (
            &[two[0], two[1], ("callers.two.token_hash", &hash)],
            "is that of caller one already",
        ),
        (
            &[("grpc.tls_cert_file", "/absent")],
            "grpc.tls_key_file: must be set",
        ),
        (
            &[("grpc.listen", "0.0.0.0:50051")],
            "TLS (grpc.tls_cert_file)",
        ),
    ];
    for (rows, expected) in table {
        let said = load(rows).unwrap_err().to_string();
        assert!(said.contains(expected), "{rows:?}: {said}");
        assert!(!said.contains(token.expose()), "{said}");
    }
}

#[test]
fn beyond_loopback_both_callers_and_tls_are_needed_and_what_lacks_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        file("cert.pem", &made.cert.pem()),
        file("key.pem", &made.signing_key.serialize_pem()),
    );
    let (_, hash) = new_token().unwrap();
    let callers = [
        ("callers.one.role", "viewer"),
        ("callers.one.companies", "acme"),
        ("callers.one.token_hash", &*hash),
    ];
    let tls = [
        ("grpc.tls_cert_file", &*certificate),
        ("grpc.tls_key_file", &*key),
    ];
    let load = |address: &str, rows: &[(&str, &str)]| {
        let rows = [rows, &[("grpc.listen", address)]].concat();
        with(&rows)
    };
    let said = |rows| {
        let refused = load("0.0.0.0:50051", rows).unwrap_err().to_string();
        let (_, said) = refused.split_once("configure ").unwrap();
        said.split_once(", or give").unwrap().0.to_owned()
    };
    let (lacks_callers, lacks_tls) = ("callers ([callers.<name>])", "TLS (grpc.tls_cert_file)");
    assert_eq!(said(&[]), format!("{lacks_callers} and {lacks_tls}"));
    assert_eq!(said(&tls), lacks_callers);
    assert_eq!(said(&callers), lacks_tls);
    let both = [&callers[..], &tls[..]].concat();
    for address in ["0.0.0.0:50051", "[::]:50051", "192.0.2.1:50051"] {
        assert!(load(address, &both).is_ok(), "{address}");
        assert!(load(address, &tls).is_err(), "{address}");
    }
    for address in ["127.0.0.1:50051", "[::1]:50051", "127.9.9.9:50051"] {
        assert!(load(address, &[]).is_ok(), "{address}");
    }
}
