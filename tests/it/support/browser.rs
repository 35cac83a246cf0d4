//! An admin with a browser: opens the consent page, decides, and lands where the page sends him.

use reqwest::{Response, redirect::Policy};

/// Decides on a consent page: `scopes` are those ticked, none = all that are asked for. Gives the callback's answer.
pub async fn decide(page: &str, account: &str, action: &str, scopes: Option<&[&str]>) -> Response {
    let http = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let target = answer(&http, page, account, action, scopes).await;
    http.get(target).send().await.unwrap()
}

/// Decides, and gives the URL to which the page sends the browser, without going there.
pub async fn answer(
    http: &reqwest::Client,
    page: &str,
    account: &str,
    action: &str,
    scopes: Option<&[&str]>,
) -> String {
    let shown = http.get(page).send().await.unwrap();
    assert_eq!(shown.status(), 200, "{}", shown.text().await.unwrap());
    let asked: String = url::Url::parse(page)
        .unwrap()
        .query_pairs()
        .find(|(name, _)| name == "scope")
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let ticked: Vec<&str> = scopes.map_or_else(|| asked.split(' ').collect(), <[&str]>::to_vec);
    let mut form = vec![("account", account), ("action", action)];
    form.extend(ticked.into_iter().map(|scope| ("scope", scope)));
    let answer = http.post(page).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
    answer.headers()["location"].to_str().unwrap().to_owned()
}
