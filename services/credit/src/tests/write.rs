use super::*;
use contracts::credit::*;
use kernel::{Timestamp, testing::write_golden};
#[test]
fn write() {
    let f = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    let at = Timestamp(1_790_000_000_000_000);
    let a: CreditAccountId = "crd_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
        .parse()
        .unwrap();
    let s: CreditAccountId = "crd_s0190aa62f3d47c3c8d2d1c6c3b1a5e77gbp".parse().unwrap();
    let o: OrderId = "ord_0190aa62f3d47c3c8d2d1c6c3b1a5e78".parse().unwrap();
    let u = || {
        vec![
            CreditUse {
                account_id: a.clone(),
                amount: gbp(1500),
            },
            CreditUse {
                account_id: s.clone(),
                amount: gbp(250),
            },
        ]
    };
    let w = |e: CreditAccountEvent| write_golden(f, &e);
    let h = |e: CreditHoldEvent| write_golden(f, &e);
    w(CreditAccountOpened {
        account_id: a.clone(),
        kind: CreditKind::GiftCard,
        customer_id: None,
        balance: gbp(0),
        code_hash: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
        expires_at: Some(at.plus_seconds(31_536_000)),
        at,
    }
    .into());
    w(CreditChanged {
        account_id: a.clone(),
        kind: CreditKind::GiftCard,
        reason: CreditReason::Held,
        amount: gbp(-1500),
        balance: gbp(3500),
        order_id: Some(o.clone()),
        note: Some("a remark".into()),
        at,
    }
    .into());
    w(CreditAccountDisabled {
        account_id: a.clone(),
        note: "reported stolen".into(),
        at,
    }
    .into());
    w(CreditAccountEnabled {
        account_id: a.clone(),
        note: "found again".into(),
        at,
    }
    .into());
    w(CreditExpirySet {
        account_id: a.clone(),
        expires_at: Some(at.plus_seconds(2_592_000)),
        at,
    }
    .into());
    h(CreditHeld {
        order_id: o.clone(),
        uses: u(),
    }
    .into());
    h(CreditRefused {
        order_id: o.clone(),
        account_id: a.clone(),
        reason: CreditRefusal::TooLittle,
    }
    .into());
    h(CreditSpent {
        order_id: o.clone(),
        uses: u(),
    }
    .into());
    h(CreditReleased {
        order_id: o.clone(),
        uses: u(),
        spent: true,
    }
    .into());
    h(CreditRefundMade {
        order_id: o.clone(),
        refund_id: "ref_1".into(),
        amount: gbp(1750),
        uses: u(),
        to_payers: true,
    }
    .into());
    h(CreditRefundRefused {
        order_id: o.clone(),
        refund_id: "ref_1".into(),
        amount: gbp(1750),
        reason: CreditRefundRefusal::NoCustomer,
    }
    .into());
}
