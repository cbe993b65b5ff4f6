//! Routes on top, thin handlers below (and in the files of this folder).

mod documents;
mod fulfilments;
mod plan;
mod tracking;

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{List, address::Address, shipping::*};
use kernel::Stored;
use web::{Access, Doc, Routes};

use crate::{patience::Patience, quotes, registry::Carriers, signer::Signer};

const READ: Access = Access::Permission("shipping:read");
const WRITE: Access = Access::Permission("shipping:write");
/// Who may read any order's shipments.
pub const READ_ORDERS: &str = "shipping:read";
/// Larger webhooks are refused, bytes.
const MAX_WEBHOOK: usize = 64 * 1024;

/// What the handlers share.
pub struct Shared {
    /// Signs quotes.
    pub signer: Signer,
    /// How long a quote is good for.
    pub quote_seconds: i64,
    /// Whom labels can be bought from.
    pub carriers: Carriers,
    /// How patient to be with them.
    pub patience: Patience,
}

/// The routes.
pub fn routes(shared: Arc<Shared>) -> Routes {
    let routes = Routes::new().post(
        "/api/shipping/quotes",
        Access::Public,
        quotes::quote,
        |d| {
            d.summary("What it costs to ship a cart")
                .description("Every option that fits, each as a signed token for the cart. Price classes go by the catalogue's prices; promotions do not change them.")
                .body::<QuoteRequest>()
                .answer::<QuoteAnswer>(200, "The offers")
        },
    );
    orders(work(plan_routes(routes))).share(shared)
}

fn plan_routes(routes: Routes) -> Routes {
    routes
        .get("/api/shipping/zones", READ, plan::zones, |d| {
            d.summary("All zones")
                .answer::<List<ShippingZone>>(200, "The zones")
        })
        .post("/api/shipping/zones", WRITE, plan::add_zone, |d| {
            created::<ShippingZone>(d.summary("Add a zone").body::<ShippingZoneInput>())
        })
        .get("/api/shipping/zones/{id}", READ, plan::zone, |d| {
            d.summary("One zone")
                .answer::<ShippingZone>(200, "The zone")
        })
        .put("/api/shipping/zones/{id}", WRITE, plan::put_zone, |d| {
            d.summary("Change a zone")
                .body::<ShippingZoneInput>()
                .answer::<ShippingZone>(200, "Changed")
        })
        .delete("/api/shipping/zones/{id}", WRITE, plan::delete_zone, |d| {
            d.summary("Remove a zone that no option uses")
                .answer_empty(204, "Gone")
        })
        .get("/api/shipping/profiles", READ, plan::profiles, |d| {
            d.summary("All profiles")
                .answer::<List<ShippingProfile>>(200, "The profiles")
        })
        .post("/api/shipping/profiles", WRITE, plan::add_profile, |d| {
            created::<ShippingProfile>(d.summary("Add a profile").body::<ShippingProfileInput>())
        })
        .get("/api/shipping/profiles/{id}", READ, plan::profile, |d| {
            d.summary("One profile")
                .answer::<ShippingProfile>(200, "The profile")
        })
        .put(
            "/api/shipping/profiles/{id}",
            WRITE,
            plan::put_profile,
            |d| {
                d.summary("Change a profile")
                    .body::<ShippingProfileInput>()
                    .answer::<ShippingProfile>(200, "Changed")
            },
        )
        .delete(
            "/api/shipping/profiles/{id}",
            WRITE,
            plan::delete_profile,
            |d| {
                d.summary("Remove a profile that no option uses")
                    .answer_empty(204, "Gone")
            },
        )
        .get("/api/shipping/options", READ, plan::options, |d| {
            d.summary("All options")
                .answer::<List<ShippingOption>>(200, "The options")
        })
        .post("/api/shipping/options", WRITE, plan::add_option, |d| {
            created::<ShippingOption>(d.summary("Add an option").body::<ShippingOptionInput>())
        })
        .get("/api/shipping/options/{id}", READ, plan::option, |d| {
            d.summary("One option")
                .answer::<ShippingOption>(200, "The option")
        })
        .put("/api/shipping/options/{id}", WRITE, plan::put_option, |d| {
            d.summary("Change an option")
                .body::<ShippingOptionInput>()
                .answer::<ShippingOption>(200, "Changed")
        })
        .delete(
            "/api/shipping/options/{id}",
            WRITE,
            plan::delete_option,
            |d| {
                d.summary("Remove an option; orders keep what they chose")
                    .answer_empty(204, "Gone")
            },
        )
        .get("/api/shipping/sender", READ, plan::sender, |d| {
            d.summary("Where parcels come from")
                .answer::<Address>(200, "The address")
        })
        .put("/api/shipping/sender", WRITE, plan::put_sender, |d| {
            d.summary("Say where parcels come from")
                .description(
                    "The business's own address, printed on every label. Not for personal data.",
                )
                .body::<Address>()
                .answer::<Address>(200, "The address")
        })
}

fn created<T: utoipa::ToSchema>(doc: Doc) -> Doc {
    doc.answer::<T>(201, "Added").idempotent()
}

