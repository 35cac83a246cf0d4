//! The least that the same work could cost: one loop that reads and parses the pages, and one that puts the same records
//! into a sled.

use super::stage::Google;
use serde_json::Value;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// The fields that the daemon asks for.
const FIELDS: &str = "nextPageToken,users(id,primaryEmail,name(givenName,familyName,fullName,displayName),suspended,\
    archived,isAdmin,orgUnitPath,aliases,phones,organizations,relations,externalIds)";

/// Reads and parses all pages of users, one after the other.
pub async fn read(google: &Google, users: usize) -> Duration {
    let access = google.access().await;
    let begun = Instant::now();
    let (mut read, mut token) = (0, String::new());
    loop {
        let mut url = url::Url::parse(&format!("{}/admin/directory/v1/users", google.url)).unwrap();
        url.query_pairs_mut()
            .append_pair("customer", "my_customer")
            .append_pair("maxResults", "500")
            .append_pair("projection", "basic")
            .append_pair("fields", FIELDS);
        if !token.is_empty() {
            url.query_pairs_mut().append_pair("pageToken", &token);
        }
        let answer = google
            .http
            .get(url)
            .bearer_auth(&access)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let page: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        read += page["users"].as_array().unwrap().len();
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(read, users);
    begun.elapsed()
}

/// The records of a store, tree by tree, in no order that helps.
fn records(data: &Path) -> Vec<(sled::IVec, Vec<(sled::IVec, sled::IVec)>)> {
    let db = sled::Config::new().path(data).open().unwrap();
    let of = |name: sled::IVec| {
        let tree = db.open_tree(&name).unwrap();
        (name, tree.iter().map(Result::unwrap).collect())
    };
    db.tree_names().into_iter().map(of).collect()
}

/// Bytes of keys and values.
pub fn live(data: &Path) -> u64 {
    let of = |(key, value): &(sled::IVec, sled::IVec)| (key.len() + value.len()) as u64;
    records(data)
        .iter()
        .flat_map(|(_, records)| records)
        .map(of)
        .sum()
}

/// Puts the records of a store into a fresh one in batches of 1,000, and makes them durable at the end.
pub fn load(data: &Path) -> Duration {
    let records = records(data);
    let home = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let db = sled::Config::new()
        .path(home.path().join("db"))
        .open()
        .unwrap();
    for (name, records) in records {
        let tree = db.open_tree(name).unwrap();
        for some in records.chunks(1000) {
            let mut batch = sled::Batch::default();
            for (key, value) in some {
                batch.insert(key, value);
            }
            tree.apply_batch(batch).unwrap();
        }
    }
    db.flush().unwrap();
    begun.elapsed()
}
