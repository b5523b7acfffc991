//! Settings that cannot be used are refused before anything is sent, with what to do.

use outbound::{
    Auth, Client, ClientProof, Config, OutboundErrorKind, ProxyConfig, ServiceApp, SigningKey, Url,
};

use crate::{clock, config, secret};

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn app(token_url: &str) -> ServiceApp {
    let key = include_bytes!("../data/keys/ec.sec1.pem");
    ServiceApp {
        client_id: "0oa1".to_owned(),
        token_url: url(token_url),
        token_elsewhere: false,
        scopes: Vec::new(),
        proof: ClientProof::Key(SigningKey::parse(key, None).unwrap()),
        dpop: false,
    }
}

#[test]
fn settings_that_cannot_be_used_are_told() {
    type Change = Box<dyn Fn(&mut Config)>;
    let base = |text: &'static str| -> Change { Box::new(move |it| it.base = url(text)) };
    let auth = |auth: Auth| -> Change { Box::new(move |it| it.auth = auth.clone()) };
    let proxy = |text: &'static str, credentials: Option<&'static str>| -> Change {
        Box::new(move |it| {
            let credentials = credentials.map(secret);
            it.proxy = Some(ProxyConfig { url: url(text), credentials });
        })
    };
    let table: [(&str, &str, Change); 16] = [
        ("base", "no https URL", base("ftp://org.test/")),
        ("base", "no https URL", base("mailto:a@b")),
        ("base", "in clear", base("http://org.test/")),
        ("base", "user name or a password", base("https://u:hunter2@org.test/")),
        ("base", "query", base("https://org.test/?a=hunter2")),
        ("ca_bundle", "no certificate", Box::new(|it| it.ca_bundle = Some(b"hunter2".to_vec()))),
        ("proxy", "credentials apart", proxy("http://u:hunter2@proxy.test/", None)),
        ("proxy", "http://HOST:PORT", proxy("socks5://proxy.test/", None)),
        ("proxy", "user:password", proxy("http://proxy.test/", Some("hunter2"))),
        ("user_agent", "plain characters", Box::new(|it| it.user_agent = "a\nb".to_owned())),
        ("auth", "no header takes", auth(Auth::Ssws(secret("hunter2\nx")))),
        ("auth", "empty", auth(Auth::Bearer(secret(" ")))),
        ("limits", "allow nothing", Box::new(|it| it.limits.attempts = 0)),
        ("token_url", "in clear", auth(Auth::ServiceApp(app("http://org.test/token")))),
        ("token_url", "another host", auth(Auth::ServiceApp(app("https://login.test/token")))),
        ("token_url", "user name", auth(Auth::ServiceApp(app("https://u:hunter2@org.test/t")))),
    ];
    for (setting, what, change) in table {
        let mut config = config(&url("https://org.test/"));
        change(&mut config);
        let error = Client::new(config, clock()).unwrap_err();
        let text = format!("{error}: {}", error.kind);
        assert!(text.starts_with("failed to set up the client for `"), "{text}");
        let OutboundErrorKind::Setting { setting: at, what: said } = &error.kind else {
            panic!("{text}")
        };
        assert!(*at == setting && said.contains(what), "{setting}, {what}: {text}");
        assert!(!format!("{text}{error:?}").contains("hunter2"), "{text}");
    }
}

#[test]
fn a_token_endpoint_elsewhere_and_clear_text_without_credentials_are_allowed_on_request() {
    let mut elsewhere = app("https://login.test/token");
    elsewhere.token_elsewhere = true;
    let mut config = config(&url("https://org.test/"));
    config.auth = Auth::ServiceApp(elsewhere);
    assert!(Client::new(config.clone(), clock()).is_ok());
    (config.base, config.auth) = (url("http://org.test/"), Auth::None);
    assert!(Client::new(config, clock()).is_ok());
}

#[test]
fn settings_and_clients_print_no_secret() {
    let mut config = config(&url("https://org.test/"));
    config.auth = Auth::Ssws(secret("hunter2"));
    config.proxy = Some(ProxyConfig {
        url: url("http://proxy.test/"),
        credentials: Some(secret("a:hunter2")),
    });
    let client = Client::new(config.clone(), clock()).unwrap();
    let text = format!("{config:?} {client:?} {:?}", client.reader());
    assert!(text.contains("org.test") && !text.contains("hunter2"), "{text}");
}
