//! The table of routes; the handlers are in [`crate::handlers`].

use std::sync::Arc;

use axum::extract::State;
use contracts::{
    cart::{
        CartDestination, CartId, CartView, CheckoutRequest, LineChange, LineId, NewCart, NewCoupon,
        NewLines, PriceAnswer, PriceRequest, ShippingChoice,
    },
    orders::{CheckoutAnswer, OrderId, OrderView},
};
use kernel::App;
use web::{Access, Caller, Ctx, Json, Path, Routes, signed::QuoteKeys};

use crate::{
    CartConfig,
    cart::Ask,
    handlers::{Api, Touched},
};

/// The routes of the cart.
pub fn routes(config: &CartConfig, quote_keys: Arc<QuoteKeys>) -> Routes {
    let api = Api::new(config, quote_keys);
    let routes = cart_routes(Routes::new(), &api);
    let routes = line_routes(routes, &api);
    let routes = terms_routes(routes, &api);
    checkout_routes(routes, &api)
}

type Id = Path<CartId>;
type Line = Path<(CartId, LineId)>;

fn cart_routes(routes: Routes, api: &Api) -> Routes {
    let (create, get, reprice) = (api.clone(), api.clone(), api.clone());
    routes
        .post(
            "/api/carts",
            Access::Public,
            async move |State(app): State<App>, ctx: Ctx, caller: Caller, body: Json<NewCart>| {
                create.create(&app, &ctx.0, &caller, body).await
            },
            |d| {
                d.summary("Open a cart")
                    .description(
                        "The answer's id is the right to use the cart: keep it secret, and use an \
                         unguessable `Idempotency-Key`. A signed-in customer's cart is theirs alone.",
                    )
                    .body::<NewCart>()
                    .answer::<CartView>(201, "The cart")
                    .idempotent()
            },
        )
        .get(
            "/api/carts/{id}",
            Access::Public,
            async move |State(app): State<App>, caller: Caller, Path(id): Id| {
                get.get(&app, &caller, &id).await
            },
            |d| {
                d.summary("A cart")
                    .description("With everything that stands in the way of a checkout.")
                    .answer::<CartView>(200, "The cart")
            },
        )
        .post(
            "/api/carts/{id}/reprice",
            Access::Public,
            async move |State(app): State<App>, ctx: Ctx, caller: Caller, Path(id): Id| {
                reprice.reprice(&app, &ctx.0, &caller, id).await
            },
            |d| {
                d.summary("Accept the present prices")
                    .description("What to do about the problem `price-changed`.")
                    .answer::<CartView>(200, "The cart")
            },
        )
}

fn line_routes(routes: Routes, api: &Api) -> Routes {
    let (add, change, remove) = (api.clone(), api.clone(), api.clone());
    routes
        .post(
            "/api/carts/{id}/lines",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path(id): Id,
                        body: Json<NewLines>| {
                add.add_lines(&app, &ctx.0, &caller, id, body).await
            },
            |d| {
                d.summary("Add one line or several, all or none")
                    .description(
                        "The same SKU ends up in one line. Refused as a whole with `unknown-sku`, \
                         `unpublished` or `no-price` (in the cart's currency); the field says which \
                         line. Too little stock is only a warning, under `problems`.",
                    )
                    .body::<NewLines>()
                    .answer::<CartView>(200, "The cart")
                    .idempotent()
            },
        )
        .patch(
            "/api/carts/{id}/lines/{line}",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path((id, line)): Line,
                        body: Json<LineChange>| {
                let quantity = body.value.quantity;
                change.change_line(&app, &ctx.0, &caller, (id, line), quantity).await
            },
            |d| {
                d.summary("Set the quantity of a line")
                    .body::<LineChange>()
                    .answer::<CartView>(200, "The cart")
            },
        )
        .delete(
            "/api/carts/{id}/lines/{line}",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path((id, line)): Line| {
                let ask = Ask::RemoveLine(line);
                remove.change(&app, &ctx.0, &caller, id, ask, Touched::Nothing).await
            },
            |d| d.summary("Take a line out").answer::<CartView>(200, "The cart"),
        )
}

