//! The rules of pricing, as sentences.
