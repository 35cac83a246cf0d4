//! Who joined and left a group, for people.

use super::{compare::Joining, error::Stop, job::Job};
use crate::model::Value;

/// Names that a change record lists; the number of the others is given.
const NAMES: usize = 50;

/// Names by their addresses those who leave, and who joins without one at the source; so many as are recorded.
pub(super) async fn name(job: &Job, joining: &mut Joining) -> Result<(), Stop> {
    let told = joining.steps.iter().filter(|step| step.told);
    let writes = told.filter_map(|step| step.write.as_ref());
    let (joined, left): (Vec<_>, Vec<_>) = writes
        .map(|write| (write.add, (write.kind, write.member.clone())))
        .partition(|(add, _)| *add);
    let joined = joining.joined.iter_mut().zip(joined).take(NAMES);
    let left = joining.left.iter_mut().zip(left).take(NAMES);
    let unnamed = joined.filter(|(name, _)| !name.contains('@'));
    for (name, (_, (kind, id))) in unnamed.chain(left) {
        if let Some(address) = job.address(kind, &id, name).await? {
            *name = address;
        }
    }
    Ok(())
}

/// The names as they are recorded.
pub(super) fn names(all: &[String]) -> Option<Value> {
    let mut names: Vec<String> = all.iter().take(NAMES).cloned().collect();
    names.sort();
    if all.len() > NAMES {
        names.push(format!("and {} more", all.len() - NAMES));
    }
    (!names.is_empty()).then_some(Value::List(names))
}
