//! Rules as given / when / then.

mod golden;
