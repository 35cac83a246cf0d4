use super::*;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// The comment of the field `update_mask` of a request, as the protocol has it.
fn comment(request: &str) -> String {
    const FIELD_OF_MESSAGE: [i32; 2] = [4, 2];
    let set = FileDescriptorSet::decode(crate::proto::DESCRIPTOR).unwrap();
    for file in set.file {
        let messages = &file.message_type;
        let Some(message) = messages.iter().position(|m| m.name() == request) else {
            continue;
        };
        let fields = &messages[message].field;
        let field = fields.iter().position(|f| f.name() == FIELD).unwrap();
        let number = |at: usize| i32::try_from(at).unwrap();
        let [messages, fields] = FIELD_OF_MESSAGE;
        let path = [messages, number(message), fields, number(field)];
        let places = file.source_code_info.unwrap().location;
        let place = places.into_iter().find(|place| place.path == path);
        return place.unwrap().leading_comments.unwrap();
    }
    panic!("there is no {request}");
}

/// Every field that a caller may set is named by the comment of the request's mask: `*` sets them all.
pub(in crate::grpc) fn comment_names_all<M>(request: &str, table: &[Row<M>]) {
    let comment = comment(request);
    let settable = |row: &&Row<M>| matches!(row.1, May::Set { .. });
    let rows: Vec<_> = table.iter().filter(settable).collect();
    assert!(!rows.is_empty());
    for (path, _) in rows {
        let named = format!("`{path}`");
        assert!(comment.contains(&named), "{request}: {path}: {comment}");
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Thing {
    title: String,
    size: i32,
    inner: Inner,
    system: String,
    made: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Inner {
    most: Option<i32>,
}

const TABLE: &[Row<Thing>] = &[
    settable!(title),
    settable!(size),
    (
        "inner.most",
        May::Set {
            given: |sent| sent.inner.most.is_some(),
            take: |kept, sent| kept.inner.most = sent.inner.most.take(),
        },
    ),
    fixed!(system, "never changes"),
    output!(made),
];

fn kept() -> Thing {
    Thing {
        title: "old".to_owned(),
        size: 3,
        inner: Inner { most: Some(7) },
        system: "a".to_owned(),
        made: "yesterday".to_owned(),
    }
}

fn laid(paths: &[&str], sent: Thing) -> (Thing, Vec<Violation>) {
    let (mut notes, mut kept) = (Notes::default(), kept());
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let mask = Some(FieldMask { paths });
    lay_over(&mut notes, ("thing", TABLE), mask, sent, &mut kept);
    (kept, notes.0)
}

fn sent() -> Thing {
    Thing {
        title: "new".to_owned(),
        ..Thing::default()
    }
}

#[test]
fn an_empty_mask_takes_what_is_given_and_a_star_everything() {
    let (some, wrong) = laid(&[], sent());
    let expected = Thing {
        title: "new".to_owned(),
        ..kept()
    };
    assert_eq!((some, wrong), (expected, Vec::new()));
    let (all, wrong) = laid(&["*"], sent());
    let expected = Thing {
        title: "new".to_owned(),
        size: 0,
        inner: Inner::default(),
        ..kept()
    };
    assert_eq!((all, wrong), (expected, Vec::new()));
}

#[test]
fn a_mask_takes_what_it_names_given_or_not_and_nothing_else() {
    let (thing, wrong) = laid(&["size"], sent());
    assert_eq!((thing, wrong), (Thing { size: 0, ..kept() }, Vec::new()));
    for path in ["inner", "inner.most"] {
        let (thing, wrong) = laid(&[path], sent());
        assert_eq!(wrong, Vec::new(), "{path}");
        assert_eq!((thing.inner.most, thing.title.as_str()), (None, "old"));
    }
}

#[test]
fn a_field_that_is_named_again_keeps_what_is_given() {
    for paths in [
        &["title", "title"][..],
        &["title", "size", "title", "title"],
    ] {
        let (thing, wrong) = laid(paths, sent());
        assert_eq!((thing.title.as_str(), wrong), ("new", Vec::new()));
    }
    let most = ["title"; MOST + 1];
    assert_eq!(laid(&most, sent()).1.len(), 1);
    assert_eq!(laid(&most[1..], sent()).1, Vec::new());
}

#[test]
fn what_can_not_change_is_refused_with_the_reason_and_nothing_else_is_kept_from_being_told() {
    let paths = [
        "system",
        "made",
        "made.when",
        "tit",
        "title.x",
        "",
        "*",
        "size",
    ];
    let (_, wrong) = laid(&paths, sent());
    let said: Vec<_> = wrong.iter().map(|v| v.description.as_str()).collect();
    assert_eq!(said.len(), 7, "{said:?}");
    assert!(wrong.iter().all(|v| v.field == "update_mask"));
    assert_eq!(said[0], "system never changes");
    assert!(said[1].contains("by the daemon") && said[2].contains("by the daemon"));
    assert!(said[3].contains("title, size, inner.most"), "{}", said[3]);
    assert!(said[6].contains("alone"), "{}", said[6]);
}

#[test]
fn another_value_of_what_never_changes_is_refused_also_without_being_named() {
    for paths in [&[][..], &["*"][..]] {
        let same = Thing {
            system: "a".to_owned(),
            ..sent()
        };
        assert_eq!(laid(paths, same).1, Vec::new());
        let other = Thing {
            system: "b".to_owned(),
            ..sent()
        };
        assert_eq!(laid(paths, other).1[0].field, "thing.system");
    }
}
