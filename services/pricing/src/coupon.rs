//! Coupons: codes that give a promotion. A code is taken for ever; it can be switched off.

use contracts::pricing::{
    Coupon, CouponChange, CouponEvent, CouponSet, Promotion, PromotionId, coupon_code,
};
use kernel::{Command, Decider, Ids, Rejection, StreamId, UnitOfWork};

use crate::{
    check,
    whole::{Whole, stream},
};

/// Most codes generated at once.
pub const MAX_GENERATED: i64 = 1_000;

/// The rules of one coupon; the stream's id is its code.
pub struct Coupons;

/// What can be asked of a coupon.
pub enum CouponCommand {
    /// A new one; its code must be free.
    Create(Coupon),
    /// Change the one there is, which must be of this promotion.
    Change(PromotionId, CouponChange),
    /// It may not be used any more.
    Deactivate(PromotionId),
}

impl Decider for Coupons {
    const CATEGORY: &'static str = "coupon";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = Option<Coupon>;
    type Command = CouponCommand;
    type Event = CouponEvent;

    fn decide(
        state: &Option<Coupon>,
        command: &CouponCommand,
    ) -> Result<Vec<CouponEvent>, Rejection> {
        let of = |promotion: &PromotionId| {
            let known = state.as_ref().filter(|c| c.promotion_id == *promotion);
            known.ok_or_else(|| Rejection::not_found("coupon"))
        };
        let (old, coupon) = match command {
            CouponCommand::Create(coupon) => match state {
                Some(_) => return Err(taken(&coupon.code)),
                None => (None, coupon.clone()),
            },
            CouponCommand::Change(promotion, change) => {
                let old = of(promotion)?;
                let coupon = Coupon {
                    limit: change.limit,
                    active: change.active,
                    ..old.clone()
                };
                (Some(old), coupon)
            }
            CouponCommand::Deactivate(promotion) => {
                let old = of(promotion)?;
                let active = false;
                (
                    Some(old),
                    Coupon {
                        active,
                        ..old.clone()
                    },
                )
            }
        };
        Ok(match old == Some(&coupon) {
            true => vec![],
            false => vec![CouponSet { coupon }.into()],
        })
    }

    fn evolve(state: &mut Option<Coupon>, event: &CouponEvent) {
        let CouponEvent::Set(set) = event;
        *state = Some(set.coupon.clone());
    }
}

fn taken(code: &str) -> Rejection {
    let detail = format!("there is a coupon with the code `{code}`");
    Rejection::conflict("coupon-taken", detail).field("code")
}

/// The stream of a code.
pub fn coupon_stream(code: &str) -> StreamId {
    StreamId::new(Coupons::CATEGORY, code)
}

/// A code as a caller typed it, in the one way to write it.
pub fn code_of(field: &str, typed: &str) -> Result<String, Rejection> {
    coupon_code(typed).ok_or_else(|| {
        let detail = "must be 1 to 64 letters, digits, dashes and underscores";
        Rejection::invalid(field, detail)
    })
}

/// Makes coupons of a promotion, all or none.
pub struct CreateCoupons {
    /// What they give.
    pub promotion_id: PromotionId,
    /// Their codes, each once.
    pub codes: Vec<String>,
    /// How many orders may use each.
    pub limit: Option<i64>,
}

impl Command for CreateCoupons {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let codes = self.codes.iter().map(|code| coupon_stream(code));
        std::iter::once(stream::<Promotion>(self.promotion_id.as_str()))
            .chain(codes)
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let promotion = work.state::<Whole<Promotion>>(self.promotion_id.as_str())?;
        let promotion = promotion.as_ref();
        let needed = promotion.ok_or_else(|| Rejection::not_found("promotion"))?;
        if !needed.needs_coupon {
            let detail = "the promotion applies without a code; set its needs_coupon first";
            return Err(Rejection::conflict("no-coupon-needed", detail));
        }
        for code in &self.codes {
            let create = CouponCommand::Create(Coupon {
                code: code.clone(),
                promotion_id: self.promotion_id.clone(),
                limit: self.limit,
                active: true,
            });
            work.decide::<Coupons>(code, &create)?;
        }
        Ok(())
    }
}

/// What a generated code begins with, checked; with its dash.
pub fn prefix_of(typed: Option<&str>) -> Result<String, Rejection> {
    let Some(typed) = typed else {
        return Ok(String::new());
    };
    match coupon_code(typed).filter(|prefix| prefix.chars().count() <= 32) {
        Some(prefix) => Ok(format!("{prefix}-")),
        None => {
            let detail = "must be 1 to 32 letters, digits, dashes and underscores";
            Err(Rejection::invalid("prefix", detail))
        }
    }
}

/// Letters that are not mistaken for others when read aloud or typed (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `count` codes such as `SUMMER-7K3M-9QXT-2VHB`: 60 random bits each, so that with a million of
/// them in use a guess in a million million finds one.
pub fn generate(count: i64, prefix: &str, ids: &dyn Ids) -> Result<Vec<String>, Rejection> {
    check::number("count", count, 1, MAX_GENERATED)?;
    let mut codes = Vec::new();
    while (codes.len() as i64) < count {
        let secret = ids.secret();
        for random in secret.chunks_exact(12) {
            // 32 letters divide 256 evenly: no letter is likelier than another.
            let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
            let group = |part: &[u8]| part.iter().map(letter).collect::<String>();
            let groups: Vec<String> = random.chunks_exact(4).map(group).collect();
            codes.push(format!("{prefix}{}", groups.join("-")));
        }
    }
    codes.truncate(count as usize);
    Ok(codes)
}
