//! Where a browser may be sent after authorizing: never to where nobody allowed it, or anyone could use our page to send
//! people elsewhere.

use url::{Host, Origin, Url};

const LONGEST: usize = 2048;

/// The origins allowed.
#[derive(Debug, Clone)]
pub struct ReturnUrls {
    origins: Vec<Origin>,
    loopback: bool,
}

impl ReturnUrls {
    /// Allows these origins; loopback ones too if the public URL is one.
    pub fn new(public_url: &Url, origins: &[String]) -> Self {
        let parsed = origins.iter().filter_map(|origin| Url::parse(origin).ok());
        Self {
            origins: parsed.map(|url| url.origin()).collect(),
            loopback: is_loopback(public_url),
        }
    }

    /// The URL if it is allowed, else why not.
    pub fn check(&self, text: &str) -> Result<Url, String> {
        if text.len() > LONGEST {
            return Err(format!("must have at most {LONGEST} characters"));
        }
        let url = Url::parse(text).map_err(|error| {
            format!("is not a URL ({error}): give one such as https://console.example.com/done")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must be an http or https URL".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must hold no user and no password".to_owned());
        }
        let allowed = self.origins.contains(&url.origin()) || (self.loopback && is_loopback(&url));
        if !allowed {
            return Err(format!(
                "{} is not allowed: the daemon's operator must add it to http.return_urls",
                url.origin().ascii_serialization()
            ));
        }
        Ok(url)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(public: &str, origins: &[&str], url: &str) -> bool {
        let origins: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        ReturnUrls::new(&Url::parse(public).unwrap(), &origins)
            .check(url)
            .is_ok()
    }

    #[test]
    fn a_browser_is_sent_only_to_origins_that_are_allowed() {
        let origins = ["https://console.example.com"];
        let table = [
            ("https://console.example.com/done?a=1#b", true),
            ("https://CONSOLE.example.com:443/", true),
            ("http://console.example.com/", false),
            ("https://console.example.com:444/", false),
            ("https://console.example.com.evil.org/", false),
            ("https://evil.org/console.example.com", false),
            ("https://console.example.com@evil.org/", false),
            ("https://user@console.example.com/", false),
            ("javascript:alert(1)//console.example.com", false),
            ("//console.example.com/", false),
            ("/done", false),
            ("http://127.0.0.1:3000/", false),
        ];
        for (url, expected) in table {
            assert_eq!(
                allowed("https://sync.example.com", &origins, url),
                expected,
                "{url}"
            );
        }
        let long = format!("https://console.example.com/{}", "x".repeat(2048));
        assert!(!allowed("https://sync.example.com", &origins, &long));
    }

    #[test]
    fn loopback_is_allowed_as_long_as_the_daemon_itself_is_reached_there() {
        let public = "http://127.0.0.1:8480";
        for url in [
            "http://localhost:3000/x",
            "http://127.0.0.1/",
            "http://[::1]:1/",
        ] {
            assert!(allowed(public, &[], url), "{url}");
        }
        assert!(!allowed(public, &[], "https://example.com/"));
    }
}
