//! The administrator in front of a browser: reads the consent page, chooses the account, ticks everything, clicks Allow
//! and lands on the daemon's callback page.

use super::Error;
use std::time::Duration;

/// Where the browser ended.
pub(super) struct Page {
    /// Whether it was answered as a success.
    pub(super) accepted: bool,
    /// What a person reads there.
    pub(super) text: String,
}

/// Consents on the page at `url`, to all that it asks for.
pub(super) async fn consent(url: &str) -> Result<Page, Error> {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()?;
    let page = browser.get(url).send().await?;
    let accepted = page.status().is_success();
    let html = page.text().await?;
    if !accepted {
        return Ok(Page {
            accepted,
            text: visible(&html),
        });
    }
    let form = fill(&html).ok_or_else(|| {
        Error::Consent(format!(
            "no administrator can be chosen on the page: {}",
            visible(&html)
        ))
    })?;
    let landed = browser.post(url).form(&form).send().await?;
    Ok(Page {
        accepted: landed.status().is_success(),
        text: visible(&landed.text().await?),
    })
}

/// The form as the administrator sends it: the first account that is one, every scope ticked, Allow. None if the page has
/// no such account.
fn fill(html: &str) -> Option<Vec<(&'static str, String)>> {
    let inputs: Vec<_> = tags(html, "input").collect();
    let values = |name: &str| {
        let named = inputs
            .iter()
            .filter(move |tag| attribute(tag, "name") == Some(name));
        named
            .filter_map(|tag| attribute(tag, "value"))
            .map(unescape)
            .collect::<Vec<_>>()
    };
    let account = values("account")
        .into_iter()
        .find(|account| account.starts_with("admin@"))?;
    let mut form = vec![("account", account), ("action", "allow".to_owned())];
    form.extend(values("scope").into_iter().map(|scope| ("scope", scope)));
    Some(form)
}

/// The inside of each tag of that name.
fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    html.split('<')
        .filter_map(move |rest| rest.strip_prefix(name)?.split('>').next())
        .filter(|inside| inside.starts_with([' ', '\n', '/']))
}

/// The value of an attribute in double quotes.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag.get(start..)?.split('"').next()
}

/// What is left of a page without its tags and its style, on one line.
fn visible(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let text: Vec<_> = body
        .split('<')
        .map(|rest| rest.split_once('>').map_or(rest, |(_, text)| text))
        .flat_map(str::split_whitespace)
        .collect();
    unescape(&text.join(" "))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<html><head><title>Sign in</title></head><body>\n<h1>Ben &amp; Co</h1>\n\
        <input type=\"radio\" name=\"account\" value=\"somebody@gmail.test\">\n\
        <input type=\"radio\" name=\"account\" value=\"admin@acme.test\">\n\
        <input type=\"checkbox\" name=\"scope\" value=\"https://x.test/a?b=1&amp;c\">\n\
        <input type=\"checkbox\" name=\"scope\" value=\"second\">";

    #[test]
    fn the_administrator_is_chosen_and_every_scope_is_ticked() {
        let form = fill(PAGE).unwrap();
        let expected = [
            ("account", "admin@acme.test"),
            ("action", "allow"),
            ("scope", "https://x.test/a?b=1&c"),
            ("scope", "second"),
        ];
        assert_eq!(form, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn without_an_administrator_nothing_is_sent() {
        assert!(fill(&PAGE.replace("admin@", "nonadmin@")).is_none());
    }

    #[test]
    fn a_page_is_read_as_people_read_it() {
        let page = "<html><style>b {}</style><body class=\"x\"><h1>Not connected</h1>\n<p>Ask an &lt;admin&gt;.</p>";
        assert_eq!(visible(page), "Not connected Ask an <admin>.");
    }
}
