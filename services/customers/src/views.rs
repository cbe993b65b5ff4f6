//! The read models. They hold ids, codes, keyed hashes and sums; what is personal stays in the
//! streams, sealed.

use contracts::{
    customers::{CompanyEvent, ConsentEvent, CustomerEvent, OrderRecordEvent, PersonEvent},
    orders::OrderStatus,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Who there is, and in which groups.
pub fn customers() -> Projection {
    const SCHEMA: &str = "CREATE TABLE customers (
        id TEXT PRIMARY KEY NOT NULL,
        status TEXT NOT NULL,
        email_hash TEXT NOT NULL,
        merged_into TEXT
    );
    CREATE INDEX customers_email ON customers (email_hash);
    CREATE INDEX customers_merged ON customers (merged_into) WHERE merged_into IS NOT NULL;
    CREATE TABLE customer_groups (
        code TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        PRIMARY KEY (code, customer_id)
    );
    CREATE INDEX customer_groups_customer ON customer_groups (customer_id)";
    let tables = &["customers", "customer_groups"];
    Projection::own("customers", 1, tables, SCHEMA, apply_customer)
}

fn apply_customer(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    match event.decode::<CustomerEvent>()?.as_deref() {
        Some(CustomerEvent::Opened(opened)) => out.push(sql!(
            "INSERT INTO customers (id, status, email_hash) VALUES ($1, 'open', $2)
             ON CONFLICT (id) DO UPDATE SET email_hash = excluded.email_hash",
            &opened.customer_id,
            &opened.email_hash
        )),
        Some(CustomerEvent::GroupsChanged(changed)) => {
            out.push(sql!(
                "DELETE FROM customer_groups WHERE customer_id = $1",
                &changed.customer_id
            ));
            out.extend(changed.groups.iter().map(|code| {
                sql!(
                    "INSERT INTO customer_groups (code, customer_id) VALUES ($1, $2)
                     ON CONFLICT (code, customer_id) DO NOTHING",
                    code,
                    &changed.customer_id
                )
            }));
        }
        Some(CustomerEvent::Merged(merged)) => {
            out.push(sql!(
                "UPDATE customers SET status = 'merged', email_hash = '', merged_into = $2
                 WHERE id = $1",
                &merged.customer_id,
                &merged.into
            ));
            // Duplicates of the duplicate are the other one's too.
            out.push(sql!(
                "UPDATE customers SET merged_into = $2 WHERE merged_into = $1",
                &merged.customer_id,
                &merged.into
            ));
        }
        Some(CustomerEvent::Erased(erased)) => out.push(sql!(
            "UPDATE customers SET status = 'erased', email_hash = '' WHERE id = $1",
            &erased.customer_id
        )),
        _ => {}
    }
    Ok(())
}

/// A narrow row per order.
pub fn orders() -> Projection {
    const SCHEMA: &str = "CREATE TABLE order_history (
        id TEXT PRIMARY KEY NOT NULL,
        number TEXT NOT NULL,
        status TEXT NOT NULL,
        person TEXT NOT NULL,
        customer_id TEXT,
        claimed BIGINT NOT NULL,
        email_hash TEXT NOT NULL,
        total BIGINT NOT NULL,
        refunded BIGINT NOT NULL,
        currency TEXT NOT NULL,
        placed_at BIGINT NOT NULL
    );
    CREATE INDEX order_history_number ON order_history (number);
    CREATE INDEX order_history_person ON order_history (person);
    CREATE INDEX order_history_customer ON order_history (customer_id, id)
        WHERE customer_id IS NOT NULL;
    CREATE INDEX order_history_guest ON order_history (email_hash, id)
        WHERE customer_id IS NULL";
    Projection::own("order_history", 1, &["order_history"], SCHEMA, apply_order)
}

fn apply_order(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    match event.decode::<OrderRecordEvent>()?.as_deref() {
        Some(OrderRecordEvent::Recorded(order)) => out.push(sql!(
            "INSERT INTO order_history
               (id, number, status, person, customer_id, claimed, email_hash, total, refunded,
                currency, placed_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 0, $8, $9) ON CONFLICT (id) DO NOTHING",
            &order.order_id,
            &order.number,
            OrderStatus::Placed.as_str(),
            &order.person,
            order.customer_id.as_ref().map(|id| id.as_str()),
            &order.email_hash,
            order.total.amount,
            order.total.currency,
            order.placed_at
        )),
        Some(OrderRecordEvent::Changed(changed)) => out.push(sql!(
            "UPDATE order_history SET status = $2, refunded = $3 WHERE id = $1",
            &changed.order_id,
            changed.status.as_str(),
            changed.refunded.amount
        )),
        Some(OrderRecordEvent::Claimed(claimed)) => out.push(sql!(
            "UPDATE order_history SET customer_id = $2, claimed = 1 WHERE id = $1",
            &claimed.order_id,
            &claimed.customer_id
        )),
        None => {}
    }
    if let Some(PersonEvent::Erased(erased)) = event.decode::<PersonEvent>()?.as_deref() {
        out.push(sql!(
            "UPDATE order_history SET email_hash = '' WHERE person = $1",
            &erased.person
        ));
    }
    Ok(())
}

/// Everything that was ever agreed to or withdrawn.
pub fn consents() -> Projection {
    const SCHEMA: &str = "CREATE TABLE consents (
        person TEXT NOT NULL,
        version BIGINT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (person, version)
    )";
    Projection::own("consents", 1, &["consents"], SCHEMA, |event, out| {
        if let Some(ConsentEvent::Changed(changed)) = event.decode::<ConsentEvent>()?.as_deref() {
            out.push(sql!(
                "INSERT INTO consents (person, version, document) VALUES ($1, $2, $3)
                 ON CONFLICT (person, version) DO NOTHING",
                &changed.person,
                event.version,
                &*event.data
            ));
        }
        Ok(())
    })
}

/// Which companies there are, and who acts for them.
pub fn companies() -> Projection {
    const SCHEMA: &str = "CREATE TABLE companies (id TEXT PRIMARY KEY NOT NULL);
    CREATE TABLE company_members (
        company_id TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        role TEXT NOT NULL,
        PRIMARY KEY (company_id, customer_id)
    );
    CREATE INDEX company_members_customer ON company_members (customer_id, company_id)";
    let tables = &["companies", "company_members"];
    Projection::own("companies", 1, tables, SCHEMA, apply_company)
}

fn apply_company(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    match event.decode::<CompanyEvent>()?.as_deref() {
        Some(CompanyEvent::Created(created)) => out.push(sql!(
            "INSERT INTO companies (id) VALUES ($1) ON CONFLICT (id) DO NOTHING",
            &created.company_id
        )),
        Some(CompanyEvent::MemberSet(member)) => out.push(sql!(
            "INSERT INTO company_members (company_id, customer_id, role) VALUES ($1, $2, $3)
             ON CONFLICT (company_id, customer_id) DO UPDATE SET role = excluded.role",
            &member.company_id,
            &member.customer_id,
            member.role.as_str()
        )),
        Some(CompanyEvent::MemberRemoved(member)) => out.push(sql!(
            "DELETE FROM company_members WHERE company_id = $1 AND customer_id = $2",
            &member.company_id,
            &member.customer_id
        )),
        _ => {}
    }
    Ok(())
}
