//! What the rules' conditions name by id, read before any object is judged (semantics 6, 7): organisational units, and groups
//! with everybody in them, however deep. What can't be read is not known, which decides nothing.

use super::{error::Stop, job::Job, members};
use crate::{
    connector::{MemberKind, OrgUnit, SourceMember},
    integrations::{NO_UNITS, may_read_units},
    model::SourceId,
    rules::{Knowledge, Membership},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Groups that are read at once; the rate governor decides how fast.
const AT_ONCE: usize = 12;

/// The direct members of a group, or why they could not be read.
type Direct = Result<Vec<SourceMember>, String>;

/// Reads what the rules name.
pub(super) async fn read(job: &Job) -> Result<(), Stop> {
    let named = job.rules.named();
    let mut knowledge = Knowledge::default();
    if named.units && !may_read_units(&job.integration) {
        knowledge.learn_units(Err(NO_UNITS.to_owned()));
    } else if named.units {
        let asked = job.unless_cancelled(job.reader()?.units()).await;
        let units = known(asked)?.map(|units| {
            let pair = |unit: OrgUnit| (unit.id, unit.path);
            units.into_iter().map(pair).collect()
        });
        knowledge.learn_units(units);
    }
    let direct = groups(job, &named.groups).await?;
    knowledge.groups = named
        .groups
        .into_iter()
        .map(|group| {
            let everybody = everybody(&group, &direct);
            (group, everybody)
        })
        .collect();
    job.learn(knowledge);
    Ok(())
}

/// What was read, or why it could not be; what ends the whole run is no answer.
fn known<T>(answer: Result<T, Stop>) -> Result<Result<T, String>, Stop> {
    match answer {
        Ok(read) => Ok(Ok(read)),
        Err(stop @ Stop::System(_)) if !stop.is_consent_lost() => {
            tracing::warn!(error = %stop, "what a condition names could not be read");
            Ok(Err(stop.to_string()))
        }
        Err(stop) => Err(stop),
    }
}

/// Reads groups and those within them, each once.
async fn groups(job: &Job, named: &BTreeSet<String>) -> Result<HashMap<SourceId, Direct>, Stop> {
    let mut direct: HashMap<SourceId, Direct> = HashMap::new();
    let ids = named.iter().filter_map(|id| SourceId::try_new(id));
    let mut next: HashSet<SourceId> = ids.collect();
    while !next.is_empty() {
        let read: Vec<(SourceId, Direct)> = stream::iter(next)
            .map(|group| async move {
                let members = known(members::read(job, &group).await)?;
                let members = members.map(|members| members.into_values().collect());
                Ok::<_, Stop>((group, members))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let within = read.iter().filter_map(|(_, members)| members.as_ref().ok());
        let within = within.flatten().filter(|m| m.kind == MemberKind::Group);
        let within: HashSet<SourceId> = within.map(|member| member.id.clone()).collect();
        direct.extend(read);
        next = within
            .into_iter()
            .filter(|group| !direct.contains_key(group))
            .collect();
    }
    Ok(direct)
}

/// Everybody in a group. Groups may hold each other in a circle.
fn everybody(group: &str, direct: &HashMap<SourceId, Direct>) -> Membership {
    let mut all = Membership::default();
    let mut todo: Vec<SourceId> = SourceId::try_new(group).into_iter().collect();
    let mut done = HashSet::new();
    while let Some(group) = todo.pop() {
        if !done.insert(group.clone()) {
            continue;
        }
        match direct.get(&group) {
            Some(Ok(members)) => {
                for member in members {
                    all.everyone |= member.kind == MemberKind::Everyone;
                    if member.kind == MemberKind::Group {
                        todo.push(member.id.clone());
                    }
                    all.members.insert(member.id.clone());
                }
            }
            Some(Err(why)) => all.unread = Some(why.clone()),
            None => all.unread = Some("it was not read".to_owned()),
        }
    }
    all
}
