use super::*;

const RUN: &str = "0a06026d61696e001210010000000000000000000000000000011a1101030000000000000000000000000000032207027573657273002802300738024210080110021803200428053006380740084a0e0801100218032004280530063807521b0a07027573657273001210080110021803200428053006380740085a0c0a0845585445524e414c100962050a016d100a680b708194ebdc037a016382010808c08df6d70610058a010808c08df6d706100592010808c08df6d70610059a010145a2010174da010808c08df6d7061005e00101ea010808011201731a016c";

fn run() -> Run {
    let counters = Counters {
        considered: 1,
        out_of_scope: 2,
        unchanged: 3,
        added: 4,
        modified: 5,
        skipped: 6,
        failed: 7,
        deferred: 8,
    };
    Run {
        company: company(),
        integration: integration_id(),
        integration_uid: Uid(uuid(1)),
        id: run_id(),
        rules: vec![rule_id()],
        object: Some(ObjectRef {
            kind: Kind::User,
            id: "s".to_owned(),
            label: "l".to_owned(),
        }),
        trigger: Trigger::Recovery,
        state: RunState::Interrupted,
        phase: Some(Phase::Applying),
        tally: Tally {
            objects: counters,
            members: MemberCounters {
                considered: 1,
                unchanged: 2,
                added: 3,
                removed: 4,
                pending: 5,
                skipped: 6,
                failed: 7,
            },
            rules: vec![RuleCounters {
                rule: rule_id(),
                counters,
            }],
            skips: [("EXTERNAL".to_owned(), 9)].into(),
        },
        requests: RequestCounts {
            by_method: [("m".to_owned(), 10)].into(),
            retries: 11,
            throttled: Duration::new(1, 1),
        },
        requested_by: "c".to_owned(),
        create_time: time(),
        start_time: Some(time()),
        end_time: Some(time()),
        error: Some(RunError {
            code: "E".to_owned(),
            text: "t".to_owned(),
        }),
        scheduled_time: Some(time()),
        made_up: true,
        preview: false,
    }
}

#[test]
fn a_run() {
    let row = RunRow::row(&run());
    assert_eq!(row.clone().model(company()).unwrap(), run());
    pinned(&row, RUN);
    let preview = Run {
        preview: true,
        ..run()
    };
    let row = RunRow::row(&preview);
    assert_eq!(row.clone().model(company()).unwrap(), preview);
    pinned(&row, &format!("{RUN}f00101"));
    let state = RunStateRow::decode(row.encode_to_vec().as_slice()).unwrap();
    assert_eq!(state.state().unwrap(), RunState::Interrupted);
}

#[test]
fn a_change() {
    let end = |kind, id: &str| ObjectRef {
        kind,
        id: id.to_owned(),
        label: format!("{id}@x"),
    };
    let given = Change {
        rule: Some(rule_id()),
        action: Some(Action::Add),
        source: end(Kind::User, "s"),
        target: Some(end(Kind::Group, "t")),
        outcome: Outcome::Deferred,
        reason: Some(Reason::new("R", "why")),
        diffs: vec![Diff {
            attribute: Attribute::new("members"),
            old: Some(text("o")),
            new: Some(Value::Bool(true)),
        }],
        time: time(),
    };
    let row = ChangeRow::row(given.clone());
    assert_eq!(row.clone().model().unwrap(), given);
    pinned(
        &ChangesRow { changes: vec![row] },
        "0a460a070275736572730010011a0a08011201731a03734078220a08021201741a03744078280432080a015212037768793a0b08121a030a016f22021001420808c08df6d7061005",
    );
}

#[test]
fn events() {
    let chunks = vec![ChunkRef { first: 7, count: 3 }];
    let refs = ChangesRef::row(&integration_id(), &run_id(), chunks);
    pinned(
        &EventRow::changes(Moment::row(time()), 3, refs),
        "0a0808c08df6d70610051003180532210a06026d61696e00121101030000000000000000000000000000031a0408071003",
    );
    let mut small = run();
    small.tally = Tally::default();
    small.requests = RequestCounts::default();
    small.error = None;
    small.scheduled_time = None;
    small.made_up = false;
    small.object = None;
    for (body, bytes) in [
        (
            EventBody::RunQueued(small.clone()),
            "0a0808c08df6d70610051001180122640a06026d61696e001210010000000000000000000000000000011a11010300000000000000000000000000000322070275736572730028023007380242004a007a016382010808c08df6d70610058a010808c08df6d706100592010808c08df6d7061005",
        ),
        (
            EventBody::RunStarted(small.clone()),
            "0a0808c08df6d70610051001180222640a06026d61696e001210010000000000000000000000000000011a11010300000000000000000000000000000322070275736572730028023007380242004a007a016382010808c08df6d70610058a010808c08df6d706100592010808c08df6d7061005",
        ),
        (
            EventBody::RunPhase(small.clone()),
            "0a0808c08df6d70610051001180322640a06026d61696e001210010000000000000000000000000000011a11010300000000000000000000000000000322070275736572730028023007380242004a007a016382010808c08df6d70610058a010808c08df6d706100592010808c08df6d7061005",
        ),
        (
            EventBody::RunFinished(small),
            "0a0808c08df6d70610051001180422640a06026d61696e001210010000000000000000000000000000011a11010300000000000000000000000000000322070275736572730028023007380242004a007a016382010808c08df6d70610058a010808c08df6d706100592010808c08df6d7061005",
        ),
        (
            EventBody::Directory(DirectoryEdit {
                kind: Kind::User,
                id: EntityId::try_new("u").unwrap(),
                label: "l".to_owned(),
                what: Edit::Updated(vec![Attribute::TITLE, Attribute::new("own")]),
                caller: "c".to_owned(),
            }),
            "0a0808c08df6d7061005100118083a17080112030275001a016c20022a010832036f776e420163",
        ),
    ] {
        let row = EventRow::row(Moment::row(time()), &body).unwrap();
        pinned(&row, bytes);
        assert_eq!(row.body(company()).unwrap(), body);
    }
}
