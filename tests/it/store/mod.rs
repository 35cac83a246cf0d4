//! The store as everybody else sees it: these tests speak only its API, so that another engine in its place can be judged by them.

mod authorizations;
mod directory;
mod events;
mod fixtures;
mod guards;
mod integrations;
mod members;
mod runs;
mod slices;
mod speed;
