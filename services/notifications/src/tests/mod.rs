//! Rules, as given / when / then.

mod fixtures;
mod golden;
mod heard;
mod messages;
mod restock;
