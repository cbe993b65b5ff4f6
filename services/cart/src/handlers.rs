//! What the routes do: look up, execute, render.

use std::sync::{Arc, Mutex};

use axum::{
    Json as Answer,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::cart::{CartId, CartLine, CartStatus, CartView, LineId, NewCart, NewLine, NewLines};
use kernel::{App, AppError, Context, IdempotencyKey, Rejection, Stored};
use web::{Caller, Json, Principal, Problem, signed::QuoteKeys};

use crate::{
    CartConfig, buyer,
    cart::{Ask, Cart, MAX_LINES},
    command::{OnCart, Outcome},
    offer::Offers,
    place::Place,
    problems::problems,
    queries::{self, LookUp},
    render::{Seen, cart_view},
    rules::RulesCache,
    state::{CartState, Who},
};

mod checkout;
mod pricing;

const READ: &str = "carts:read";
const WRITE: &str = "carts:write";

/// The handlers, with the configuration they need.
#[derive(Clone)]
pub(crate) struct Api {
    config: Arc<CartConfig>,
    /// Pricing's rules, ready for use.
    rules: Arc<RulesCache>,
    quote_keys: Arc<QuoteKeys>,
}

/// The lines whose problems an answer lists.
pub(crate) enum Touched {
    Nothing,
    Line(LineId),
    Everything,
}

impl Touched {
    fn includes(&self, line: &CartLine) -> bool {
        match self {
            Self::Nothing => false,
            Self::Line(id) => line.id == *id,
            Self::Everything => true,
        }
    }
}

impl Api {
    pub fn new(config: &CartConfig, quote_keys: Arc<QuoteKeys>) -> Self {
        Self {
            config: Arc::new(config.clone()),
            rules: Arc::default(),
            quote_keys,
        }
    }

    pub async fn create(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        body: Json<NewCart>,
    ) -> Result<Response, Problem> {
        let id = CartId::generate(app.ids());
        let (new, key) = (body.value, body.key);
        let terms = queries::look_up(app, &self.rules, &LookUp::default()).await?;
        let place = Place {
            currency: new.currency,
            channel: new.channel,
            destination: new.destination,
        };
        let place = place.checked(&terms.terms.rules, &self.config)?;
        let ask = Ask::Create(id.clone(), place.0, place.1, place.2);
        let command = self.command(caller, id, ask)?;
        let (cart, _) = self.execute(app, ctx, key, command, 201).await?;
        self.cart(app, StatusCode::CREATED, &cart, &terms, &Touched::Nothing)
    }

    pub async fn get(&self, app: &App, caller: &Caller, id: &CartId) -> Result<Response, Problem> {
        let cart = self.readable(app, &who(caller, READ)?, id).await?;
        let offers = self.offers(app, &cart, &Touched::Everything).await?;
        self.cart(app, StatusCode::OK, &cart, &offers, &Touched::Everything)
    }

    pub async fn add_lines(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        body: Json<NewLines>,
    ) -> Result<Response, Problem> {
        let (lines, single) = asked_lines(body.value)?;
        let skus = lines.iter().map(|line| &*line.sku).collect();
        let offers = Arc::new(self.look_up(app, caller, skus).await?);
        let ask = Ask::AddLines {
            lines,
            single,
            offers: offers.clone(),
        };
        let command = self.command(caller, id, ask)?;
        let (cart, _) = self.execute(app, ctx, body.key, command, 200).await?;
        // Only the SKUs asked for were looked up, so only their problems are listed. The cart's
        // coupons were not, if it has any.
        if cart.coupons.is_empty() {
            return self.cart(app, StatusCode::OK, &cart, &offers, &Touched::Everything);
        }
        let offers = self.offers(app, &cart, &Touched::Everything).await?;
        self.cart(app, StatusCode::OK, &cart, &offers, &Touched::Everything)
    }

    pub async fn change_line(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        (id, line): (CartId, LineId),
        quantity: i64,
    ) -> Result<Response, Problem> {
        // The price may depend on the quantity.
        let cart = self.readable(app, &who(caller, WRITE)?, &id).await?;
        let touched = Touched::Line(line.clone());
        let offers = Arc::new(self.offers(app, &cart, &touched).await?);
        let ask = Ask::ChangeLine(line, quantity, offers.clone());
        let command = self.command(caller, id, ask)?;
        let cart = app.execute(ctx, command).await?.cart;
        self.cart(app, StatusCode::OK, &cart, &offers, &touched)
    }

    pub async fn change(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        ask: Ask,
        touched: Touched,
    ) -> Result<Response, Problem> {
        let command = self.command(caller, id, ask)?;
        let cart = app.execute(ctx, command).await?.cart;
        let offers = self.offers(app, &cart, &touched).await?;
        self.cart(app, StatusCode::OK, &cart, &offers, &touched)
    }

    pub async fn reprice(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
    ) -> Result<Response, Problem> {
        let cart = self.readable(app, &who(caller, WRITE)?, &id).await?;
        let offers = Arc::new(self.offers(app, &cart, &Touched::Everything).await?);
        let command = self.command(caller, id, Ask::Reprice(offers.clone()))?;
        let cart = app.execute(ctx, command).await?.cart;
        self.cart(app, StatusCode::OK, &cart, &offers, &Touched::Everything)
    }

    fn command(&self, caller: &Caller, id: CartId, ask: Ask) -> Result<OnCart, Problem> {
        Ok(OnCart {
            id,
            by: who(caller, WRITE)?,
            rules: self.config.rules(),
            ask: Arc::new(ask),
        })
    }

    /// Executes, at most once per key. The record kept for repeats holds only the cart's id: the
    /// answer is rendered from the cart itself, so it costs no second copy of a long cart and
    /// leaves no personal data in the record. Answers the cart and whether this very request
    /// (or the first one with its key) changed it.
    async fn execute(
        &self,
        app: &App,
        ctx: &Context,
        key: Option<IdempotencyKey>,
        command: OnCart,
        status: u16,
    ) -> Result<(CartState, bool), AppError> {
        let fresh: Arc<Mutex<Option<Outcome>>> = Arc::default();
        let slot = fresh.clone();
        let (id, request) = (command.id.clone(), app.ids().next());
        let mine = request.clone();
        let render = move |outcome: &Outcome| {
            let record = Record {
                cart: id.clone(),
                request: mine.clone(),
                changed: outcome.changed,
            };
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(outcome.clone());
            }
            let body = serde_json::to_string(&record).unwrap_or_default();
            Stored { status, body }
        };
        let stored = app.execute_once(ctx, key, command, render).await?;
        let record: Record = serde_json::from_str(&stored.body)
            .map_err(|_| AppError::Internal("an idempotency record is damaged".into()))?;
        // Only what this very request committed may be shown without reading it again.
        let fresh = fresh.lock().ok().and_then(|mut slot| slot.take());
        match fresh.filter(|_| record.request == request) {
            Some(outcome) => Ok((outcome.cart, record.changed)),
            None => {
                let cart = app.state::<Cart>(record.cart.as_str()).await?.state;
                Ok((cart, record.changed))
            }
        }
    }

    async fn readable(&self, app: &App, who: &Who, id: &CartId) -> Result<CartState, Problem> {
        let cart = app.state::<Cart>(id.as_str()).await?.state;
        match cart.id.is_some() && cart.is_open_to(who) {
            true => Ok(cart),
            false => Err(Rejection::not_found("cart").into()),
        }
    }

    /// Looks up SKUs before it is known whose cart it is: the caller's groups count.
    async fn look_up(
        &self,
        app: &App,
        caller: &Caller,
        skus: Vec<&str>,
    ) -> Result<Offers, Problem> {
        let customer = match who(caller, WRITE)? {
            Who::Customer(customer) => Some(customer),
            _ => None,
        };
        let wanted = LookUp {
            skus,
            customer: customer.as_ref(),
            ..LookUp::default()
        };
        Ok(queries::look_up(app, &self.rules, &wanted).await?)
    }

    async fn offers(
        &self,
        app: &App,
        cart: &CartState,
        touched: &Touched,
    ) -> Result<Offers, AppError> {
        let customer = cart.customer.as_ref();
        let buyer_key = customer.map(|_| buyer::buyer_key(app, customer, ""));
        let lines = cart.lines.iter().filter(|line| touched.includes(line));
        let wanted = LookUp {
            skus: lines.map(|line| &*line.sku).collect(),
            coupons: &cart.coupons,
            customer,
            buyer_key,
        };
        queries::look_up(app, &self.rules, &wanted).await
    }

    fn cart(
        &self,
        app: &App,
        status: StatusCode,
        cart: &CartState,
        offers: &Offers,
        touched: &Touched,
    ) -> Result<Response, Problem> {
        let now = app.now();
        let lines = cart.lines.iter().filter(|line| touched.includes(line));
        let problems = match cart.status {
            CartStatus::Open => problems(&cart.selling(now), lines, offers),
            _ => Vec::new(),
        };
        let seen = Seen {
            cart,
            offers,
            problems,
            now,
        };
        let view: CartView = cart_view(seen, &self.config.rules())?;
        Ok(private(status, Answer(view)))
    }
}

