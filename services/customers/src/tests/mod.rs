//! Rules as given / when / then.
