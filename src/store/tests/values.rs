use super::{in_memory, put_row, write};
use crate::{
    model::{Change, Kind, ObjectRef, Outcome, Time},
    store::{
        Error, changes, large,
        rows::{ChangesRow, PackedItem, PackedRow, SealedRow},
        tables::{Read, Table},
        txn::MAX_VALUE,
    },
};

fn sealed(size: usize) -> SealedRow {
    SealedRow {
        sealed: (0..size).map(|n| (n % 251) as u8).collect(),
    }
}

#[test]
fn a_row_of_6_kib_is_put_and_one_byte_more_is_refused() {
    let (_db, durable) = in_memory();
    write(&durable, |txn| {
        let raw = txn.put_raw(Table::Links, vec![1], vec![0; MAX_VALUE]);
        assert_eq!(raw, Ok(()));
        let raw = txn.put_raw(Table::Links, vec![2], vec![0; MAX_VALUE + 1]);
        assert!(matches!(raw, Err(Error::Refused(_))), "{raw:?}");
        // 1 byte of format, 3 of the field around the bytes.
        let most = MAX_VALUE - 4;
        assert_eq!(txn.put(Table::Secrets, vec![3], &sealed(most)), Ok(()));
        let put = txn.put(Table::Secrets, vec![4], &sealed(most + 1));
        assert!(matches!(put, Err(Error::Refused(_))), "{put:?}");
        assert_eq!(txn.raw(Table::Secrets, &[4]).unwrap(), None);
    });
}

#[test]
fn a_row_of_a_table_that_may_split_is_read_back_whatever_its_size() {
    let (_db, durable) = in_memory();
    for (size, records) in [
        (0, 1),
        (6_140, 1),
        (6_141, 2),
        (12_000, 2),
        (50_000, 9),
        (90_000, 15),
        (20_000, 4),
        (3, 1),
    ] {
        write(&durable, |txn| {
            txn.put(Table::Runs, vec![7], &sealed(size)).unwrap();
            let read = large::get(txn, Table::Runs, &[7]).unwrap();
            assert_eq!(read, Some(sealed(size)));
        });
        let read = large::get(&durable, Table::Runs, &[7]).unwrap();
        assert_eq!(read, Some(sealed(size)), "{size}");
        let rows = durable
            .prefix(Table::Runs, &[])
            .chain(durable.prefix(Table::Parts, &[]));
        let sizes: Vec<_> = rows.map(|row| row.unwrap().1.len()).collect();
        assert!(sizes.iter().all(|size| *size <= MAX_VALUE));
        assert_eq!(sizes.len(), records, "no part is left of the row before");
    }
    write(&durable, |txn| {
        let put = txn.put(Table::Runs, vec![7], &sealed(100_000));
        assert!(matches!(put, Err(Error::Refused(_))), "{put:?}");
        txn.put(Table::Runs, vec![7], &sealed(50_000)).unwrap();
    });
    write(&durable, |txn| txn.delete(Table::Runs, vec![7])).unwrap();
    assert_eq!(durable.prefix(Table::Parts, &[]).count(), 0);
}

#[test]
fn a_row_of_a_later_format_or_with_lost_parts_is_damage_and_not_absence() {
    let (_db, durable) = in_memory();
    let read = || large::get::<SealedRow>(&durable, Table::Runs, &[7]);
    for raw in [&[][..], &[4, 1, 2], &[3, 1, 2], &[2, 1, 0, 0]] {
        put_row(&durable, Table::Runs, &[7], raw);
        assert!(matches!(read(), Err(Error::Damaged(_))), "{raw:?}");
    }
    write(&durable, |txn| {
        txn.put(Table::Runs, vec![7], &sealed(9_000))
    })
    .unwrap();
    let parts = durable.prefix(Table::Parts, &[]);
    let parts = parts.map(|row| (row.unwrap().0, None)).collect();
    durable.apply([(Table::Parts, parts)]).unwrap();
    assert!(matches!(read(), Err(Error::Damaged(_))));
}

#[test]
fn a_field_that_a_later_version_adds_does_not_disturb_this_one() {
    let row = PackedRow {
        items: vec![PackedItem {
            key: vec![1],
            value: vec![2],
        }],
    };
    let mut value = vec![1];
    value.extend(prost::Message::encode_to_vec(&row));
    // Field 15, a number.
    value.extend([15 << 3, 42]);
    let (_db, durable) = in_memory();
    put_row(&durable, Table::Members, &[7], &value);
    let read: Option<PackedRow> = large::get(&durable, Table::Members, &[7]).unwrap();
    assert_eq!(read, Some(row));
}

#[test]
fn a_message_is_packed_where_that_makes_it_smaller_and_read_back_either_way() {
    let (_db, durable) = in_memory();
    let noise = |n: u32| (0..n).flat_map(|i| blake3::hash(&i.to_be_bytes()).as_bytes().to_vec());
    let (alike, noise) = (vec![7; 20_000], noise(160).collect::<Vec<u8>>());
    for (sealed, format) in [(alike, 3), (noise, 1)] {
        let row = SealedRow { sealed };
        let value = large::packed(&row);
        assert_eq!(value[0], format);
        put_row(&durable, Table::Changes, &[7], &value);
        let read = large::get::<SealedRow>(&durable, Table::Changes, &[7]);
        assert_eq!(read.unwrap(), Some(row));
        // What was cut, or claims to be longer than anything that is packed, is damage.
        put_row(&durable, Table::Changes, &[7], &value[..value.len() - 1]);
        assert!(large::get::<SealedRow>(&durable, Table::Changes, &[7]).is_err());
    }
    put_row(
        &durable,
        Table::Changes,
        &[7],
        &[3, 0xff, 0xff, 0xff, 0xff, 0],
    );
    assert!(large::get::<SealedRow>(&durable, Table::Changes, &[7]).is_err());
}

#[test]
fn changes_that_can_hardly_be_packed_take_more_rows_and_keep_their_order() {
    let change = |n: u32| {
        let end = |label: String| ObjectRef {
            kind: Kind::User,
            id: n.to_string(),
            label,
        };
        let noise = (0..40).map(|i| blake3::hash(&[n.to_be_bytes(), [i; 4]].concat()).to_hex());
        Change {
            rule: None,
            action: None,
            source: end(noise.map(|hash| hash.to_string()).collect()),
            target: None,
            outcome: Outcome::Skipped,
            reason: None,
            diffs: Vec::new(),
            time: Time::UNIX_EPOCH,
        }
    };
    let (_db, durable) = in_memory();
    let chunks = changes::pack((0..100).map(change).collect());
    assert!(chunks.len() > 20 && chunks.iter().any(|chunk| chunk.count > 1));
    let mut ids = Vec::new();
    for chunk in chunks {
        assert!(chunk.value.len() <= MAX_VALUE);
        put_row(&durable, Table::Changes, &[7], &chunk.value);
        let row = large::get::<ChangesRow>(&durable, Table::Changes, &[7]);
        let row = row.unwrap().unwrap();
        assert_eq!(row.changes.len(), chunk.count as usize);
        let changes = row.changes.into_iter().map(|row| row.model().unwrap());
        ids.extend(changes.map(|change| change.source.id));
    }
    let expected: Vec<_> = (0..100).map(|n: u32| n.to_string()).collect();
    assert_eq!(ids, expected);
    assert!(changes::pack(Vec::new()).is_empty());
}
