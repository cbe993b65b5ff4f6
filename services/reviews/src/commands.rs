//! Commands over several streams. A review and its product's rating change in one commit, so the
//! rating is at every moment that of the published reviews.

use std::sync::Arc;

use contracts::{
    catalog::ProductId,
    identity::CustomerId,
    reviews::{ReviewId, ReviewStatus, WithdrawnBy},
};
use kernel::{Command, Decider, PersonId, Rejection, StreamId, UnitOfWork};

use crate::{
    author::{self, Author},
    opinion::{self, Opinion, Say},
    rating::{self, Rating},
    review::{self, Ask, Review},
};

/// Something asked of one review.
pub struct OnReview {
    /// Which.
    pub id: ReviewId,
    /// What.
    pub ask: Arc<Ask>,
}

impl OnReview {
    /// `ask` of the review `id`.
    pub fn new(id: ReviewId, ask: Ask) -> Self {
        Self {
            id,
            ask: Arc::new(ask),
        }
    }
}

impl Command for OnReview {
    /// Whether anything changed.
    type Output = bool;

    fn streams(&self) -> Vec<StreamId> {
        let mut streams = vec![StreamId::new(Review::CATEGORY, self.id.as_str())];
        if let Ask::Submit(new) = &*self.ask {
            streams.push(StreamId::new(Rating::CATEGORY, new.product.as_str()));
            streams.push(StreamId::new(Author::CATEGORY, new.person.as_str()));
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<bool, Rejection> {
        let id = self.id.as_str();
        let before = work.state::<Review>(id)?.counts();
        // Nobody is ever going to erase the author of an imported review.
        if let Ask::Submit(new) = &*self.ask
            && new.customer.is_some()
        {
            let wrote = author::Command::Write(new.person.clone(), self.id.clone());
            work.decide::<Author>(new.person.as_str(), &wrote)?;
        }
        let command = review::Command {
            id: self.id.clone(),
            ask: self.ask.clone(),
            at: work.now(),
        };
        let changed = work.decide::<Review>(id, &command)? > 0;
        let after = work.state::<Review>(id)?.counts();
        rate(work, before, after)?;
        Ok(changed)
    }
}

/// Lets the ratings follow a review that counted as `before` and counts as `after`.
fn rate(
    work: &mut UnitOfWork<'_>,
    before: Option<(ProductId, u8)>,
    after: Option<(ProductId, u8)>,
) -> Result<(), Rejection> {
    let product = match (&before, &after) {
        (Some((product, _)), _) | (None, Some((product, _))) => product.clone(),
        (None, None) => return Ok(()),
    };
    let command = rating::Command {
        product: product.clone(),
        from: before.map(|(_, rating)| rating),
        to: after.map(|(_, rating)| rating),
    };
    work.decide::<Rating>(product.as_str(), &command).map(drop)
}

/// Reviews from elsewhere, all or none. One that is there already stays as it is.
pub struct Import(pub Vec<(ReviewId, Box<review::NewText>)>);

impl Command for Import {
    /// How many were new.
    type Output = i64;

    fn streams(&self) -> Vec<StreamId> {
        let of = |(id, new): &(ReviewId, Box<review::NewText>)| {
            [
                StreamId::new(Review::CATEGORY, id.as_str()),
                StreamId::new(Rating::CATEGORY, new.product.as_str()),
            ]
        };
        self.0.iter().flat_map(of).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<i64, Rejection> {
        let mut imported = 0;
        for (id, new) in &self.0 {
            if work.version::<Review>(id.as_str())? > 0 {
                continue;
            }
            OnReview::new(id.clone(), Ask::Submit(new.clone())).handle(work)?;
            imported += 1;
        }
        Ok(imported)
    }
}

/// What a customer says of a review.
pub struct Opine {
    /// Which review.
    pub review: ReviewId,
    /// Who.
    pub customer: CustomerId,
    /// What.
    pub say: Say,
}

impl Command for Opine {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let id = opinion::id(&self.review, &self.customer);
        let mut streams = vec![
            StreamId::new(Review::CATEGORY, self.review.as_str()),
            StreamId::new(Opinion::CATEGORY, &id),
        ];
        if let Say::Report { person, .. } = &self.say {
            streams.push(StreamId::new(Author::CATEGORY, person.as_str()));
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let review = work.state::<Review>(self.review.as_str())?;
        let author = review.written.as_ref().and_then(|w| w.customer_id.clone());
        if review.status != Some(ReviewStatus::Published) {
            return Err(Rejection::not_found("review"));
        }
        if author.as_ref() == Some(&self.customer) {
            let detail = "nobody votes on or reports their own review";
            return Err(Rejection::unprocessable("own-review", detail));
        }
        let read = review.written.as_ref().map_or(0, |written| written.edition);
        let mut say = self.say.clone();
        if let Say::Report {
            edition, person, ..
        } = &mut say
        {
            *edition = read;
            author::still_there(work.state::<Author>(person.as_str())?)?;
        }
        let command = opinion::Command {
            review: self.review.clone(),
            customer: self.customer.clone(),
            say,
            at: work.now(),
        };
        let id = opinion::id(&self.review, &self.customer);
        work.decide::<Opinion>(&id, &command).map(drop)
    }
}

/// A person was erased: their reviews go, with what they added to ratings. Never refused; a repeat
/// changes nothing.
pub struct Erase(pub PersonId);

impl Command for Erase {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Author::CATEGORY, self.0.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let reviews = work.state::<Author>(self.0.as_str())?.reviews.clone();
        // All are asked for before the first is missed: they are then loaded in one trip.
        let asked: Vec<_> = reviews
            .iter()
            .map(|id| work.state::<Review>(id.as_str()).map(review::State::counts))
            .collect();
        let counted: Vec<_> = asked.into_iter().collect::<Result<_, _>>()?;
        let ratings: Vec<_> = counted
            .iter()
            .flatten()
            .map(|(product, _)| work.version::<Rating>(product.as_str()))
            .collect();
        ratings.into_iter().collect::<Result<Vec<_>, _>>()?;
        for id in reviews {
            OnReview::new(id, Ask::Withdraw(WithdrawnBy::Erasure)).handle(work)?;
        }
        let erase = author::Command::Erase(self.0.clone());
        work.decide::<Author>(self.0.as_str(), &erase).map(drop)
    }
}
