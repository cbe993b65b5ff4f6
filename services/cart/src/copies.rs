//! Projections: the cart's own copy of what customers, shipping and credit say.

use contracts::{
    credit::{CreditAccountEvent, CreditAccountId},
    customers::CustomerEvent,
    shipping::ShippingPlanEvent,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// The groups of each customer, from customers.
pub fn customer_groups() -> Projection {
    const SCHEMA: &str = "CREATE TABLE customer_groups (customer_id TEXT PRIMARY KEY NOT NULL, groups TEXT NOT NULL)";
    Projection::own(
        "customer_groups",
        1,
        &["customer_groups"],
        SCHEMA,
        |event, out| {
            if &*event.kind == "customers.customer.groups_changed.v1"
                && let Some(event) = event.decode::<CustomerEvent>()?
                && let CustomerEvent::GroupsChanged(changed) = &*event
            {
                let groups = serde_json::to_string(&changed.groups).unwrap_or_else(|_| "[]".into());
                out.push(sql!(
                    "INSERT INTO customer_groups (customer_id, groups) VALUES ($1, $2)
                 ON CONFLICT (customer_id) DO UPDATE SET groups = excluded.groups",
                    &changed.customer_id,
                    groups,
                ));
            }
            Ok(())
        },
    )
    .of_topics(&["customers"])
}

/// The ways of shipping that are offered, from shipping.
pub fn shipping_options() -> Projection {
    const SCHEMA: &str = "CREATE TABLE shipping_options (option_id TEXT PRIMARY KEY NOT NULL)";
    Projection::own(
        "shipping_options",
        1,
        &["shipping_options"],
        SCHEMA,
        |event, out| {
            let Some(event) = event.decode::<ShippingPlanEvent>()? else {
                return Ok(());
            };
            match &*event {
                ShippingPlanEvent::OptionSet(set) if set.option.active => out.push(sql!(
                    "INSERT INTO shipping_options (option_id) VALUES ($1)
                 ON CONFLICT (option_id) DO NOTHING",
                    &set.option.id,
                )),
                ShippingPlanEvent::OptionSet(set) => out.push(not_offered(set.option.id.as_str())),
                ShippingPlanEvent::OptionRemoved(gone) => out.push(not_offered(gone.id.as_str())),
                _ => {}
            }
            Ok(())
        },
    )
    .of_topics(&["shipping"])
}

fn not_offered(option: &str) -> Statement {
    sql!("DELETE FROM shipping_options WHERE option_id = $1", option)
}

/// What may be spent of gift cards and store credit, from credit.
pub fn credit_accounts() -> Projection {
    const SCHEMA: &str = "CREATE TABLE credit_accounts (
        account_id TEXT PRIMARY KEY NOT NULL,
        balance BIGINT NOT NULL,
        currency TEXT NOT NULL,
        expires_at BIGINT,
        blocked BIGINT NOT NULL
    )";
    Projection::own(
        "credit_accounts",
        1,
        &["credit_accounts"],
        SCHEMA,
        apply_credit,
    )
    .of_topics(&["credit"])
}

fn apply_credit(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<CreditAccountEvent>()? else {
        return Ok(());
    };
    let block = |account: &CreditAccountId, blocked: bool| {
        sql!(
            "UPDATE credit_accounts SET blocked = $2 WHERE account_id = $1",
            account,
            blocked
        )
    };
    out.push(match &*event {
        CreditAccountEvent::Opened(e) => sql!(
            "INSERT INTO credit_accounts (account_id, balance, currency, expires_at, blocked)
             VALUES ($1, $2, $3, $4, 0) ON CONFLICT (account_id) DO NOTHING",
            &e.account_id,
            e.balance.amount,
            e.balance.currency,
            e.expires_at,
        ),
        CreditAccountEvent::Changed(e) => sql!(
            "UPDATE credit_accounts SET balance = $2 WHERE account_id = $1",
            &e.account_id,
            e.balance.amount,
        ),
        CreditAccountEvent::Disabled(e) => block(&e.account_id, true),
        CreditAccountEvent::Enabled(e) => block(&e.account_id, false),
        CreditAccountEvent::ExpirySet(e) => sql!(
            "UPDATE credit_accounts SET expires_at = $2 WHERE account_id = $1",
            &e.account_id,
            e.expires_at,
        ),
    });
    Ok(())
}
