//! Who may do what.

use super::*;

#[tokio::test]
async fn only_staff_with_the_permission_may_change_or_read() {
    let shop = Shop::open().await;
    for (method, path, access) in crate::service().routes.table() {
        if access == web::Access::Public {
            assert_eq!(path, "/api/pricing/regions/public");
            continue;
        }
        let path = path
            .replace("{id}", "prm_1")
            .replace("{code}", "a")
            .replace("{sku}", "A")
            .replace("{order_id}", "ord_1");
        let call = async |permissions| {
            let body = Some(json!({}));
            shop.json(method.clone(), &path, body, permissions, None)
                .await
                .0
        };
        assert_eq!(
            call(None).await,
            StatusCode::UNAUTHORIZED,
            "{method} {path}"
        );
        let other = Some("catalog:write");
        assert_eq!(call(other).await, StatusCode::FORBIDDEN, "{method} {path}");
        let weaker = Some("pricing:read");
        let reads = method == Method::GET;
        assert_eq!(
            call(weaker).await != StatusCode::FORBIDDEN,
            reads,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_an_id_names_nothing() {
    let shop = Shop::open().await;
    for path in [
        "promotions/ord_1",
        "promotions/%00",
        "campaigns/x",
        "price-lists/plt_1",
        "price-lists/plt_1/prices",
        "price-lists/plt_1/prices/%00",
        "coupons/a%20b",
        "coupons/%00",
        "redemptions/ord_9",
        "tax-rates/txr_1",
        "regions/nowhere",
        "channels/nowhere",
    ] {
        let path = format!("/api/pricing/{path}");
        let read = Some("pricing:read");
        let (status, answer) = shop.json(Method::GET, &path, None, read, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
}