/// What is kept for repeats of a request.
#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    cart: CartId,
    request: String,
    changed: bool,
}

/// Carts and orders are nobody else's business: no cache may keep them.
fn private(status: StatusCode, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

fn who(caller: &Caller, permission: &str) -> Result<Who, Problem> {
    Ok(match &caller.principal {
        Principal::Customer { id, .. } => Who::Customer(buyer::customer_id(id)?),
        Principal::Staff { .. } if caller.may(permission) => Who::Staff,
        Principal::Staff { .. } | Principal::Anonymous => Who::Anyone,
    })
}

/// Whether a text could be a SKU.
fn is_sku(sku: &str) -> bool {
    (1..=200).contains(&sku.len()) && !sku.contains(char::is_control)
}

/// One line by itself, or several: exactly one of the two forms.
fn asked_lines(body: NewLines) -> Result<(Vec<NewLine>, bool), Problem> {
    let missing = |field: &str| Problem::from(Rejection::invalid(field, "is missing"));
    let (lines, single) = match (body.lines, body.sku, body.quantity) {
        (Some(lines), None, None) => (lines, false),
        (None, sku, quantity) => {
            let sku = sku.ok_or_else(|| missing("sku"))?;
            let quantity = quantity.ok_or_else(|| missing("quantity"))?;
            (vec![NewLine { sku, quantity }], true)
        }
        (Some(_), ..) => {
            let detail = "send either `sku` and `quantity`, or `lines`";
            return Err(Rejection::invalid("lines", detail).into());
        }
    };
    if lines.len() > MAX_LINES {
        let detail = format!("must hold from 1 to {MAX_LINES} lines");
        return Err(Rejection::invalid("lines", detail).into());
    }
    if let Some(index) = lines.iter().position(|line| !is_sku(&line.sku)) {
        let field = match single {
            true => "sku".to_owned(),
            false => format!("lines[{index}].sku"),
        };
        let detail = "must be 1 to 200 characters without control characters";
        return Err(Rejection::invalid(field, detail).into());
    }
    Ok((lines, single))
}