fn work(routes: Routes) -> Routes {
    routes
        .get("/api/shipping/fulfilments", READ, fulfilments::list, |d| {
            d.summary("Fulfilments, the newest first")
                .query("status", "open, packed, ready, shipped, delivered, lost, returned or cancelled")
                .query("location", "Only from this stock location")
                .query("trouble", "`true`: only those with a label the carrier refused or is silent about")
                .paged()
                .answer::<List<FulfilmentSummary>>(200, "A page")
        })
        .get("/api/shipping/fulfilments/{id}", READ, fulfilments::show, |d| {
            d.summary("One fulfilment").answer::<FulfilmentView>(200, "The fulfilment")
        })
        .post("/api/shipping/fulfilments/{id}/split", WRITE, fulfilments::split, |d| {
            d.summary("Let some of it go by itself, into a new fulfilment")
                .body::<SplitFulfilment>()
                .answer::<SplitAnswer>(200, "What stayed, and what goes by itself")
                .idempotent()
        })
        .post("/api/shipping/fulfilments/{id}/pack", WRITE, fulfilments::pack, |d| {
            d.summary("It was packed into these parcels")
                .body::<PackFulfilment>()
                .answer::<FulfilmentView>(200, "Packed, now or before")
        })
        .post("/api/shipping/fulfilments/{id}/ready", WRITE, fulfilments::ready, |d| {
            d.summary("It lies ready for the buyer to collect it")
                .answer::<FulfilmentView>(200, "Ready, now or before")
        })
        .post("/api/shipping/fulfilments/{id}/labels", WRITE, fulfilments::buy_label, |d| {
            d.summary("Buy a label for a parcel")
                .description("The carrier is called in the background; follow the label's status. A parcel with a label, or one being bought, gets no second one.")
                .body::<BuyLabel>()
                .answer::<FulfilmentView>(202, "Asked for, now or before")
        })
        .post("/api/shipping/fulfilments/{id}/labels/{number}/void", WRITE, fulfilments::void_label, |d| {
            d.summary("Void a label that was not used")
                .answer::<FulfilmentView>(202, "Asked for, now or before")
        })
        .get("/api/shipping/fulfilments/{id}/labels/{number}/pdf", READ, documents::label_pdf, |d| {
            d.summary("The label to print, A6, as PDF").answer_empty(200, "application/pdf")
        })
        .get("/api/shipping/fulfilments/{id}/labels/{number}/zpl", READ, documents::label_zpl, |d| {
            d.summary("The label for a label printer, 4 × 6 inch at 203 dpi, as ZPL").answer_empty(200, "text/plain")
        })
        .get("/api/shipping/fulfilments/{id}/pick-list", READ, documents::pick_list, |d| {
            d.summary("What is to be fetched, as PDF").answer_empty(200, "application/pdf")
        })
        .get("/api/shipping/fulfilments/{id}/packing-slip", READ, documents::packing_slip, |d| {
            d.summary("What lies in the parcel, as PDF").answer_empty(200, "application/pdf")
        })
        .post("/api/shipping/fulfilments/{id}/ship", WRITE, fulfilments::ship, |d| {
            d.summary("It left the building, or was handed over")
                .body::<ShipFulfilment>()
                .answer::<FulfilmentView>(200, "Shipped, now or before")
        })
        .post("/api/shipping/fulfilments/{id}/tracking", WRITE, tracking::tell, |d| {
            d.summary("News of a parcel")
                .body::<TrackingInput>()
                .answer::<FulfilmentView>(200, "Recorded, now or before")
        })
}

fn orders(routes: Routes) -> Routes {
    routes
        .get(
            "/api/shipping/orders/{order_id}",
            Access::Owner(READ_ORDERS),
            fulfilments::of_order,
            |d| {
                d.summary("An order's shipments and where they are")
                    .answer::<OrderShipments>(200, "The shipments")
            },
        )
        .post(
            "/api/shipping/webhooks/{carrier}",
            Access::Public,
            tracking::webhook,
            |d| {
                d.summary("For carriers: tells where a parcel is")
                    .description("Signed by the carrier over the raw body.")
                    .body_limit(MAX_WEBHOOK)
                    .answer_empty(200, "Recorded, now or before")
            },
        )
}

/// A kept answer as a response.
pub fn answer(stored: Stored) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let json = [(header::CONTENT_TYPE, "application/json")];
    private((status, json, stored.body))
}

/// Addresses are nobody else's business: no cache may keep them.
pub fn private(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_says_who_may_call_it() {
        let shared = Arc::new(Shared {
            signer: Signer::new(crate::rotation::KeyTimes::from(&crate::Config::default())),
            quote_seconds: 1,
            carriers: Carriers::default(),
            patience: Patience::default(),
        });
        let routes = routes(shared);
        assert_eq!(routes.prefixes(), ["/api/shipping"]);
        let public: Vec<_> = routes
            .table()
            .into_iter()
            .filter(|(_, _, access)| *access == Access::Public)
            .map(|(_, path, _)| path)
            .collect();
        assert_eq!(
            public,
            ["/api/shipping/quotes", "/api/shipping/webhooks/{carrier}"]
        );
    }
}
