//! Where requests may go, and how a URL is shown. No request leaves the base URL's scheme, host,
//! port and path.

use url::{Host, Url};

/// What no one may be sent to, in words for an error.
const OTHER_PLACE: &str = "which is not on the scheme, host and port of the base URL";
const OUTSIDE: &str = "which is not below the path of the base URL";
const USERINFO: &str = "which holds a user name or a password";
const NO_URL: &str = "which is no URL";

/// The base URL, with a path that ends in a slash.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    base: Url,
}

/// Checks a base URL before a client is made of it.
///
/// # Errors
///
/// Returns what is wrong with it, without the URL: no `https` or `http` URL with a host, or one with a
/// user, a password, a query or a fragment.
pub fn check_base(base: &Url) -> Result<(), String> {
    Scope::new(base).map(drop)
}

impl Scope {
    /// Takes a base URL; the text says what is wrong with it.
    pub(crate) fn new(base: &Url) -> Result<Self, String> {
        if !base.has_host() || !matches!(base.scheme(), "https" | "http") {
            return Err("no https URL: write `https://HOST/PATH`".to_owned());
        }
        if has_userinfo(base) {
            return Err("holds a user name or a password: give credentials apart".to_owned());
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err("has a query or a fragment: leave it out".to_owned());
        }
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self { base })
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// A path of ours with its query, below the base URL. Not resolved as a reference would be:
    /// `users/urn:x` is a path, and so is `//host`.
    pub(crate) fn below(&self, path_and_query: &str) -> Result<Url, &'static str> {
        let relative = path_and_query.trim_start_matches('/');
        let url = Url::parse(&format!("{}{relative}", self.base)).map_err(|_| NO_URL)?;
        self.check(url)
    }

    /// A link, absolute or relative to `from`.
    pub(crate) fn link(&self, from: &Url, link: &str) -> Result<Url, &'static str> {
        self.check(from.join(link).map_err(|_| NO_URL)?)
    }

    fn check(&self, mut url: Url) -> Result<Url, &'static str> {
        if !same_place(&self.base, &url) {
            return Err(OTHER_PLACE);
        }
        if has_userinfo(&url) {
            return Err(USERINFO);
        }
        if !url.path().starts_with(self.base.path()) || climbs(url.path()) {
            return Err(OUTSIDE);
        }
        url.set_fragment(None);
        Ok(url)
    }
}

/// Returns true when both have the same scheme, host and port.
pub(crate) fn same_place(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Returns true when a credential may go there: over TLS, or not further than this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Returns true when a server that decodes slashes early would see a `..` in the path. The parser
/// has resolved those that are written plainly.
fn climbs(path: &str) -> bool {
    let path = path.to_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    path.split('/').any(|segment| segment == "..")
}

/// The URL for a request line: no user, no fragment, and no value under a name like a secret's.
pub(crate) fn shown(url: &Url) -> String {
    let mut text = bare(url);
    let Some(query) = url.query() else { return text };
    for (index, pair) in query.split('&').enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) if is_secret_name(name) => {
                text.push_str(name);
                text.push_str("=(secret)");
            }
            _ => text.push_str(pair),
        }
    }
    text
}

/// The URL for errors and logs: without its query, which may name people, and cut where it is
/// absurdly long.
pub(crate) fn bare(url: &Url) -> String {
    const LEN_MAX: usize = 2000;
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Neither can fail for a URL with a host; for one without there is no user to remove.
    url.set_username("").ok();
    url.set_password(None).ok();
    // A parsed URL is ASCII but for odd schemes, so this cuts no character in two.
    url.as_str().chars().take(LEN_MAX).collect()
}

/// A link as a source wrote it, for an error.
pub(crate) fn bare_link(from: &Url, link: &str) -> String {
    from.join(link).map_or_else(|_| "(not readable)".to_owned(), |url| bare(&url))
}

