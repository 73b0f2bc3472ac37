//! The words of the house: what a feed, an entry, an article, a label and a publication are.
//!
//! # Two models, and no third
//! An [`entry::Entry`] is what a document said: every field optional, nothing repaired. An
//! [`article::Article`] is complete, clean and ours. `normalize::article` is the only door
//! between them. Stored records and the values of feeds.toml have types of their own, in their
//! own rooms, so that neither format leaks into the house; nothing here can be serialised.
//!
//! Never here: disk, network, clock, chance. The values know nothing of where they came from.

pub mod address;
pub mod article;
pub mod clock;
pub mod colour;
pub mod entry;
pub mod event;
pub mod exchange;
pub mod feed;
pub mod front;
pub mod id;
pub mod known;
pub mod letters;
pub mod pattern;
pub mod provenance;
pub mod publication;
pub mod retention;
pub mod revision;
pub mod rhythm;
pub mod rule;
pub mod slug;
pub mod surroundings;
pub mod xml;
