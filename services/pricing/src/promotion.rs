//! Commands on promotions and campaigns: a promotion together with the campaign whose budget it
//! draws on, all or nothing.

use std::collections::BTreeSet;

use contracts::pricing::{
    Campaign, CampaignId, CampaignInput, CampaignJoined, CampaignLeft, CampaignMemberEvent,
    Promotion, PromotionId,
};
use kernel::{Command, Decider, Rejection, StreamId, UnitOfWork};
use serde::{Deserialize, Serialize};

use crate::{
    check,
    promotion_check::fits_budget,
    whole::{Whole, WholeCommand, stream},
};

/// Most promotions of a campaign: all of them are looked at when its budget changes.
const MAX_MEMBERS: usize = 200;

/// The rules of a campaign's members; the stream's id is the campaign's.
pub struct Members;

/// The promotions that draw on a campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberSet(pub BTreeSet<PromotionId>);

/// What can be asked of the members.
pub enum MemberCommand {
    /// One more.
    Join(CampaignId, PromotionId),
    /// One less.
    Leave(CampaignId, PromotionId),
}

impl Decider for Members {
    const CATEGORY: &'static str = "campaign_members";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = MemberSet;
    type Command = MemberCommand;
    type Event = CampaignMemberEvent;

    fn decide(
        state: &MemberSet,
        command: &MemberCommand,
    ) -> Result<Vec<CampaignMemberEvent>, Rejection> {
        match command {
            MemberCommand::Join(campaign_id, promotion_id) => {
                if state.0.contains(promotion_id) {
                    return Ok(vec![]);
                }
                if state.0.len() >= MAX_MEMBERS {
                    let detail = format!("a campaign may have {MAX_MEMBERS} promotions");
                    return Err(Rejection::unprocessable("campaign-full", detail).field("campaign"));
                }
                let (campaign_id, promotion_id) = (campaign_id.clone(), promotion_id.clone());
                Ok(vec![
                    CampaignJoined {
                        campaign_id,
                        promotion_id,
                    }
                    .into(),
                ])
            }
            MemberCommand::Leave(campaign_id, promotion_id) => {
                if !state.0.contains(promotion_id) {
                    return Ok(vec![]);
                }
                let (campaign_id, promotion_id) = (campaign_id.clone(), promotion_id.clone());
                Ok(vec![
                    CampaignLeft {
                        campaign_id,
                        promotion_id,
                    }
                    .into(),
                ])
            }
        }
    }

    fn evolve(state: &mut MemberSet, event: &CampaignMemberEvent) {
        match event {
            CampaignMemberEvent::Joined(joined) => {
                state.0.insert(joined.promotion_id.clone());
            }
            CampaignMemberEvent::Left(left) => {
                state.0.remove(&left.promotion_id);
            }
        }
    }
}

fn members(campaign: &CampaignId) -> StreamId {
    StreamId::new(Members::CATEGORY, campaign.as_str())
}

/// Makes a promotion, or changes one that exists.
pub struct PutPromotion {
    /// What it is to be.
    pub promotion: Promotion,
    /// Whether it is a new one.
    pub new: bool,
}

impl Command for PutPromotion {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let mut streams = vec![stream::<Promotion>(self.promotion.id.as_str())];
        if let Some(campaign) = &self.promotion.campaign {
            streams.push(stream::<Campaign>(campaign.as_str()));
            streams.push(members(campaign));
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = &self.promotion.id;
        let old = work.state::<Whole<Promotion>>(id.as_str())?.clone();
        if !self.new && old.is_none() {
            return Err(Rejection::not_found("promotion"));
        }
        if let Some(campaign) = &self.promotion.campaign {
            let budget = match work.state::<Whole<Campaign>>(campaign.as_str())? {
                Some(found) => found.spend,
                None => {
                    let detail = format!("there is no campaign {campaign}");
                    let unknown = Rejection::unprocessable("unknown-campaign", detail);
                    return Err(unknown.field("campaign"));
                }
            };
            fits_budget(&self.promotion, budget)?;
        }
        let before = old.and_then(|old| old.campaign.clone());
        if before != self.promotion.campaign {
            if let Some(campaign) = before {
                leave(work, &campaign, id)?;
            }
            if let Some(campaign) = &self.promotion.campaign {
                let join = MemberCommand::Join(campaign.clone(), id.clone());
                work.decide::<Members>(campaign.as_str(), &join)?;
            }
        }
        let set = WholeCommand::Set(self.promotion.clone());
        work.decide::<Whole<Promotion>>(id.as_str(), &set)?;
        Ok(())
    }
}