/// Returns true when a query value of this name is likely to be a secret: its last word says so.
/// Cursors that are called tokens are none.
fn is_secret_name(name: &str) -> bool {
    const SECRETS: &[&str] = &[
        "token",
        "secret",
        "password",
        "passwd",
        "pwd",
        "apikey",
        "accesskey",
        "assertion",
        "signature",
        "sig",
        "credential",
        "authorization",
        "jwt",
        "session",
        "sid",
    ];
    const CURSORS: &[&str] =
        &["pagetoken", "skiptoken", "nexttoken", "continuationtoken", "deltatoken", "synctoken"];
    let name: String = name.to_lowercase().chars().filter(|it| it.is_alphanumeric()).collect();
    name == "key"
        || SECRETS.iter().any(|it| name.ends_with(it))
            && !CURSORS.iter().any(|it| name.ends_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(base: &str) -> Scope {
        Scope::new(&Url::parse(base).unwrap()).unwrap()
    }

    #[test]
    fn paths_stay_below_the_base() {
        let scope = scope("https://app.test/scim/v2");
        #[rustfmt::skip]
        let table = [
            ( "Users",                      Ok("https://app.test/scim/v2/Users")             ),
            ( "/Users?count=2",             Ok("https://app.test/scim/v2/Users?count=2")     ),
            ( "",                           Ok("https://app.test/scim/v2/")                  ),
            ( "Users/urn:x:1",              Ok("https://app.test/scim/v2/Users/urn:x:1")     ),
            ( "urn:x:1",                    Ok("https://app.test/scim/v2/urn:x:1")           ),
            ( "//evil.test/x",              Ok("https://app.test/scim/v2/evil.test/x")       ),
            ( "https://evil.test/",         Ok("https://app.test/scim/v2/https://evil.test/")),
            ( "Users/a%2Fb",                Ok("https://app.test/scim/v2/Users/a%2Fb")       ),
            ( "../../admin",                Err(OUTSIDE)                                     ),
            ( "Users/%2e%2e/%2E%2E/admin",  Err(OUTSIDE)                                     ),
            ( "Users/..%2f..%2F..%2fadmin", Err(OUTSIDE)                                     ),
            ( "Users/..%5cadmin",           Err(OUTSIDE)                                     ),
        ];
        for (path, want) in table {
            assert_eq!(
                scope.below(path).as_ref().map(Url::as_str),
                want.as_ref().copied(),
                "`{path}`"
            );
        }
    }

    #[test]
    fn links_stay_on_the_place_and_below_the_path() {
        let scope = scope("https://app.test/scim/v2/");
        #[rustfmt::skip]
        let table = [
            ( "https://app.test/scim/v2/Users?c=2",     Ok("https://app.test/scim/v2/Users?c=2") ),
            ( "https://APP.test:443/scim/v2/Users#top", Ok("https://app.test/scim/v2/Users")     ),
            ( "/scim/v2/Users",                         Ok("https://app.test/scim/v2/Users")     ),
            ( "Users",                                  Ok("https://app.test/scim/v2/Users")     ),
            ( "http://app.test/scim/v2/Users",          Err(OTHER_PLACE)                         ),
            ( "https://app.test:8443/scim/v2/Users",    Err(OTHER_PLACE)                         ),
            ( "https://app.test.evil.test/scim/v2/",    Err(OTHER_PLACE)                         ),
            ( "//evil.test/scim/v2/Users",              Err(OTHER_PLACE)                         ),
            ( "\\\\evil.test/scim/v2/Users",            Err(OTHER_PLACE)                         ),
            ( "file:///etc/passwd",                     Err(OTHER_PLACE)                         ),
            ( "https://me:pw@app.test/scim/v2/Users",   Err(USERINFO)                            ),
            ( "https://app.test/scim/v21/Users",        Err(OUTSIDE)                             ),
            ( "/admin",                                 Err(OUTSIDE)                             ),
            ( "https://[/",                             Err(NO_URL)                              ),
        ];
        for (link, want) in table {
            let url = scope.link(scope.base(), link);
            assert_eq!(url.as_ref().map(Url::as_str), want.as_ref().copied(), "`{link}`");
        }
    }

    #[test]
    fn values_of_secrets_are_masked_and_cursors_are_not() {
        let url =
            "https://u:p@app.test/a?access_token=hunter2&api-key=hunter2&skipToken=c&x=1&token#f";
        let url = Url::parse(url).unwrap();
        assert_eq!(
            shown(&url),
            "https://app.test/a?access_token=(secret)&api-key=(secret)&skipToken=c&x=1&token"
        );
        assert_eq!(bare(&url), "https://app.test/a");
    }

    #[test]
    fn credentials_go_over_tls_or_stay_on_this_machine() {
        for (url, want) in [
            ("https://app.test", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]", true),
            ("http://localhost", true),
            ("http://app.test", false),
            ("http://localhost.evil.test", false),
            ("http://127.0.0.1.evil.test", false),
            ("ftp://127.0.0.1", false),
        ] {
            assert_eq!(is_private(&Url::parse(url).unwrap()), want, "`{url}`");
        }
    }
}
