//! Coupons, destination and shipping of a cart, and prices without a cart.

use axum::{Json as Answer, http::StatusCode, response::Response};
use contracts::{
    cart::{
        CartDestination, CartId, CartItem, NewCoupon, NewLine, PriceAnswer, PriceRequest,
        PricedLineView, PricedPart, ShippingChoice,
    },
    pricing::coupon_code,
};
use kernel::{App, Context, Money, Rejection};
use pricing_engine::{
    Basket, BasketLine, Destination, GivenCoupon, Priced, ShippingCharge, UnitPrice, price,
};
use web::{Caller, Json, Problem};

use super::{Api, is_sku, private};
use crate::{
    cart::{Ask, MAX_COUPONS, MAX_LINES, MAX_QUANTITY},
    offer::{Found, Offers, Selling},
    place::{Place, checked_destination},
    pricing::too_large,
    queries::{self, LookUp},
};

/// A code as pricing writes it, or a refusal that names `field`.
fn code(field: &str, typed: &str) -> Result<String, Rejection> {
    let detail = "must be 1 to 64 letters, digits, dashes or underscores";
    coupon_code(typed).ok_or_else(|| Rejection::invalid(field, detail))
}

impl Api {
    pub async fn add_coupon(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        body: Json<NewCoupon>,
    ) -> Result<Response, Problem> {
        let ask = Ask::AddCoupon(code("code", &body.value.code)?);
        self.change_whole(app, ctx, caller, id, ask).await
    }

    pub async fn remove_coupon(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        typed: &str,
    ) -> Result<Response, Problem> {
        let ask = Ask::RemoveCoupon(code("code", typed)?);
        self.change_whole(app, ctx, caller, id, ask).await
    }

    pub async fn set_destination(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        body: Json<CartDestination>,
    ) -> Result<Response, Problem> {
        let ask = Ask::SetDestination(checked_destination(body.value)?);
        self.change_whole(app, ctx, caller, id, ask).await
    }

    pub async fn choose_shipping(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        body: Json<ShippingChoice>,
    ) -> Result<Response, Problem> {
        let quote = self.quote("quote", &body.value.quote)?;
        let ask = Ask::ChooseShipping(Box::new(quote));
        self.change_whole(app, ctx, caller, id, ask).await
    }

    /// What a hypothetical cart would come to. Nothing is kept.
    pub async fn price(
        &self,
        app: &App,
        caller: &Caller,
        request: PriceRequest,
    ) -> Result<Response, Problem> {
        check(caller, &request)?;
        let coupons = request.coupons.iter().enumerate();
        let coupons = coupons.map(|(index, typed)| code(&format!("coupons[{index}]"), typed));
        let coupons: Vec<String> = coupons.collect::<Result<_, _>>()?;
        let wanted = LookUp {
            skus: request.lines.iter().map(|line| &*line.sku).collect(),
            coupons: &coupons,
            ..LookUp::default()
        };
        let mut offers = queries::look_up(app, &self.rules, &wanted).await?;
        offers.terms.groups = request.groups.clone();
        let place = Place {
            currency: request.currency,
            channel: request.channel.clone(),
            destination: request.destination.clone(),
        };
        let (currency, channel, _) = place.checked(&offers.terms.rules, &self.config)?;
        let selling = Selling {
            currency,
            channel: &channel,
            now: app.now(),
        };
        let answer = answer(&request, &offers, &coupons, &selling)?;
        Ok(private(StatusCode::OK, Answer(answer)))
    }
}

fn check(caller: &Caller, request: &PriceRequest) -> Result<(), Rejection> {
    let refused = |field: String, detail: String| Err(Rejection::invalid(field, detail));
    if request.lines.is_empty() || request.lines.len() > MAX_LINES {
        let detail = format!("must hold from 1 to {MAX_LINES} lines");
        return refused("lines".into(), detail);
    }
    for (index, line) in request.lines.iter().enumerate() {
        if !is_sku(&line.sku) {
            let detail = "must be 1 to 200 characters without control characters";
            return refused(format!("lines[{index}].sku"), detail.into());
        }
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            let detail = format!("must be from 1 to {MAX_QUANTITY}");
            return refused(format!("lines[{index}].quantity"), detail);
        }
    }
    if request.coupons.len() > MAX_COUPONS {
        return refused("coupons".into(), format!("must be at most {MAX_COUPONS}"));
    }
    if request.groups.len() > 100 || !request.groups.is_empty() && !caller.may("pricing:read") {
        let detail = "may be said by staff with pricing:read only, at most 100";
        return refused("groups".into(), detail.into());
    }
    if request
        .postcode
        .as_ref()
        .is_some_and(|code| code.len() > 40)
    {
        return refused("postcode".into(), "must be at most 40 characters".into());
    }
    if request.shipping.is_some_and(|amount| amount.amount < 0) {
        return refused("shipping".into(), "must not be negative".into());
    }
    match &request.vat_number {
        Some(number) if !pricing_engine::vat_number_format(number) => {
            let detail = "must be a VAT number with its country, such as DE123456789";
            refused("vat_number".into(), detail.into())
        }
        _ => Ok(()),
    }
}

