use super::*;

#[test]
fn an_integration() {
    let given = Integration {
        company: company(),
        id: integration_id(),
        uid: Uid(uuid(1)),
        title: "T".to_owned(),
        state: IntegrationState::Paused("p".to_owned()),
        system: SystemId::try_new("google-workspace").unwrap(),
        direction: Direction::ToSystem,
        active: true,
        schedule: Schedule {
            interval: SyncInterval::Weekly,
            zone: Zone::try_new("Asia/Tokyo").unwrap(),
        },
        next_sync: Some(time()),
        limits: Limits {
            max_member_loss_percent: Some(0),
        },
        protected: vec!["a@x".to_owned(), "*@y".to_owned()],
        domains: vec!["x".to_owned()],
        authorization: Authorization {
            state: AuthorizationState::ReauthorizationRequired,
            consent: Some(Consent {
                by: AuthorizedBy {
                    subject: "s".to_owned(),
                    email: "e".to_owned(),
                    display_name: "d".to_owned(),
                },
                time: time(),
                domain: "x".to_owned(),
                customer_id: "C".to_owned(),
                scopes: vec!["o".to_owned(), "u".to_owned()],
                service_account: None,
            }),
            reason: "r".to_owned(),
        },
        last_run: Some(run_id()),
        interruptions: 2,
        create_time: time(),
        update_time: time(),
    };
    let row = IntegrationRow::row(&given);
    pinned(
        &row,
        "0a06026d61696e001210010000000000000000000000000000011a01542201702a10676f6f676c652d776f726b73706163653002380140004804521f0a01731201651a0164220808c08df6d70610052a01783201433a016f3a01755a0172621101030000000000000000000000000000036802720808c08df6d70610057a0808c08df6d70610058001018a010a417369612f546f6b796f92010808c08df6d7061005a20103614078a201032a4079aa010178",
    );
    assert_eq!(row.model(company()).unwrap(), given);
    let leaving = Integration {
        state: IntegrationState::Deleting,
        ..given.clone()
    };
    let row = IntegrationRow::row(&leaving);
    assert!(row.encode_to_vec().ends_with(&[0xb0, 0x01, 0x01]));
    assert_eq!(row.model(company()).unwrap(), leaving);
    let mut by_key = given;
    by_key
        .authorization
        .consent
        .as_mut()
        .unwrap()
        .service_account = Some(ServiceAccount {
        email: "e".to_owned(),
        client_id: "c".to_owned(),
        key_id: "k".to_owned(),
    });
    let row = IntegrationRow::row(&by_key);
    pinned(
        &row,
        "0a06026d61696e001210010000000000000000000000000000011a01542201702a10676f6f676c652d776f726b73706163653002380140004804522a0a01731201651a0164220808c08df6d70610052a01783201433a016f3a017542090a01651201631a016b5a0172621101030000000000000000000000000000036802720808c08df6d70610057a0808c08df6d70610058001018a010a417369612f546f6b796f92010808c08df6d7061005a20103614078a201032a4079aa010178",
    );
    assert_eq!(row.model(company()).unwrap(), by_key);
}

#[test]
fn a_rule() {
    let given = Rule {
        company: company(),
        integration: integration_id(),
        id: rule_id(),
        title: "T".to_owned(),
        position: 4,
        event: RuleEvent::Lookup,
        source_kind: Kind::User,
        conditions: vec![Condition {
            attribute: Attribute::ORG_UNIT,
            operator: Operator::NotEqual,
            values: vec!["/a".to_owned(), "/b".to_owned()],
        }],
        action: Action::Modify,
        target_kind: Kind::Group,
        defaults: attributes(),
        mappings: vec![Mapping {
            attribute: Attribute::TITLE,
            expression: "e".to_owned(),
        }],
        run_mode: RunMode::Manual,
        active: true,
        create_time: time(),
        update_time: time(),
    };
    let row = RuleRow::row(&given);
    pinned(
        &row,
        "0a06026d61696e001207027573657273001a01542004280130013a0c080f180222022f6122022f6240024802520608051a021000520b08061a071a050a03624078520f12086f776e2e6e616d651a030a0176520908011a050a03614078580260016a0808c08df6d7061005720808c08df6d70610057a0508081a0165",
    );
    assert_eq!(row.model(company()).unwrap(), given);
}

