//! What must be true after a run, judged from the facts and from what was acknowledged. Pure.

use std::collections::{HashMap, HashSet};

use crate::{
    book::{Order, Product, Violation},
    facts::{Charge, Facts},
};

/// What is not at its end yet, and is waited for; one example in words.
pub fn pending(facts: &Facts) -> Option<String> {
    let open = |what: &str, id: &str| Some(format!("{what} {id}"));
    if let Some(id) = facts
        .checkouts
        .keys()
        .find(|id| !facts.orders.contains_key(*id))
    {
        return open("a checkout without its order yet:", id);
    }
    if let Some((id, _)) = facts.orders.iter().find(|(_, o)| o.status == "placed") {
        return open("an order without an end yet:", id);
    }
    if let Some(id) = facts.waiting.first() {
        return open("a reservation without an end yet:", id);
    }
    money_pending(facts).or_else(|| stock_pending(facts))
}

fn stock_pending(facts: &Facts) -> Option<String> {
    let sold = facts.sold();
    facts.stock.iter().find_map(|(sku, stock)| {
        let sold = sold.get(sku.as_str()).copied().unwrap_or(0);
        (stock.reserved != sold).then(|| format!("{sku}: {} promised, {sold} sold", stock.reserved))
    })
}

fn money_pending(facts: &Facts) -> Option<String> {
    let confirmed: HashSet<&str> = facts
        .orders
        .values()
        .filter(|order| order.status == "confirmed")
        .map(|order| order.payment.as_str())
        .collect();
    facts.charges.iter().find_map(|charge| {
        let wanted = confirmed.contains(charge.reference.as_str());
        let booked = facts.payments.get(&charge.reference).map(|(_, sum)| *sum);
        if charge.live() && !wanted {
            return Some(format!("money held for no confirmed order yet: {charge:?}"));
        }
        let taken = charge.captured - charge.refunded;
        (booked != Some(taken)).then(|| format!("{charge:?}, and the ledger says {booked:?}"))
    })
}

/// Every rule that is broken.
pub fn broken(facts: &Facts, acknowledged: &[Order], goods: &[(Product, i64)]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut no = |rule: &'static str, detail: String| found.push(Violation::new(rule, detail));
    for order in acknowledged {
        match facts.orders.get(&order.id) {
            None => no("no acknowledged order is lost", format!("{order:?}")),
            Some(fact) if order.cancelled && fact.status != "cancelled" => {
                no(
                    "no acknowledged cancellation is lost",
                    format!("{order:?}: {fact:?}"),
                );
            }
            Some(fact) if fact.total != order.total || fact.cart != order.cart => {
                no(
                    "an order is what was acknowledged",
                    format!("{order:?}: {fact:?}"),
                );
            }
            Some(_) => {}
        }
    }
    let mut carts = HashMap::new();
    for (id, order) in &facts.orders {
        if let Some(other) = carts.insert(&order.cart, id) {
            no(
                "a cart becomes one order",
                format!("{other} and {id} from {}", order.cart),
            );
        }
        if order.confirmed > 1 || (order.status == "placed") {
            no(
                "every order is at an end state, once",
                format!("{id}: {order:?}"),
            );
        }
    }
    for id in &facts.placed_twice {
        no("a cart becomes one order", format!("{id} was placed twice"));
    }
    for letter in &facts.dead_letters {
        no("nothing is parked", letter.clone());
    }
    for sum in &facts.unbalanced {
        no("all ledgers are balanced", sum.clone());
    }
    for id in &facts.waiting {
        no("no stock is leaked", format!("reservation {id} has no end"));
    }
    if let Some(detail) = money_pending(facts) {
        no("no charge without order, and the books agree", detail);
    }
    money(facts, &mut no);
    stock(facts, goods, &mut no);
    found
}

fn money(facts: &Facts, no: &mut impl FnMut(&'static str, String)) {
    let mut live: HashMap<&str, &Charge> = HashMap::new();
    for charge in facts.charges.iter().filter(|charge| charge.live()) {
        if let Some(other) = live.insert(&charge.reference, charge) {
            no(
                "nobody is charged twice",
                format!("{other:?} and {charge:?}"),
            );
        }
    }
    // What was taken and given back whole is no longer live, and was a charge all the same.
    let charged: HashMap<&str, &Charge> = facts
        .charges
        .iter()
        .filter(|charge| charge.live() || charge.captured > 0)
        .map(|charge| (charge.reference.as_str(), charge))
        .collect();
    for (id, order) in facts.orders.iter().filter(|(_, o)| o.status == "confirmed") {
        match charged.get(order.payment.as_str()) {
            None => no(
                "no confirmed order without its money",
                format!("{id}: {order:?}"),
            ),
            Some(charge) if charge.amount != order.total => {
                no(
                    "an order is charged what it costs",
                    format!("{id}: {order:?}, {charge:?}"),
                );
            }
            Some(_) => {}
        }
    }
    let mut of_order: HashMap<&str, &Charge> = HashMap::new();
    for charge in live.values() {
        let order = facts.payments.get(&charge.reference);
        if let Some((order, _)) = order
            && let Some(other) = of_order.insert(order, charge)
        {
            no(
                "nobody is charged twice",
                format!("{order}: {other:?} and {charge:?}"),
            );
        }
    }
}

fn stock(facts: &Facts, goods: &[(Product, i64)], no: &mut impl FnMut(&'static str, String)) {
    let sold = facts.sold();
    for (product, received) in goods {
        let sku = &product.sku;
        let sold = sold.get(sku.as_str()).copied().unwrap_or(0);
        let Some(stock) = facts.stock.get(sku) else {
            no("no stock is leaked", format!("{sku} has no stock"));
            continue;
        };
        if stock.lowest < 0 {
            no("no stock is below zero", format!("{sku}: {stock:?}"));
        }
        let told = format!(
            "{sku}: {} opening, {received} received, {sold} sold, {stock:?}",
            product.stock
        );
        if stock.on_hand != product.stock + received || stock.reserved != sold {
            no("no stock is leaked", told);
        } else if stock.said != stock.on_hand - stock.reserved {
            no("the stock says what there is", told);
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
