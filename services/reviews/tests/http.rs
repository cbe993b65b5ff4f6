//! The API of reviews on a real store, with the other services' events played to it.

mod support;

use axum::http::{Method, StatusCode};
use reviews::Config;
use serde_json::{Value, json};
use support::{Shop, until};

const PRODUCT: &str = "/api/reviews/products/prd_1";
const MODERATOR: &[&str] = &["reviews:moderate"];

fn review(rating: u8, text: &str) -> Value {
    json!({"rating": rating, "title": "A mug", "text": text, "display_name": "Ann"})
}

/// Customer `n` writes a review that a moderator publishes. Answers its path.
async fn published(shop: &Shop, n: u32, rating: u8) -> String {
    let text = format!("Review number {n}.");
    let (status, view) = shop.post(PRODUCT).by(n).send(review(rating, &text)).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    let path = format!("/api/reviews/{}", view["id"].as_str().expect("an id"));
    let publish = shop.post(&format!("{path}/publish")).staff(MODERATOR);
    let (status, view) = publish.send(json!({"edition": 1})).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    path
}

async fn texts(shop: &Shop, query: &str) -> Vec<String> {
    let (status, list) = shop.get(&format!("{PRODUCT}?{query}")).ask().await;
    assert_eq!(status, StatusCode::OK, "{list}");
    let items = list["items"].as_array().expect("items");
    let text = |item: &Value| item["text"].as_str().map(str::to_owned);
    items.iter().filter_map(text).collect()
}

