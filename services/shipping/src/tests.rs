//! Rules as given / when / then.

mod dispatch;
mod golden;
mod labels;
mod machine;
mod plan;
mod properties;
mod samples;
