use super::*;
use crate::model::{CompanyId, IntegrationId, RequestCounts, RunId, Tally, Time, Trigger, Uid};
use proptest::prelude::*;

fn ledger() -> Ledger {
    let run = Run {
        company: CompanyId::try_new("acme").unwrap(),
        integration: IntegrationId::try_new("google").unwrap(),
        integration_uid: Uid::generate(),
        id: RunId::generate(),
        rules: Vec::new(),
        object: None,
        trigger: Trigger::Manual,
        state: RunState::Running,
        phase: None,
        tally: Tally::default(),
        requests: RequestCounts::default(),
        requested_by: String::new(),
        create_time: Time::UNIX_EPOCH,
        start_time: None,
        end_time: None,
        error: None,
        scheduled_time: None,
        made_up: false,
        preview: false,
    };
    Ledger::open(run, [RuleId::try_new("r").unwrap()].into_iter())
}

fn some_count() -> impl Strategy<Value = Count> {
    let reason = || Reason::new("X", "");
    prop::sample::select(vec![
        Count::OutOfScope,
        Count::Unchanged,
        Count::Added,
        Count::Modified,
        Count::Skipped(reason()),
        Count::Failed(reason()),
        Count::Deferred(reason()),
    ])
}

proptest! {
    #[test]
    fn the_sums_hold_whatever_is_counted_and_taken_back(counts in prop::collection::vec((some_count(), any::<bool>()), 0..50)) {
        let mut books = ledger();
        let rule = RuleId::try_new("r").unwrap();
        for (count, conflicted) in &counts {
            let of = (*count != Count::OutOfScope).then_some(&rule);
            books.consider(of);
            if *conflicted {
                books.count(of, count);
                books.take_back(of, count);
            }
            books.count(of, count);
        }
        prop_assert!(books.run.tally.objects.add_up());
        prop_assert!(books.run.tally.rules[0].counters.add_up());
        let skips: u64 = books.run.tally.skips.values().sum();
        prop_assert_eq!(skips, books.run.tally.objects.skipped);
    }
}

#[test]
fn a_run_whose_sums_do_not_hold_is_not_a_success() {
    let mut books = ledger();
    books.consider(None);
    books.close(Ended::Complete);
    assert_eq!(books.run.state, RunState::Failed);
}

#[test]
fn one_failure_is_told_by_the_state() {
    let mut books = ledger();
    books.consider(None);
    books.count(None, &Count::Failed(Reason::new("X", "")));
    books.close(Ended::Complete);
    assert_eq!(books.run.state, RunState::SucceededWithFailures);
}