fn leave(
    work: &mut UnitOfWork<'_>,
    campaign: &CampaignId,
    promotion: &PromotionId,
) -> Result<(), Rejection> {
    let leave = MemberCommand::Leave(campaign.clone(), promotion.clone());
    work.decide::<Members>(campaign.as_str(), &leave).map(drop)
}

/// Removes a promotion. What it took off orders so far stays counted; its coupons give nothing
/// any more.
pub struct RemovePromotion(pub PromotionId);

impl Command for RemovePromotion {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![stream::<Promotion>(self.0.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let old = work.state::<Whole<Promotion>>(self.0.as_str())?.clone();
        if let Some(campaign) = old.and_then(|old| old.campaign.clone()) {
            leave(work, &campaign, &self.0)?;
        }
        work.decide::<Whole<Promotion>>(self.0.as_str(), &WholeCommand::Remove)?;
        Ok(())
    }
}

/// A campaign as a caller wants it.
pub fn campaign_of(id: CampaignId, input: CampaignInput) -> Result<Campaign, Rejection> {
    check::text("name", &input.name, 100)?;
    check::limit("uses", input.uses)?;
    if let Some(spend) = input.spend {
        check::amount("spend", spend, 1)?;
    }
    Ok(Campaign {
        id,
        name: input.name,
        uses: input.uses,
        spend: input.spend,
    })
}

/// Makes a campaign, or changes one that exists.
pub struct PutCampaign {
    /// What it is to be.
    pub campaign: Campaign,
    /// Whether it is a new one.
    pub new: bool,
}

impl Command for PutCampaign {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![
            stream::<Campaign>(self.campaign.id.as_str()),
            members(&self.campaign.id),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.campaign.id.as_str();
        let known = work.state::<Whole<Campaign>>(id)?.is_some();
        if !self.new && !known {
            return Err(Rejection::not_found("campaign"));
        }
        let promotions = work.state::<Members>(id)?.0.clone();
        // All are asked for before the first missing one ends the attempt, so that they are loaded
        // together.
        for promotion in &promotions {
            let _ = work.state::<Whole<Promotion>>(promotion.as_str());
        }
        for promotion in &promotions {
            if let Some(promotion) = work.state::<Whole<Promotion>>(promotion.as_str())? {
                fits_budget(promotion, self.campaign.spend).map_err(|_| foreign(promotion))?;
            }
        }
        work.decide::<Whole<Campaign>>(id, &WholeCommand::Set(self.campaign.clone()))?;
        Ok(())
    }
}

fn foreign(promotion: &Promotion) -> Rejection {
    let detail = format!(
        "the promotion `{}` of this campaign names amounts in another currency",
        promotion.name
    );
    Rejection::unprocessable("foreign-currency", detail).field("spend.currency")
}

/// Removes a campaign that no promotion draws on.
pub struct RemoveCampaign(pub CampaignId);

impl Command for RemoveCampaign {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![stream::<Campaign>(self.0.as_str()), members(&self.0)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let promotions = &work.state::<Members>(self.0.as_str())?.0;
        if let Some(first) = promotions.first() {
            let detail = format!(
                "{} promotions draw on this campaign, such as {first}; take it off them first",
                promotions.len()
            );
            return Err(Rejection::conflict("campaign-in-use", detail));
        }
        work.decide::<Whole<Campaign>>(self.0.as_str(), &WholeCommand::Remove)?;
        Ok(())
    }
}