#[tokio::test]
async fn a_review_waits_is_published_and_counts() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let new = || review(4, "Keeps the tea <b>warm</b>.");
    let (status, view) = shop.post(PRODUCT).by(1).key("k1").send(new()).await;
    assert_eq!(status, StatusCode::CREATED, "{view}");
    assert_eq!(view["moderation"]["status"], "pending");
    assert_eq!(view["verified"], false);
    // The same request again is the same review; another one is refused and names it.
    let repeat = shop.post(PRODUCT).by(1).key("k1").send(new()).await;
    assert_eq!((repeat.0, &repeat.1["id"]), (status, &view["id"]));
    let second = shop.post(PRODUCT).by(1).send(new()).await;
    assert_eq!(second.0, StatusCode::CONFLICT);
    assert_eq!(second.1["review_id"], view["id"]);

    // Until it is published only its author and moderators see it.
    let path = format!("/api/reviews/{}", view["id"].as_str().expect("an id"));
    assert!(texts(&shop, "").await.is_empty());
    assert_eq!(shop.get(&path).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(shop.get(&path).by(2).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(shop.get(&path).by(1).ask().await.0, StatusCode::OK);
    let (_, queue) = shop.get("/api/reviews").staff(MODERATOR).ask().await;
    assert_eq!(queue["items"][0]["moderation"]["customer_id"], "cus_1");

    let publish = format!("{path}/publish");
    let (status, _) = shop
        .post(&publish)
        .staff(MODERATOR)
        .send(json!({"edition": 1}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let (_, list) = shop.get(PRODUCT).ask().await;
    let shown = &list["items"][0];
    assert_eq!(shown["text"], "Keeps the tea <b>warm</b>.");
    assert_eq!(shown["display_name"], "Ann");
    assert!(shown.get("moderation").is_none() && !shown.to_string().contains("cus_1"));
    let (_, rating) = shop.get(&format!("{PRODUCT}/rating")).ask().await;
    assert_eq!(
        rating,
        json!({"product_id": "prd_1", "count": 1, "sum": 4, "average_hundredths": 400,
            "histogram": [0, 0, 0, 1, 0]})
    );
    let shop = shop.restarted().await;
    assert_eq!(texts(&shop, "").await, ["Keeps the tea <b>warm</b>."]);
    shop.close().await;
}

#[tokio::test]
async fn lists_are_sorted_filtered_and_paged() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let mut paths = Vec::new();
    for (n, rating) in [(1, 4), (2, 1), (3, 5), (4, 1)] {
        paths.push(published(&shop, n, rating).await);
    }
    let vote = |path: &str, n| {
        let path = format!("{path}/vote");
        let call = shop.call(Method::PUT, &path).by(n);
        async move { call.send(json!({"helpful": true})).await }
    };
    assert_eq!(vote(&paths[1], 1).await.1["helpful"], 1);
    assert_eq!(vote(&paths[1], 3).await.1["helpful"], 2);
    assert_eq!(vote(&paths[1], 3).await.1["helpful"], 2);
    assert_eq!(vote(&paths[0], 3).await.1["helpful"], 1);
    assert_eq!(vote(&paths[2], 3).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let of = |numbers: [u32; 4]| numbers.map(|n| format!("Review number {n}."));
    assert_eq!(texts(&shop, "sort=newest").await, of([4, 3, 2, 1]));
    assert_eq!(
        texts(&shop, "sort=helpful").await[..2],
        of([2, 1, 0, 0])[..2]
    );
    assert_eq!(
        texts(&shop, "sort=rating_high").await[..2],
        of([3, 1, 0, 0])[..2]
    );
    assert_eq!(
        texts(&shop, "sort=rating_low").await[2..],
        of([0, 0, 1, 3])[2..]
    );
    assert_eq!(texts(&shop, "rating=1").await, of([4, 2, 0, 0])[..2]);
    assert!(texts(&shop, "verified=true").await.is_empty());

    for sort in ["newest", "helpful", "rating_high", "rating_low"] {
        let whole = texts(&shop, &format!("sort={sort}")).await;
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = format!("sort={sort}&limit=1&cursor={cursor}");
            let (_, page) = shop.get(&format!("{PRODUCT}?{query}")).ask().await;
            paged.push(
                page["items"][0]["text"]
                    .as_str()
                    .expect("a text")
                    .to_owned(),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(paged, whole, "{sort}");
    }
    for bad in ["sort=best", "rating=6", "cursor=Zm9v", "limit=0"] {
        let (status, problem) = shop.get(&format!("{PRODUCT}?{bad}")).ask().await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}: {problem}");
    }
    let unknown = shop.get("/api/reviews/products/prd_9").ask().await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    shop.close().await;
}

#[tokio::test]
async fn who_bought_it_is_verified() {
    let shop = Shop::with(Config {
        publish_verified: true,
        ..Config::default()
    })
    .await;
    shop.on_sale("prd_1", &["MUG", "MUG-XL"]).await;
    shop.bought(1, 1, "MUG-XL", true).await;
    shop.bought(2, 2, "MUG", false).await;
    shop.bought(3, 3, "TEA", true).await;
    for (n, verified) in [(1, true), (2, false), (3, false), (4, false)] {
        let (_, view) = shop.post(PRODUCT).by(n).send(review(5, "Good.")).await;
        assert_eq!(view["verified"], verified, "customer {n}");
        let status = match verified {
            true => "published",
            false => "pending",
        };
        assert_eq!(view["moderation"]["status"], status, "customer {n}");
    }
    assert_eq!(texts(&shop, "verified=true").await.len(), 1);
    shop.close().await;
}

#[tokio::test]
async fn an_author_changes_and_takes_back_their_own_and_nobody_else_s() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let path = published(&shop, 1, 4).await;
    let change = |n, body| shop.call(Method::PATCH, &path).by(n).send(body);
    assert_eq!(
        change(2, json!({"rating": 1})).await.0,
        StatusCode::NOT_FOUND
    );
    let (status, problem) = change(1, json!({"rating": 6})).await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::BAD_REQUEST, &json!("rating"))
    );
    let (status, view) = change(1, json!({"rating": 2, "display_name": ""})).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    assert_eq!(view["text"], "Review number 1.");
    assert!(view.get("display_name").is_none());
    assert_eq!(view["moderation"]["status"], "pending");
    assert_eq!(view["moderation"]["edition"], 2);
    assert!(texts(&shop, "").await.is_empty());

    let reject = shop.post(&format!("{path}/reject")).staff(MODERATOR);
    let body = json!({"edition": 2, "reason": "off_topic", "note": "Not about the mug, Ann."});
    assert_eq!(reject.send(body).await.0, StatusCode::OK);
    let (_, mine) = shop.get("/api/reviews/mine").by(1).ask().await;
    let moderation = &mine["items"][0]["moderation"];
    assert_eq!(moderation["reason"], "off_topic");
    assert_eq!(moderation["note"], "Not about the mug, Ann.");
    assert!(moderation.get("reports").is_none());

    let delete = |n| shop.call(Method::DELETE, &path).by(n).ask();
    assert_eq!(delete(2).await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete(1).await.0, StatusCode::NO_CONTENT);
    assert_eq!(delete(1).await.0, StatusCode::NOT_FOUND);
    let (_, mine) = shop.get("/api/reviews/mine").by(1).ask().await;
    assert_eq!(mine["items"], json!([]));
    let again = shop
        .post(PRODUCT)
        .by(1)
        .send(review(5, "Better now."))
        .await;
    assert_eq!(again.0, StatusCode::CREATED);
    shop.close().await;
}

