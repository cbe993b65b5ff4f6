//! What happens to an order.

use kernel::{Money, PersonId, Personal, Timestamp, event_set};
use serde::{Deserialize, Serialize};

use super::{CancelReason, OrderId, OrderLine, Totals};
use crate::{
    address::Contact,
    cart::{CartId, PaymentMethod},
    credit::{CreditRefundTo, CreditUse},
    identity::CustomerId,
    inventory::Shortage,
    payments::PaymentId,
    pricing::{CaptureMode, PromotionUse},
    shipping::{FulfilmentId, FulfilmentLine, OrderShipping, Tracking},
};

/// An order was placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// Which.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// The cart it came from.
    pub cart_id: CartId,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// E-mail and address.
    pub contact: Personal<Contact>,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Sums.
    pub totals: Totals,
    /// How it will be paid.
    pub payment: PaymentMethod,
    /// How it is shipped; absent when nothing is, or the shop offers no ways of shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<OrderShipping>,
    /// Code of the channel it was sold in.
    #[serde(
        default = "crate::cart::web",
        skip_serializing_if = "crate::cart::is_web"
    )]
    pub channel: String,
    /// Uses of scarce promotions, to be claimed before it is charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redemptions: Vec<PromotionUse>,
    /// Gift cards and store credit to be used before a card is charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<CreditUse>,
    /// Equal for the same buyer: a keyed hash of the account or the e-mail address. For limits per
    /// buyer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub buyer_key: String,
    /// When the money is taken.
    #[serde(default, skip_serializing_if = "CaptureMode::is_manual")]
    pub capture: CaptureMode,
    /// The buyer's language, BCP 47, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
    /// When it is given up unless it is confirmed.
    pub deadline: Timestamp,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// All lines are reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderStockReserved {
    /// Which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Payments is asked to authorise the order's total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentRequested {
    /// Which order.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// The payment to be made; named here, so that asking twice is the same payment.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// With what.
    pub method: PaymentMethod,
    /// An authorisation later than this is to be voided.
    pub deadline: Timestamp,
    /// SHA-256 of the guest's access token, hex: who else may see the payment.
    pub access_token_hash: String,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

/// The buyer must act before the payment can go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentActionRequired {
    /// Which order.
    pub order_id: OrderId,
    /// Where the buyer is to be sent.
    pub url: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Reserved and authorised: the shop owes the goods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// Which order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// The payment that covers it.
    pub payment_id: PaymentId,
    /// What the order comes to: authorised, or paid with credit.
    pub total: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The order was given up: stock is to be released, money to be voided or refunded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// Which order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// Why.
    pub reason: CancelReason,
    /// What was short, if it was sold out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// The payment that was asked for, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Who did it (`staff:usr_…`, `customer:cus_…`, `guest`); absent when the shop itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Money of the order was captured (in part or whole).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentCaptured {
    /// Which order.
    pub order_id: OrderId,
    /// How much this time.
    pub amount: Money,
    /// How much in all.
    pub captured: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Money of the order was given back (in part or whole).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentRefunded {
    /// Which order.
    pub order_id: OrderId,
    /// How much this time.
    pub amount: Money,
    /// How much in all.
    pub refunded: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Every scarce promotion of the order was counted for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPromotionsRedeemed {
    /// Which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The gift cards and store credit of the order are held for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCreditHeld {
    /// Which order.
    pub order_id: OrderId,
    /// How much in all.
    pub amount: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Payments is asked to take money of the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCaptureRequested {
    /// Which order.
    pub order_id: OrderId,
    /// From which payment.
    pub payment_id: PaymentId,
    /// How much is to be taken in all, this time and before: so asking twice takes it once.
    pub up_to: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Goods of the order left the building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderShipped {
    /// Which order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// With which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// What.
    pub lines: Vec<FulfilmentLine>,
    /// How it can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    /// Whether all of the order has left now.
    pub complete: bool,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Goods of the order arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderDelivered {
    /// Which order.
    pub order_id: OrderId,
    /// Which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Whether all of the order has arrived now.
    pub complete: bool,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Credit is asked to give money of the order back, to the accounts that paid or as store credit.
/// Credit answers `credit.refund.made.v1` or `credit.refund.refused.v1`, once per refund id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRefundToCreditRequested {
    /// Which order.
    pub order_id: OrderId,
    /// The refund's own id, unique within the order; asking twice is the same refund.
    pub refund_id: String,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// How much, positive.
    pub amount: Money,
    /// Where to.
    pub to: CreditRefundTo,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// The life of an order.
    pub enum OrderEvent {
        /// Placed.
        Placed(OrderPlaced) = "orders.order.placed.v1",
        /// Stock reserved.
        StockReserved(OrderStockReserved) = "orders.order.stock_reserved.v1",
        /// Payment asked for.
        PaymentRequested(OrderPaymentRequested) = "orders.order.payment_requested.v1",
        /// The buyer must act.
        PaymentActionRequired(OrderPaymentActionRequired) = "orders.order.payment_action_required.v1",
        /// Confirmed.
        Confirmed(OrderConfirmed) = "orders.order.confirmed.v1",
        /// Cancelled.
        Cancelled(OrderCancelled) = "orders.order.cancelled.v1",
        /// Captured.
        PaymentCaptured(OrderPaymentCaptured) = "orders.order.payment_captured.v1",
        /// Refunded.
        PaymentRefunded(OrderPaymentRefunded) = "orders.order.payment_refunded.v1",
        /// Promotions counted.
        PromotionsRedeemed(OrderPromotionsRedeemed) = "orders.order.promotions_redeemed.v1",
        /// Credit held.
        CreditHeld(OrderCreditHeld) = "orders.order.credit_held.v1",
        /// Money to be taken.
        CaptureRequested(OrderCaptureRequested) = "orders.order.capture_requested.v1",
        /// Goods left.
        Shipped(OrderShipped) = "orders.order.shipped.v1",
        /// Goods arrived.
        Delivered(OrderDelivered) = "orders.order.delivered.v1",
    }
}