/// Where it goes, by which coupons, how it is shipped; and prices without a cart.
fn terms_routes(routes: Routes, api: &Api) -> Routes {
    let (go, add, remove) = (api.clone(), api.clone(), api.clone());
    let (ship, price) = (api.clone(), api.clone());
    routes
        .put(
            "/api/carts/{id}/destination",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path(id): Id,
                        body: Json<CartDestination>| {
                go.set_destination(&app, &ctx.0, &caller, id, body).await
            },
            |d| {
                d.summary("Say where the goods are to go")
                    .description("For taxes and promotions, before there is an address.")
                    .body::<CartDestination>()
                    .answer::<CartView>(200, "The cart")
            },
        )
        .post(
            "/api/carts/{id}/coupons",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path(id): Id,
                        body: Json<NewCoupon>| {
                add.add_coupon(&app, &ctx.0, &caller, id, body).await
            },
            |d| {
                d.summary("Enter a coupon code")
                    .description(
                        "Accepted whatever it is: `coupons` says whether it takes something off, or \
                         why not. A checkout is refused while one does not.",
                    )
                    .body::<NewCoupon>()
                    .answer::<CartView>(200, "The cart")
            },
        )
        .delete(
            "/api/carts/{id}/coupons/{code}",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path((id, code)): Path<(CartId, String)>| {
                remove.remove_coupon(&app, &ctx.0, &caller, id, &code).await
            },
            |d| {
                d.summary("Take a coupon code out")
                    .answer::<CartView>(200, "The cart")
            },
        )
        .put(
            "/api/carts/{id}/shipping",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path(id): Id,
                        body: Json<ShippingChoice>| {
                ship.choose_shipping(&app, &ctx.0, &caller, id, body).await
            },
            |d| {
                d.summary("Choose a way of shipping")
                    .description(
                        "By the signed quote of `POST /api/shipping/quotes`: for this cart as it \
                         is now, not expired.",
                    )
                    .body::<ShippingChoice>()
                    .answer::<CartView>(200, "The cart")
            },
        )
        .post(
            "/api/carts/price",
            Access::Public,
            async move |State(app): State<App>, caller: Caller, body: Json<PriceRequest>| {
                price.price(&app, &caller, body.value).await
            },
            |d| {
                d.summary("What a hypothetical cart would come to")
                    .description("Every adjustment and tax, and why. Nothing is kept.")
                    .body::<PriceRequest>()
                    .answer::<PriceAnswer>(200, "The prices")
            },
        )
}

fn checkout_routes(routes: Routes, api: &Api) -> Routes {
    let check_out = api.clone();
    routes
        .post(
            "/api/carts/{id}/checkout",
            Access::Public,
            async move |State(app): State<App>,
                        ctx: Ctx,
                        caller: Caller,
                        Path(id): Id,
                        body: Json<CheckoutRequest>| {
                check_out.check_out(&app, &ctx.0, &caller, id, body).await
            },
            |d| {
                d.summary("Turn the cart into an order")
                    .description(
                        "Durable when answered. Completing the same cart again gives the same \
                         order (200). Refused with `price-changed`, `unpublished`, `unknown-sku` or \
                         `no-price`; all that is wrong stands per line under `problems`.",
                    )
                    .body::<CheckoutRequest>()
                    .answer::<CheckoutAnswer>(201, "The order, placed, and its access token")
                    .answer::<CheckoutAnswer>(200, "The order this cart had become before")
                    .idempotent()
            },
        )
        .get(
            "/api/carts/checkouts/{order_id}",
            Access::Owner("orders:read"),
            async move |State(app): State<App>, caller: Caller, Path(order): Path<OrderId>| {
                Api::order(&app, &caller, &order).await
            },
            |d| {
                d.summary("An order as its checkout recorded it")
                    .description("For the moment before the order service has heard of it.")
                    .answer::<OrderView>(200, "The order, placed")
            },
        )
}
