use crate::{
    model::{CompanyId, Kind},
    store::keys::{Key, Parse, pack, unpack},
};
use proptest::prelude::*;
use uuid::Uuid;

fn company() -> impl Strategy<Value = CompanyId> {
    "[a-z0-9-]{1,63}".prop_filter_map("no id", |text| CompanyId::try_new(&text).ok())
}

/// Ids as callers choose them, as the daemon makes them, and such that look nearly so.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,63}",
        any::<u128>().prop_map(|n| Uuid::from_u128(n).to_string()),
        any::<u128>().prop_map(|n| Uuid::from_u128(n).simple().to_string()),
        any::<u128>().prop_map(|n| Uuid::from_u128(n).to_string().replacen('-', "a", 1)),
    ]
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit() && !c.is_ascii_uppercase(),
        })
}

proptest! {
    #[test]
    fn keys_sort_as_their_parts_do_uuids_before_other_ids(
        a in (company(), id(), any::<u64>()),
        b in (company(), id(), any::<u64>()),
    ) {
        let key = |(company, id, number): &(CompanyId, String, u64)| {
            Key::company(company).id(id).number(*number).done()
        };
        let order = |(company, id, number): &(CompanyId, String, u64)| {
            (company.as_str().to_owned(), !is_uuid(id), id.clone(), *number)
        };
        prop_assert_eq!(key(&a).cmp(&key(&b)), order(&a).cmp(&order(&b)));
    }

    #[test]
    fn a_key_is_taken_apart_into_what_it_was_made_of(company in company(), id in id(), number: u64) {
        let key = Key::company(&company).kind(Kind::Group).id(&id).number(number).raw(b"end").done();
        let mut parse = Parse(&key);
        prop_assert_eq!(parse.text().unwrap(), company.as_str());
        prop_assert_eq!(parse.kind().unwrap(), Kind::Group);
        prop_assert_eq!(parse.id().unwrap(), id.clone());
        prop_assert_eq!(parse.number().unwrap(), number);
        prop_assert_eq!(parse.0, b"end");
        prop_assert_eq!(unpack(&pack(&id)).unwrap(), id);
    }

    #[test]
    fn the_key_of_one_thing_never_begins_another_s(a in (company(), id()), b in (company(), id())) {
        let key = |(company, id): &(CompanyId, String)| Key::company(company).id(id).done();
        if a != b {
            prop_assert!(!key(&a).starts_with(&key(&b)));
        }
    }

    #[test]
    fn a_damaged_key_is_an_error_and_nothing_worse(bytes: Vec<u8>) {
        for take in [
            |p: &mut Parse<'_>| p.text().err(),
            |p: &mut Parse<'_>| p.id().err(),
            |p: &mut Parse<'_>| p.kind().err(),
            |p: &mut Parse<'_>| p.number().err(),
        ] {
            let mut parse = Parse(&bytes);
            while !parse.0.is_empty() && take(&mut parse).is_none() {}
        }
    }
}
