//! Turning a cart into an order, and showing what it became.

use std::sync::Arc;

use axum::{Json as Answer, http::StatusCode, response::Response};
use contracts::{
    cart::{CartId, CheckoutRequest},
    orders::{CheckoutAnswer, OrderId},
    shipping::ShippingQuote,
};
use kernel::{App, Context, Money, Rejection};
use web::{Caller, Json, Principal, Problem};

use super::{Api, Touched, WRITE, private, who};
use crate::{
    buyer::{self, Brought},
    cart::{Ask, Cart},
    queries::{self, LookUp},
    render::order_view,
    state::CartState,
};

impl Api {
    pub async fn check_out(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        body: Json<CheckoutRequest>,
    ) -> Result<Response, Problem> {
        buyer::check(&body.value)?;
        let cart = self.readable(app, &who(caller, WRITE)?, &id).await?;
        let access_token = buyer::access_token(app, &id);
        let brought = self
            .brought(app, caller, &cart, &body.value, access_token.clone())
            .await?;
        let checkout = buyer::checkout(app, caller, body.value, brought)?;
        let command = self.command(caller, id, Ask::CheckOut(Box::new(checkout)))?;
        let (cart, changed) = self.execute(app, ctx, body.key, command, 201).await?;
        let order = cart.checkout.as_deref().map(order_view);
        let order = order.ok_or_else(|| Problem::from(Rejection::not_found("order")))?;
        // A repeat under the same key gets what it would have got; another request learns that the
        // order was there already.
        let status = match changed {
            false => StatusCode::OK,
            true => StatusCode::CREATED,
        };
        let answer = CheckoutAnswer {
            order,
            access_token,
        };
        Ok(private(status, Answer(answer)))
    }

    /// Everything a checkout needs that is not in its request.
    async fn brought(
        &self,
        app: &App,
        caller: &Caller,
        cart: &CartState,
        request: &CheckoutRequest,
        access_token: String,
    ) -> Result<Brought, Problem> {
        let signed_in = match &caller.principal {
            Principal::Customer { id, .. } => Some(buyer::customer_id(id)?),
            _ => None,
        };
        let customer = cart.customer.as_ref().or(signed_in.as_ref());
        let buyer_key = buyer::buyer_key(app, customer, &request.email);
        let wanted = LookUp {
            skus: cart.lines.iter().map(|line| &*line.sku).collect(),
            coupons: &cart.coupons,
            customer,
            buyer_key: Some(buyer_key.clone()),
        };
        let offers = queries::look_up(app, &self.rules, &wanted).await?;
        let quote = match &request.shipping_quote {
            Some(token) => Some(self.quote("shipping_quote", token)?),
            None => None,
        };
        Ok(Brought {
            access_token,
            buyer_key,
            credits: self.credits(app, cart, request, customer).await?,
            quote,
            offers: Arc::new(offers),
        })
    }

    /// The accounts that pay first. One of which nothing is known here, or that has nothing left,
    /// is refused: the buyer wants to pay with it.
    async fn credits(
        &self,
        app: &App,
        cart: &CartState,
        request: &CheckoutRequest,
        customer: Option<&contracts::identity::CustomerId>,
    ) -> Result<Vec<(contracts::credit::CreditAccountId, Money)>, Problem> {
        let accounts = buyer::accounts(app, request, customer, cart.currency())?;
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let balances = queries::balances(app, &accounts, app.now()).await?;
        let store_credit = usize::from(request.use_store_credit);
        let mut credits = Vec::new();
        for (index, (account, balance)) in accounts.into_iter().zip(balances).enumerate() {
            match balance.filter(|b| b.amount > 0 && b.currency == cart.currency()) {
                Some(balance) => credits.push((account, balance)),
                // A customer without store credit just has none to use.
                None if index < store_credit => {}
                None => {
                    let detail = "has nothing to spend in the cart's currency; take it out";
                    let field = format!("gift_cards[{}]", index - store_credit);
                    return Err(Rejection::unprocessable("empty-gift-card", detail)
                        .field(field)
                        .into());
                }
            }
        }
        Ok(credits)
    }

    /// The quote a token stands for, if this shop's shipping signed it.
    pub(super) fn quote(&self, field: &str, token: &str) -> Result<ShippingQuote, Rejection> {
        let quote = self.quote_keys.verify::<ShippingQuote>(token);
        quote.map_err(|why| Rejection::unprocessable("bad-quote", why.to_string()).field(field))
    }

    pub async fn order(app: &App, caller: &Caller, id: &OrderId) -> Result<Response, Problem> {
        let unknown = || Problem::from(Rejection::not_found("order"));
        let cart = queries::cart_of(app, id).await?.ok_or_else(unknown)?;
        let state = app.state::<Cart>(cart.as_str()).await?.state;
        let order = state.checkout.as_deref().ok_or_else(unknown)?;
        let customer = order.customer_id.as_ref().map(|id| id.as_str());
        match caller.owns("orders:read", customer, Some(&order.access_token_hash)) {
            true => Ok(private(StatusCode::OK, Answer(order_view(order)))),
            false => Err(unknown()),
        }
    }

    /// A change of the whole cart, answered with everything that is to be said of it.
    pub async fn change_whole(
        &self,
        app: &App,
        ctx: &Context,
        caller: &Caller,
        id: CartId,
        ask: Ask,
    ) -> Result<Response, Problem> {
        self.change(app, ctx, caller, id, ask, Touched::Everything)
            .await
    }
}
