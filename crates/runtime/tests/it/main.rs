//! The runtime, attacked: each module proves one family of guarantees on two small toy services.

mod life;
mod smoke;
mod toys;