fn entity(written_by: WrittenBy) -> Entity {
    Entity {
        company: company(),
        kind: Kind::User,
        id: EntityId::try_new("u").unwrap(),
        uid: Uid(uuid(9)),
        attributes: attributes(),
        owners: [
            (Attribute::USER_NAME, integration_id()),
            (Attribute::new("own.name"), integration_id()),
        ]
        .into(),
        links: vec![EntityLink {
            integration: Uid(uuid(1)),
            source: SourceId::try_new("117").unwrap(),
        }],
        deactivated_by_hand: true,
        written_by,
        revision: 300,
        create_time: time(),
        update_time: time(),
    }
}

#[test]
fn an_object() {
    // A uid comes last, and only if it is not the id.
    const UID: &str = "521009000000000000000000000000000009";
    for (written_by, bytes) in [
        (
            WrittenBy::Caller("c".to_owned()),
            "0a0608051a0210000a0b08061a071a050a036240780a0f12086f776e2e6e616d651a030a01760a0908011a050a0361407812150a06026d61696e001201011a086f776e2e6e616d651a170a1001000000000000000000000000000001120331313720012a016338ac02420808c08df6d70610054a0808c08df6d7061005",
        ),
        (
            WrittenBy::Integration(integration_id()),
            "0a0608051a0210000a0b08061a071a050a036240780a0f12086f776e2e6e616d651a030a01760a0908011a050a0361407812150a06026d61696e001201011a086f776e2e6e616d651a170a1001000000000000000000000000000001120331313720013206026d61696e0038ac02420808c08df6d70610054a0808c08df6d7061005",
        ),
    ] {
        let given = entity(written_by);
        let row = EntityRow::row(given.clone());
        pinned(&row, &format!("{bytes}{UID}"));
        assert_eq!(row.email(), "a@x");
        let read = row.model(company(), Kind::User, given.id.clone());
        assert_eq!(read.unwrap(), given);
        let unnamed = Entity {
            id: EntityId::of(given.uid),
            ..given
        };
        let row = EntityRow::row(unnamed.clone());
        pinned(&row, bytes);
        let read = row.model(company(), Kind::User, unnamed.id.clone());
        assert_eq!(read.unwrap(), unnamed);
    }
}

#[test]
fn an_object_of_before_has_a_uid_of_its_own_that_stays() {
    let old = |id: &str, create_time: Time| {
        let given = Entity {
            create_time,
            ..entity(WrittenBy::Integration(integration_id()))
        };
        let row = EntityRow::row(given);
        let mut bytes = row.encode_to_vec();
        bytes.truncate(bytes.len() - 18);
        let row = EntityRow::decode(bytes.as_slice()).unwrap();
        let id = EntityId::try_new(id).unwrap();
        row.model(company(), Kind::User, id).unwrap()
    };
    let read = old("u", time());
    assert_eq!(read.uid.to_string(), "3e8b31e6-cd66-88b3-840f-1a75b2bce340");
    // Once written again it is stored.
    let row = EntityRow::row(read.clone());
    let again = row.model(company(), Kind::User, read.id.clone()).unwrap();
    assert_eq!(again, read);
    assert_ne!(old("u", time() + Duration::from_secs(1)).uid, read.uid);
    assert_ne!(old("v", time()).uid, read.uid);
}

#[test]
fn an_address() {
    let id = EntityId::try_new(&uuid(2).to_string()).unwrap();
    let row = EmailRow::row(Kind::Group, &id);
    pinned(&row, "080212110102000000000000000000000000000002");
    assert_eq!(row.model().unwrap(), (Kind::Group, id));
}