#[tokio::test]
async fn reports_are_listed_until_a_moderator_looked_and_the_shop_can_answer() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let path = published(&shop, 1, 4).await;
    let report = |n, body| shop.post(&format!("{path}/reports")).by(n).send(body);
    let bare = report(2, json!({"reason": "other"})).await;
    assert_eq!(bare.1["field"], "note");
    let body = json!({"reason": "fake", "note": "They sell tea."});
    assert_eq!(report(2, body.clone()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(report(2, body).await.0, StatusCode::NO_CONTENT);
    let list = || {
        shop.get("/api/reviews?reported=true")
            .staff(MODERATOR)
            .ask()
    };
    assert_eq!(list().await.1["items"][0]["moderation"]["reports"], 1);
    let (_, reports) = shop
        .get(&format!("{path}/reports"))
        .staff(MODERATOR)
        .ask()
        .await;
    assert_eq!(reports["items"][0]["note"], "They sell tea.");
    let publish = shop.post(&format!("{path}/publish")).staff(MODERATOR);
    publish.send(json!({"edition": 1})).await;
    assert_eq!(list().await.1["items"], json!([]));

    let reply = format!("{path}/reply");
    let put = shop.call(Method::PUT, &reply).staff(MODERATOR);
    let (status, view) = put.send(json!({"text": "Thank you, Ann!"})).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    assert_eq!(shop.get(&path).ask().await.1["reply"], "Thank you, Ann!");
    shop.call(Method::DELETE, &reply)
        .staff(MODERATOR)
        .ask()
        .await;
    assert!(shop.get(&path).ask().await.1.get("reply").is_none());
    shop.close().await;
}

#[tokio::test]
async fn only_moderators_moderate() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let path = published(&shop, 1, 4).await;
    let body =
        || json!({"edition": 1, "reason": "spam", "text": "x", "reviews": [], "source": "a"});
    for (method, path) in [
        (Method::GET, "/api/reviews".to_owned()),
        (Method::GET, format!("{path}/reports")),
        (Method::POST, format!("{path}/publish")),
        (Method::POST, format!("{path}/reject")),
        (Method::PUT, format!("{path}/reply")),
        (Method::DELETE, format!("{path}/reply")),
        (Method::POST, "/api/reviews/imports".into()),
    ] {
        let call = || shop.call(method.clone(), &path);
        assert_eq!(call().send(body()).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(call().by(1).send(body()).await.0, StatusCode::FORBIDDEN);
        let other = call().staff(&["orders:write"]);
        assert_eq!(other.send(body()).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let anonymous = shop.post(PRODUCT).send(review(5, "x")).await;
    assert_eq!(anonymous.0, StatusCode::UNAUTHORIZED);
    shop.close().await;
}

#[tokio::test]
async fn reviews_from_elsewhere_are_entered_once() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let import = |source: &str, reviews: Value| {
        let body = json!({"source": source, "publish": true, "reviews": reviews});
        let call = shop.post("/api/reviews/imports").staff(&["reviews:write"]);
        async move { call.send(body).await }
    };
    let one = |id: &str, rating: u8| {
        json!({"external_id": id, "product_id": "prd_1", "rating": rating, "text": "Fine.",
            "verified": true, "written_at": 1_600_000_000_000_000_i64})
    };
    let (status, answer) = import("old-shop", json!([one("a", 5), one("b", 2)])).await;
    assert_eq!(
        (status, &answer["imported"]),
        (StatusCode::OK, &json!(2)),
        "{answer}"
    );
    let (_, again) = import("old-shop", json!([one("b", 1), one("c", 3)])).await;
    assert_eq!(
        (&again["imported"], &again["known"]),
        (&json!(1), &json!(1))
    );
    let (_, rating) = shop.get(&format!("{PRODUCT}/rating")).ask().await;
    assert_eq!(rating["histogram"], json!([0, 1, 1, 0, 1]));
    assert_eq!(rating["average_hundredths"], 333);
    for (source, reviews, field) in [
        ("Old Shop", json!([one("d", 1)]), "source"),
        ("a", json!([]), "reviews"),
        ("a", json!([one("d", 1), one("e", 0)]), "reviews[1].rating"),
        ("a", json!([one("", 1)]), "reviews[0].external_id"),
        (
            "a",
            json!([{"external_id": "d", "product_id": "prd_9", "rating": 1, "text": "x"}]),
            "reviews[0].product_id",
        ),
    ] {
        let (status, problem) = import(source, reviews).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert_eq!(problem["field"], field);
    }
    shop.close().await;
}

#[tokio::test]
async fn a_deleted_product_s_reviews_are_hidden() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let path = published(&shop, 1, 4).await;
    shop.deleted("prd_1").await;
    assert_eq!(shop.get(PRODUCT).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(shop.get(&path).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(shop.get(&path).by(1).ask().await.0, StatusCode::OK);
    let late = shop.post(PRODUCT).by(2).send(review(5, "x")).await;
    assert_eq!(late.0, StatusCode::NOT_FOUND);
    let (_, queue) = shop
        .get("/api/reviews?status=published")
        .staff(MODERATOR)
        .ask()
        .await;
    assert_eq!(queue["items"], json!([]));
    shop.close().await;
}

#[tokio::test]
async fn an_erased_person_s_reviews_are_gone_with_their_rating() {
    let shop = Shop::open().await;
    shop.on_sale("prd_1", &["MUG"]).await;
    let path = published(&shop, 1, 1).await;
    published(&shop, 2, 5).await;
    shop.erased(1).await;
    let rating = format!("{PRODUCT}/rating");
    until("the rating is without them", async || {
        shop.get(&rating).ask().await.1["count"] == 1
    })
    .await;
    assert_eq!(texts(&shop, "").await, ["Review number 2."]);
    assert_eq!(shop.get(&path).by(1).ask().await.0, StatusCode::NOT_FOUND);
    // Their token is good for some minutes yet.
    let late = shop.post(PRODUCT).by(1).send(review(5, "x")).await;
    assert_eq!(
        (late.0, &late.1["type"]),
        (StatusCode::GONE, &json!("urn:souk:problem:erased"))
    );
    shop.close().await;
}
