//! The sandbox against Google's own description of the Directory API.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::client::{ADMIN, Client, refusal, text};

fn document() -> Value {
    serde_json::from_str(include_str!("../../fixtures/admin.directory_v1.json")).unwrap()
}

const RESOURCES: [&str; 6] = [
    "users",
    "groups",
    "members",
    "customers",
    "domains",
    "orgunits",
];

/// Every GET method of the resources, with a path that exists.
fn reads(document: &Value, group: &str) -> BTreeMap<String, (Value, String)> {
    let keys = BTreeMap::from([
        ("{userKey}", ADMIN),
        ("{groupKey}", group),
        ("{memberKey}", ADMIN),
        ("{customerKey}", "my_customer"),
        ("{customer}", "my_customer"),
        ("{domainName}", "acme.test"),
        ("{customerId}", "my_customer"),
    ]);
    let mut all = BTreeMap::new();
    for resource in RESOURCES {
        for method in document["resources"][resource]["methods"]
            .as_object()
            .unwrap()
            .values()
        {
            // Of units only the listing is served.
            if method["httpMethod"] == "GET" && method["id"] != "directory.orgunits.get" {
                let mut path = text(method, "path").replace("admin/directory/v1/", "");
                for (name, key) in &keys {
                    path = path.replace(name, key);
                }
                if method["parameters"]
                    .get("customer")
                    .is_some_and(|one| one["location"] == "query")
                {
                    path += "?customer=my_customer";
                }
                all.insert(text(method, "id"), (method.clone(), path));
            }
        }
    }
    all
}

/// Every property is one the schema has; structures are followed.
fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return conforms(document, &document["schemas"][name], value, place);
    }
    match schema["type"].as_str() {
        Some("object") if schema.get("properties").is_some() => {
            let known = schema["properties"].as_object().unwrap();
            for (name, inner) in value
                .as_object()
                .unwrap_or_else(|| panic!("{place} is no object"))
            {
                let inner_schema = known
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}.{name} is unknown to Google"));
                conforms(document, inner_schema, inner, &format!("{place}.{name}"));
            }
        }
        Some("array") => {
            for item in value
                .as_array()
                .unwrap_or_else(|| panic!("{place} is no array"))
            {
                conforms(document, &schema["items"], item, place);
            }
        }
        Some("string") => assert!(value.is_string(), "{place} is no string: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{place} is no boolean: {value}"),
        _ => {}
    }
}

async fn start() -> (Client, String, String) {
    let client = Client::small().await;
    let access = client.access(ADMIN).await;
    let group = text(
        &client.get(&access, "groups?customer=my_customer").await.1["groups"][1],
        "id",
    );
    let body = json!({"email": ADMIN});
    client
        .call(
            &access,
            Method::POST,
            &format!("groups/{group}/members"),
            body,
        )
        .await;
    (client, access, group)
}

#[tokio::test]
async fn answers_hold_only_what_googles_schema_knows() {
    let (client, access, group) = start().await;
    let document = document();
    let reads = reads(&document, &group);
    assert_eq!(reads.len(), 11, "{:?}", reads.keys());
    for (id, (method, path)) in &reads {
        let (status, body) = client.get(&access, path).await;
        assert_eq!(status, 200, "{id} {path}: {body}");
        conforms(&document, &method["response"], &body, id);
        assert!(!body.as_object().unwrap().is_empty(), "{id}");
    }
    let full = client
        .get(
            &access,
            "users?customer=my_customer&projection=full&maxResults=500",
        )
        .await
        .1;
    conforms(&document, &json!({"$ref": "Users"}), &full, "users");
}

#[tokio::test]
async fn parameters_are_the_documents_and_no_others() {
    let (client, access, group) = start().await;
    let document = document();
    for (id, (method, path)) in reads(&document, &group) {
        let joint = if path.contains('?') { '&' } else { '?' };
        let unknown = client
            .get(&access, &format!("{path}{joint}pageSize=3"))
            .await;
        assert_eq!(refusal(&unknown).0, 400, "{id}");
        assert!(
            refusal(&unknown).2.contains("Unknown name \"pageSize\""),
            "{id}"
        );
        let empty = Map::new();
        let parameters = method["parameters"].as_object().unwrap_or(&empty);
        for (name, rules) in parameters
            .iter()
            .filter(|(_, rules)| rules["location"] == "query")
        {
            if let Some(words) = rules["enum"].as_array() {
                let wrong = client
                    .get(&access, &format!("{path}{joint}{name}=nonsense"))
                    .await;
                assert_eq!(refusal(&wrong).0, 400, "{id} {name}");
                for word in words {
                    let good = client
                        .get(
                            &access,
                            &format!("{path}{joint}{name}={}", word.as_str().unwrap()),
                        )
                        .await;
                    assert_eq!(good.0, 200, "{id} {name}={word}: {}", good.1);
                }
            }
        }
    }
    for name in document["parameters"].as_object().unwrap().keys() {
        if ["fields", "alt", "prettyPrint", "$.xgafv"].contains(&name.as_str())
            || name.ends_with("token")
        {
            continue;
        }
        let good = client
            .get(&access, &format!("users/{ADMIN}?{name}=x"))
            .await;
        assert_eq!(good.0, 200, "{name}");
    }
}

#[tokio::test]
async fn scopes_are_the_documents() {
    let (client, _, group) = start().await;
    let document = document();
    let all: Vec<String> = document["auth"]["oauth2"]["scopes"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    for scope in all
        .iter()
        .filter(|scope| scope.starts_with("https://www.googleapis.com/auth/"))
    {
        let url = client.auth_url(&[("scope", &format!("openid {scope}"))]);
        let answer = client
            .decide(
                url,
                &[("account", ADMIN), ("action", "allow"), ("scope", scope)],
            )
            .await;
        let (_, tokens) = client.exchange(super::client::value(&answer, "code")).await;
        let access = text(&tokens, "access_token");
        for (id, (method, path)) in reads(&document, &group) {
            let accepted = method["scopes"].as_array().unwrap().contains(&json!(scope));
            let status = client.get(&access, &path).await.0;
            assert_eq!(
                status,
                if accepted { 200 } else { 403 },
                "{id} with {scope}"
            );
        }
    }
}

#[tokio::test]
async fn page_sizes_are_kept_within_the_documents_bounds() {
    let (client, access, group) = start().await;
    let document = document();
    let mut lists = 0;
    for (id, (method, path)) in reads(&document, &group) {
        let rules = &method["parameters"]["maxResults"];
        if rules.is_null() {
            continue;
        }
        lists += 1;
        let array = id.split('.').nth(1).unwrap();
        let joint = if path.contains('?') { '&' } else { '?' };
        let rows = async |wanted: &str| {
            let (status, body) = client
                .get(&access, &format!("{path}{joint}maxResults={wanted}"))
                .await;
            (status, body[array].as_array().map_or(0, Vec::len))
        };
        assert_eq!(rows("3").await, (200, 3), "{id}");
        assert_eq!(
            rows("0").await,
            (200, 1),
            "{id}: less than the minimum is the minimum"
        );
        assert_eq!(rows("many").await.0, 400, "{id}");
        let maximum = rules["maximum"]
            .as_str()
            .map_or(200, |text| text.parse().unwrap());
        let (status, most) = rows("9999").await;
        assert!(
            status == 200 && most <= maximum && most > 10,
            "{id}: {most}"
        );
        let default: usize = rules["default"].as_str().unwrap().parse().unwrap();
        let (_, body) = client.get(&access, &path).await;
        assert!(body[array].as_array().unwrap().len() <= default, "{id}");
    }
    assert_eq!(lists, 3);
}