/// A line with what was looked up for it.
struct Known<'a> {
    line: &'a NewLine,
    title: &'a str,
    item: &'a CartItem,
    price: UnitPrice,
}

fn known<'a>(
    request: &'a PriceRequest,
    offers: &'a Offers,
    selling: &Selling<'_>,
) -> Result<Vec<Known<'a>>, Rejection> {
    let lines = request.lines.iter().enumerate().map(|(index, line)| {
        let refused = |code, detail: String| {
            Rejection::unprocessable(code, detail).field(format!("lines[{index}].sku"))
        };
        let Found::Offer(offer) = offers.get(&line.sku) else {
            let detail = format!("there is no {} in the catalogue", line.sku);
            return Err(refused("unknown-sku", detail));
        };
        let price = offers.price(offer, line.quantity, selling).ok_or_else(|| {
            let detail = format!("{} has no price in {}", line.sku, selling.currency);
            refused("no-price", detail)
        })?;
        Ok(Known {
            line,
            title: &offer.title,
            item: &offer.item,
            price,
        })
    });
    lines.collect()
}

fn answer(
    request: &PriceRequest,
    offers: &Offers,
    coupons: &[String],
    selling: &Selling<'_>,
) -> Result<PriceAnswer, Rejection> {
    let known = known(request, offers, selling)?;
    let lines: Result<Vec<BasketLine<'_>>, Rejection> =
        (1..).zip(&known).map(basket_line).collect();
    let found = &offers.terms.coupons;
    let coupons = coupons.iter().map(|code| GivenCoupon {
        code: code.clone(),
        coupon: found.get(code).cloned().flatten(),
    });
    let coupons: Vec<GivenCoupon> = coupons.collect();
    let destination = request.destination.as_ref().map(|place| Destination {
        country: &place.country,
        province: &place.province,
        postcode: request.postcode.as_deref().unwrap_or_default(),
    });
    let basket = Basket {
        currency: selling.currency,
        channel: selling.channel,
        groups: &offers.terms.groups,
        destination,
        vat_number: request.vat_number.as_deref(),
        first_order: None,
        coupons: &coupons,
        lines: &lines?,
        shipping: request.shipping.map(|amount| ShippingCharge {
            amount,
            tax_class: None,
        }),
        now: selling.now,
    };
    let priced = price(&offers.terms.rules, &basket).map_err(too_large)?;
    Ok(view(selling, &known, priced))
}

fn basket_line<'a>((number, known): (u32, &'a Known<'_>)) -> Result<BasketLine<'a>, Rejection> {
    let id = format!("lin_{number}").parse();
    Ok(BasketLine {
        id: id.map_err(|why: String| Rejection::invalid("lines", why))?,
        sku: &known.line.sku,
        product_id: &known.item.product_id,
        categories: &known.item.categories,
        tax_class: known.item.tax_class.as_deref(),
        quantity: known.line.quantity,
        unit_price: known.price.price,
    })
}

fn view(selling: &Selling<'_>, known: &[Known<'_>], priced: Priced) -> PriceAnswer {
    let part = |subtotal: Money, adjustments, taxes, total| PricedPart {
        subtotal,
        adjustments,
        taxes,
        total,
    };
    let lines = known.iter().zip(priced.lines);
    let lines = lines.map(|(known, line)| PricedLineView {
        sku: known.line.sku.clone(),
        title: known.title.to_owned(),
        quantity: known.line.quantity,
        unit_price: known.price.price,
        compare_at: known.price.compare_at,
        price_list: known.price.list.clone(),
        price: part(line.subtotal, line.adjustments, line.taxes, line.total),
    });
    let shipping = priced.shipping;
    PriceAnswer {
        currency: selling.currency,
        lines: lines.collect(),
        shipping: shipping.map(|s| part(s.amount, s.adjustments, s.taxes, s.total)),
        promotions: priced.promotions,
        coupons: priced.coupons,
        tax: priced.tax,
        totals: priced.totals,
    }
}