#[test]
fn a_link() {
    let given = Link {
        source: SourceId::try_new("117").unwrap(),
        target: Some((
            EntityId::try_new(&uuid(2).to_string()).unwrap(),
            LinkOrigin::Adopted,
        )),
        fingerprint: Fingerprint(258),
        members_fingerprint: Fingerprint(u64::MAX),
        active: true,
        has_members: true,
        absent: true,
        told: Fingerprint::NONE,
    };
    let bytes = "0a110102000000000000000000000000000002100219020100000000000021ffffffffffffffff280130013801";
    let row = LinkRow::row(&given);
    pinned(&row, bytes);
    assert_eq!(row.model(given.source.clone()).unwrap(), given);
    let told = Fingerprint(772);
    let given = Link { told, ..given };
    let row = LinkRow::row(&given);
    pinned(&row, &format!("{bytes}490403000000000000"));
    assert_eq!(row.model(given.source.clone()).unwrap(), given);
}

#[test]
fn memberships() {
    let id = EntityId::try_new(&uuid(2).to_string()).unwrap();
    let origins = vec![
        MemberOrigin::Caller,
        MemberOrigin::Integration(Uid(uuid(1))),
    ];
    let applied = AppliedMember {
        kind: Kind::Group,
        source: SourceId::try_new("117").unwrap(),
        state: MemberState::Applied(id.clone()),
    };
    let items = [
        PackedItem {
            key: member_key(Kind::User, &id),
            value: MemberRow::row(&origins).encode_to_vec(),
        },
        PackedItem {
            key: b"117".to_vec(),
            value: RememberedRow::row(&applied).encode_to_vec(),
        },
    ];
    let read = member(&items[0]).unwrap();
    assert_eq!(
        (read.kind, read.id, read.origins),
        (Kind::User, id, origins)
    );
    assert_eq!(remembered(&items[1]).unwrap(), applied);
    pinned(
        &PackedRow {
            items: items.to_vec(),
        },
        "0a2a0a12010102000000000000000000000000000002121408011210010000000000000000000000000000010a1c0a033131371215080212110102000000000000000000000000000002",
    );
}

#[test]
fn rows_without_a_model() {
    let time = Some(Moment::row(time()));
    pinned(
        &RequestRow {
            body: vec![1, 2],
            made: vec![3],
            expire_time: time,
        },
        "0a0201021201031a0808c08df6d7061005",
    );
    let row = CustomerRow {
        company: "acme".to_owned(),
    };
    pinned(&row, "0a0461636d65");
    pinned(&SealedRow { sealed: vec![1, 2] }, "0a020102");
    pinned(
        &MetaRow {
            format: 1,
            epoch: vec![2],
            key_check: vec![3],
        },
        "08011201021a0103",
    );
}

#[test]
fn a_pending_authorization() {
    let secret = |text: &str| Secret::new(text.to_owned());
    let given = PendingAuthorization {
        state_hash: [7; 32],
        company: company(),
        integration: integration_id(),
        verifier: secret("v"),
        nonce: secret("n"),
        redirect_uri: "u".to_owned(),
        return_url: Some("r".to_owned()),
        expire_time: time(),
    };
    let row = PendingRow::row(&given, vec![1], vec![2]);
    pinned(
        &row,
        "0a0461636d651206026d61696e001a01012201022a01753201723a0808c08df6d7061005",
    );
    let read = row.model([7; 32], secret("v"), secret("n"));
    assert_eq!(read.unwrap(), given);
}

#[test]
fn the_codes_of_attributes_and_tables_stay() {
    for (code, name) in (1..).zip(ATTRIBUTES) {
        assert_eq!(name_row(&Attribute::new(name)), (code, String::new()));
        assert_eq!(attribute(code, "").unwrap().as_str(), *name);
    }
    assert_eq!((ATTRIBUTES[0], ATTRIBUTES[17]), ("userName", "members"));
    let unknown = u32::try_from(ATTRIBUTES.len()).unwrap() + 1;
    assert!(attribute(unknown, "").is_err());
    use crate::store::tables::Table;
    let names: Vec<_> = Table::ALL.iter().map(|table| table.name()).collect();
    let known = "meta integrations customers rules pending secrets entities emails members member_of links remembered runs changes events \
                 requests parts schedule deleted deleted_in";
    assert_eq!(names.join(" "), known);
}
