//! What becomes of the directory, as a stream: what callers do, and what runs do.

use crate::{
    grpc::{
        names,
        to_proto::{count, kind, time},
        watching::Position,
    },
    model::{Change, CompanyId, Diff, Edit, EntityId, EventBody, Kind, Value},
    proto::v1::{
        DirectoryChange, Heartbeat, WatchDirectoryResponse, directory_change::Type,
        watch_directory_request as request, watch_directory_response::Event,
    },
    sync::{News, NewsItem},
};

/// What a group's members are called where they change.
const MEMBERS: &str = "members";

/// Where to begin.
pub(super) fn position(given: Option<request::Position>) -> Position {
    match given {
        None => Position::Now,
        Some(request::Position::AfterSequence(after)) => Position::After(after),
        Some(request::Position::ResumeToken(token)) => Position::Token(token),
    }
}

/// A piece of news; none if it is not about the directory.
pub(in crate::grpc) fn show(
    company: &CompanyId,
    epoch: &str,
    news: &News,
) -> Option<WatchDirectoryResponse> {
    let event = match &news.item {
        NewsItem::Heartbeat => Event::Heartbeat(Heartbeat {}),
        NewsItem::Event(told) => Event::Change(change(company, news.sequence, &told.event.body)?),
        NewsItem::Snapshot(_) | NewsItem::Progress(_) => return None,
    };
    Some(WatchDirectoryResponse {
        sequence: count(news.sequence),
        resume_token: format!("{epoch}.{}", news.sequence),
        time: Some(time(news.time)),
        event: Some(event),
    })
}

fn change(company: &CompanyId, sequence: u64, body: &EventBody) -> Option<DirectoryChange> {
    match body {
        EventBody::Directory(edit) => {
            let (mut joined, mut left, mut attributes) = (Vec::new(), Vec::new(), Vec::new());
            let what = match &edit.what {
                Edit::Created => Type::Created,
                Edit::Updated(changed) => {
                    attributes = changed.iter().map(ToString::to_string).collect();
                    Type::Updated
                }
                Edit::Joined(member) => {
                    joined.push(member.clone());
                    Type::MembersChanged
                }
                Edit::Left(member) => {
                    left.push(member.clone());
                    Type::MembersChanged
                }
                Edit::Deleted => Type::Deleted,
                Edit::Undeleted => Type::Undeleted,
            };
            Some(DirectoryChange {
                r#type: what.into(),
                kind: kind(edit.kind).into(),
                object: names::entity(company, edit.kind, &edit.id),
                label: edit.label.clone(),
                attributes,
                joined,
                left,
                writer: edit.caller.clone(),
                change: String::new(),
            })
        }
        EventBody::Change {
            integration,
            run,
            change,
        } => {
            let writer = names::integration(company, integration);
            let name = names::change(company, integration, run, sequence);
            by_run(company, change, writer, name)
        }
        _ => None,
    }
}

fn by_run(
    company: &CompanyId,
    change: &Change,
    writer: String,
    name: String,
) -> Option<DirectoryChange> {
    let target = change.target.as_ref()?;
    let id = EntityId::try_new(&target.id).ok()?;
    let is_members = |diff: &&Diff| diff.attribute.as_str() == MEMBERS;
    let members = change.diffs.iter().find(is_members);
    let created = change
        .reason
        .as_ref()
        .is_some_and(|reason| reason.code == "CREATED");
    let what = match members {
        Some(_) if target.kind == Kind::Group => Type::MembersChanged,
        _ if created => Type::Created,
        _ => Type::Updated,
    };
    let names = |value: Option<&Value>| match value {
        Some(Value::List(names)) => names.clone(),
        _ => Vec::new(),
    };
    let changed = change.diffs.iter().filter(|diff| !is_members(diff));
    Some(DirectoryChange {
        r#type: what.into(),
        kind: kind(target.kind).into(),
        object: names::entity(company, target.kind, &id),
        label: target.label.clone(),
        attributes: changed.map(|diff| diff.attribute.to_string()).collect(),
        joined: names(members.and_then(|diff| diff.new.as_ref())),
        left: names(members.and_then(|diff| diff.old.as_ref())),
        writer,
        change: name,
    })
}
