//! A payment provider to develop and test against: it behaves like a real one, over HTTP, on its
//! own listener, with its own data. It knows nothing of the shop, and no money moves.
//!
//! [`start`] runs one; [`Config`] says how; [`signature`] verifies its webhooks.
//!
//! # Routes
//!
//! Amounts are integers in minor units. Merchants show `Authorization: Bearer <api_key>`. Every
//! request that changes something carries an `Idempotency-Key`: the same key with the same request
//! gets the same answer (with `Idempotent-Replayed: true`), with another request 409. Refused
//! requests do not use the key up. Errors are problem details (RFC 9457) with a `code` and the `field`.
//!
//! | Route | What it does |
//! |---|---|
//! | `POST /v1/tokens {card: {number, exp_month, exp_year, cvc}}` | card → `{token, brand, last4}`; with the publishable key, from any web page; a token is good for 24 hours |
//! | `POST /v1/payments {amount, currency, token, reference, capture?}` | opens a payment (201); `declined` is an answer, not an error |
//! | `GET /v1/payments/{id}` | the payment and all operations on it |
//! | `GET /v1/payments?reference=…` | the same for all payments of a reference: settles what became of a request without an answer |
//! | `GET /v1/payments?limit&after` | all payments, oldest first: `{items, next_after?}` |
//! | `GET /v1/balance` | sums and counts per currency, added up from the payments |
//! | `POST /v1/payments/{id}/capture {amount?}` | takes a part of what is held, or the rest |
//! | `POST /v1/payments/{id}/void` | gives the hold up; only while nothing is captured |
//! | `POST /v1/payments/{id}/refund {amount?}` | gives a part of what was captured back, or the rest |
//! | `GET /3ds/{id}?return_url=…` | the page on which a cardholder approves or refuses |
//! | `POST /3ds/{id} {"approve": true}` | the same without a page |
//! | `GET /` | the table of test cards |
//!
//! A payment is `requires_action`, `authorised`, `captured` (from the first captured part on),
//! `declined` or `voided`. Operations answer `{operation_id, type, amount, payment}`.
//!
//! # Test cards
//!
//! Any month to come and any three or four digits as cvc. The fixed tokens need no exchange.
//!
//! | Card | Token | What happens |
//! |---|---|---|
//! | 4242424242424242 | `tok_visa` | authorised |
//! | 5555555555554444 | `tok_mastercard` | authorised |
//! | 378282246310005 | `tok_amex` | authorised |
//! | 4000000000000002 | `tok_declined` | declined by the bank: `card_declined` |
//! | 4000000000009995 | `tok_insufficient_funds` | declined: `insufficient_funds` |
//! | 4000002500003155 | `tok_3ds` | `requires_action`, with an `action_url` for the cardholder |
//! | 4000000000001018 | `tok_timeout_after_charge` | charged, but the connection is held and dropped; asking, or repeating the key, tells |
//! | 4000000000001026 | `tok_timeout_before_charge` | never charged, held and dropped, however often it is tried |
//! | 4000000000001034 | `tok_webhook_storm` | every webhook of the payment five times in parallel |
//! | 4000000000001042 | `tok_webhook_first` | every webhook is delivered, or has failed once, before the answer leaves |
//! | 4000000000001059 | `tok_webhook_late` | every webhook seconds late |
//! | 4000000000001067 | `tok_webhook_reordered` | the first webhook waits until a later one was delivered, or for some seconds |
//! | 4000000000001075 | `tok_error_500_then_ok` | 500 on the first attempt of a key, works on the second |
//!
//! # Webhooks
//!
//! Posted to [`Config::webhook_url`], signed in the header [`signature::HEADER`]:
//! `{id, type, created (µs), operation_id, amount, payment}` with type `payment.authorised`,
//! `payment.captured`, `payment.declined`, `payment.voided`, `payment.refunded` or
//! `payment.requires_action`. `payment` is as it stood after the operation. They arrive at least
//! once, in any order, also after a restart; anything but 2xx within the time limit is tried again
//! with growing waits ([`Retry`]). Opening a payment with `capture: true` sends `payment.authorised`
//! and `payment.captured` with one `operation_id`.
//!
//! # The carrier
//!
//! Beside the payment provider, at the same address and with the same key, works a carrier. It
//! makes labels, takes them back, and tells where parcels are; no parcel moves.
//!
//! | Route | What it does |
//! |---|---|
//! | `POST /carrier/v1/shipments {reference, weight_grams, size_mm?, sender?, recipient}` | a label (201); the same reference again gets the same one |
//! | `GET /carrier/v1/shipments?reference=…` | `{items}`: settles what became of a request without an answer |
//! | `GET /carrier/v1/shipments/{id}` | the label and what happened to the parcel |
//! | `POST /carrier/v1/shipments/{id}/void` | takes a label back that was not used; again changes nothing |
//! | `POST /carrier/v1/shipments/{id}/events {status, place?}` | lets something happen: `accepted`, `in_transit`, `out_for_delivery`, `failed_attempt`, `delivered`, `lost`, `returned_to_sender` |
//!
//! A shipment is `{id, reference, status, tracking_number, tracking_url, weight_grams, events}`, `created`,
//! `voided` or the status of its last event. Its number is one of postal items (UPU S10). Each event is
//! posted to [`Config::carrier_webhook_url`], signed as above: `{id, shipment_id, reference,
//! tracking_number, status, place, happened_at (µs)}`.
//!
//! The recipient's second address line (`line2`) can make it misbehave:
//!
//! | `line2` | What happens |
//! |---|---|
//! | `sandbox:timeout-after` | the label is made, but the first connection is held and dropped |
//! | `sandbox:timeout-before` | the first attempt is held and dropped, and nothing is made |
//! | `sandbox:refused` | 422 `address_not_served` |
//! | `sandbox:error-once` | 500 on the first attempt, works on the second |
//! | `sandbox:keep` | the label cannot be voided: 409 `already_processed` |
//! | `sandbox:webhook-storm` | every webhook five times in parallel |
//!
//! # Durability
//!
//! An answer leaves after its transaction was handed to the operating system: killing the process
//! loses nothing that was answered. A failing machine may lose the last moments.

mod behaviour;
mod carrier;
mod challenge;
mod clock;
mod config;
mod engine;
mod http;
mod ids;
mod input;
mod ledger;
mod page;
mod payment;
mod problem;
mod sender;
mod server;
pub mod signature;
mod store;
mod tokens;
mod webhooks;
mod wire;

pub use behaviour::{Behaviour, TEST_CARDS, TestCard};
pub use config::{Config, Retry};
pub use server::{Sandbox, StartError, start};
