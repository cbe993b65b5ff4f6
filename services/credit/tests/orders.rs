//! Orders pay with credit, through the real runtime: in part, in parallel, given up, refunded.

mod shop;

use std::sync::Arc;

use shop::{ANN, STAFF, Shop, text};

fn book(books: &[(String, i64)], account: &str) -> i64 {
    let found = books.iter().find(|(name, _)| name == account);
    found.map_or(0, |(_, sum)| *sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_paid_in_part_confirmed_refunded_and_given_up() {
    let shop = Shop::open().await;
    let (card, _) = shop.card(500).await;
    let credit = shop.grant(ANN, 300).await;
    shop.place("ord_1", Some(ANN), &[(&card, 400), (&credit, 300)])
        .await;
    assert_eq!(shop.hear().await, "made ord_1");
    let waiting = shop.get(STAFF, "/api/credit/holds").await;
    assert_eq!(waiting["items"][0]["amount"]["amount"], 700);
    assert_eq!(book(&shop.books().await, "liability:held"), -700);

    shop.confirm("ord_1").await;
    assert_eq!(shop.hear().await, "spent ord_1");
    assert_eq!(book(&shop.books().await, "spent:orders"), -700);
    assert!(shop.all(STAFF, "/api/credit/holds").await.is_empty());

    // A part goes back to the card that paid; more than it paid does not.
    shop.refund("ord_1", "ref_1", Some(ANN), 150, &[(&card, 150)])
        .await;
    assert_eq!(shop.hear().await, "refunded ref_1");
    shop.refund("ord_1", "ref_2", Some(ANN), 251, &[(&card, 251)])
        .await;
    assert_eq!(shop.hear().await, "not refunded ref_2 MoreThanSpent");
    assert_eq!(shop.balance(&card).await, 250);
    // Asked again: answered before. What was paid by card comes as store credit.
    shop.refund("ord_1", "ref_1", Some(ANN), 150, &[(&card, 150)])
        .await;
    shop.refund("ord_1", "ref_3", Some(ANN), 100, &[]).await;
    assert_eq!(shop.hear().await, "refunded ref_3");
    assert_eq!(shop.balance(&credit).await, 100);

    // Given up: what was spent comes back, less what was refunded to those who paid.
    shop.cancel("ord_1").await;
    assert_eq!(shop.hear().await, "released ord_1");
    assert_eq!(shop.balance(&card).await, 500);
    assert_eq!(shop.balance(&credit).await, 400);
    let seen = shop.get(STAFF, "/api/credit/holds/ord_1").await;
    assert_eq!(seen["status"], "released");
    assert_eq!(seen["refunded"][0]["amount"]["amount"], 150);
    let books = shop.books().await;
    assert_eq!(book(&books, "liability:gift_cards"), -500);
    assert_eq!(book(&books, "liability:store_credit"), -400);
    assert_eq!(book(&books, "liability:held"), 0);
    assert_eq!(book(&books, "refunds:orders"), 250);
    assert_eq!(book(&books, "spent:orders"), -150);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_cannot_be_paid_takes_nothing() {
    let shop = Shop::open().await;
    let (card, _) = shop.card(500).await;
    let credit = shop.grant(ANN, 300).await;
    shop.place("ord_1", Some("cus_bob"), &[(&card, 100), (&credit, 1)])
        .await;
    assert_eq!(shop.hear().await, "refused ord_1 NotTheirs");
    shop.place("ord_2", None, &[(&card, 100), ("crd_unknown", 1)])
        .await;
    assert_eq!(shop.hear().await, "refused ord_2 Unknown");
    shop.place("ord_3", Some(ANN), &[(&credit, 200), (&credit, 101)])
        .await;
    assert_eq!(shop.hear().await, "refused ord_3 TooLittle");
    // Orders without credit, and a refused one that is given up, are passed over.
    for order in ["ord_1", "ord_4"] {
        shop.cancel(order).await;
    }
    shop.confirm("ord_5").await;
    // A guest cannot have store credit; the answer is an event.
    shop.refund("ord_5", "ref_1", None, 100, &[]).await;
    assert_eq!(shop.hear().await, "not refunded ref_1 NoCustomer");
    assert_eq!(shop.balance(&card).await, 500);
    assert_eq!(shop.balance(&credit).await, 300);
    assert_eq!(shop.dead_letters().await, 0);
}

/// How many of `orders` were held; all were answered.
async fn held(shop: &Shop, orders: usize) -> usize {
    let mut made = 0;
    for _ in 0..orders {
        made += usize::from(shop.hear().await.starts_with("made "));
    }
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_card_drained_by_a_hundred_orders_at_once_pays_what_is_on_it() {
    const ORDERS: usize = 100;
    let shop = Arc::new(Shop::open().await);
    let (card, _) = shop.card(1_000).await;
    let publishing: Vec<_> = (0..ORDERS)
        .map(|number| {
            let (shop, card) = (shop.clone(), card.clone());
            tokio::spawn(async move {
                let order = format!("ord_{number}");
                shop.place(&order, None, &[(&card, 70)]).await;
            })
        })
        .collect();
    for one in publishing {
        one.await.expect("published");
    }
    assert_eq!(held(&shop, ORDERS).await, 14, "14 times 70 is 980 of 1000");
    assert_eq!(shop.balance(&card).await, 20);
    // Given up: they make room for as many again.
    let waiting = shop.all(STAFF, "/api/credit/holds").await;
    assert_eq!(waiting.len(), 14);
    for hold in waiting {
        shop.cancel(&text(&hold["order_id"])).await;
        assert!(shop.hear().await.starts_with("released "));
    }
    assert_eq!(shop.balance(&card).await, 1_000);
    assert_eq!(book(&shop.books().await, "liability:gift_cards"), -1_000);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_name_two_cards_in_either_order_take_both_or_none() {
    const ORDERS: usize = 60;
    let shop = Arc::new(Shop::open().await);
    let (a, _) = shop.card(1_000).await;
    let (b, _) = shop.card(600).await;
    let publishing: Vec<_> = (0..ORDERS)
        .map(|number| {
            let (shop, a, b) = (shop.clone(), a.clone(), b.clone());
            tokio::spawn(async move {
                let order = format!("ord_{number}");
                let credits = match number % 2 {
                    0 => [(a.as_str(), 50), (b.as_str(), 50)],
                    _ => [(b.as_str(), 50), (a.as_str(), 50)],
                };
                shop.place(&order, None, &credits).await;
            })
        })
        .collect();
    for one in publishing {
        one.await.expect("published");
    }
    assert_eq!(held(&shop, ORDERS).await, 12);
    assert_eq!((shop.balance(&a).await, shop.balance(&b).await), (400, 0));
    assert_eq!(book(&shop.books().await, "liability:held"), -1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_built_again_from_the_log_say_the_same() {
    let shop = Shop::open().await;
    let (card, _) = shop.card(500).await;
    shop.place("ord_1", None, &[(&card, 400)]).await;
    shop.place("ord_2", None, &[(&card, 100)]).await;
    shop.confirm("ord_1").await;
    for said in ["made ord_1", "made ord_2", "spent ord_1"] {
        assert_eq!(shop.hear().await, said);
    }
    let seen = async || {
        let ledger = shop.all(STAFF, "/api/credit/ledger").await;
        let movements = format!("/api/credit/accounts/{card}/movements");
        let movements = shop.all(STAFF, &movements).await;
        let accounts = shop.all(STAFF, "/api/credit/accounts").await;
        let holds = shop.all(STAFF, "/api/credit/holds").await;
        (ledger, movements, accounts, holds, shop.books().await)
    };
    let before = seen().await;
    shop.rebuild().await;
    assert_eq!(seen().await, before);
    assert_eq!(before.0.len(), 8);
}
