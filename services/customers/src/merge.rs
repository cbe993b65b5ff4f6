//! Two profiles that turn out to be one person's: the duplicate is closed and points to the other
//! one, which takes over what it held.

use std::collections::BTreeMap;

use contracts::{
    customers::{
        AddressId, CompanyId, ConsentChanged, ConsentSource, CustomerAddressDefaultsChanged,
        CustomerAddressSaved, CustomerEvent, CustomerNoteAdded,
    },
    identity::CustomerId,
};
use kernel::{Command, Decider, PersonId, Personal, Rejection, StreamId, UnitOfWork};

use crate::{
    company::{Companies, CompanyCommand},
    consent::{ConsentBook, stricter},
    customer::{CustomerState, Customers, Step},
    mailbox::{MailboxCommand, Mailboxes},
    profile::{customer, directory, reassess, registered, resolved, step},
    statistics,
};

/// Merges a duplicate into another profile.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The duplicate.
    pub from: CustomerId,
    /// Who stays.
    pub into: CustomerId,
    /// Companies the duplicate acts for.
    pub companies: Vec<CompanyId>,
}

/// Who stays.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Who they are.
    pub id: CustomerId,
    /// With what both held.
    pub state: CustomerState,
}

impl Command for Merge {
    type Output = Merged;

    fn streams(&self) -> Vec<StreamId> {
        let companies = self.companies.iter();
        let companies = companies.map(|id| StreamId::new(Companies::CATEGORY, id.as_str()));
        let rest = [customer(&self.from), customer(&self.into), directory()];
        companies.chain(rest).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Merged, Rejection> {
        let into = resolved(work, &self.into)?;
        if into == self.from {
            let detail = "a profile cannot be merged into itself";
            return Err(Rejection::invalid("into", detail));
        }
        let source = registered(work, &self.from)?.clone();
        let target = registered(work, &into)
            .map_err(|refused| refused.field("into"))?
            .clone();
        let person = target
            .person
            .clone()
            .ok_or_else(|| Rejection::not_found("customer").field("into"))?;
        let moving = Moving {
            source: &source,
            target: &target,
            into: &into,
            person: &person,
        };
        moving.addresses(work)?;
        moving.notes(work)?;
        moving.consents(work)?;
        moving.mailbox(work, &self.from)?;
        self.memberships(work, &into)?;
        for person in &source.persons {
            step(work, &into, Step::LinkPerson(person.clone()))?;
        }
        let statistics = statistics::combined(&target.statistics, &source.statistics);
        step(work, &into, Step::Count(statistics))?;
        step(work, &self.from, Step::Merge(into.clone()))?;
        let mut by_hand = [target.by_hand.clone(), source.by_hand.clone()].concat();
        by_hand.sort();
        by_hand.dedup();
        let segments = target.segments.clone();
        step(work, &into, Step::Belong { by_hand, segments })?;
        reassess(work, &into)?;
        Ok(Merged {
            state: work.state::<Customers>(into.as_str())?.clone(),
            id: into,
        })
    }
}

impl Merge {
    fn memberships(&self, work: &mut UnitOfWork<'_>, into: &CustomerId) -> Result<(), Rejection> {
        for company in &self.companies {
            let hand_over = CompanyCommand::HandOver {
                company_id: company.clone(),
                from: self.from.clone(),
                to: into.clone(),
            };
            work.decide::<Companies>(company.as_str(), &hand_over)?;
        }
        Ok(())
    }
}

/// What one profile holds on its way to the other. Personal data is sealed anew for the person who
/// stays.
struct Moving<'a> {
    source: &'a CustomerState,
    target: &'a CustomerState,
    into: &'a CustomerId,
    person: &'a PersonId,
}

impl Moving<'_> {
    fn append(&self, work: &mut UnitOfWork<'_>, event: CustomerEvent) -> Result<(), Rejection> {
        work.append::<Customers>(self.into.as_str(), event)
    }

    fn addresses(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        // Under which id an address of the duplicate's book is found afterwards.
        let mut found = BTreeMap::new();
        for (id, address) in &self.source.addresses {
            let Some(address) = address.get() else {
                continue;
            };
            let mut ours = self.target.addresses.iter();
            if let Some((same, _)) = ours.find(|(_, our)| our.get() == Some(address)) {
                found.insert(id, same.clone());
                continue;
            }
            found.insert(id, id.clone());
            let saved = CustomerAddressSaved {
                customer_id: self.into.clone(),
                address_id: id.clone(),
                address: Personal::new(self.person.clone(), address.clone()),
            };
            self.append(work, saved.into())?;
        }
        let moved = |id: &Option<AddressId>| found.get(id.as_ref()?).cloned();
        let (target, source) = (self.target, self.source);
        let defaults = CustomerAddressDefaultsChanged {
            customer_id: self.into.clone(),
            shipping: target.shipping.clone().or(moved(&source.shipping)),
            billing: target.billing.clone().or(moved(&source.billing)),
        };
        match defaults.shipping == target.shipping && defaults.billing == target.billing {
            true => Ok(()),
            false => self.append(work, defaults.into()),
        }
    }

    fn notes(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        for note in &self.source.notes {
            let Some(text) = note.text.get() else {
                continue;
            };
            let added = CustomerNoteAdded {
                customer_id: self.into.clone(),
                note_id: note.id.clone(),
                text: Personal::new(self.person.clone(), text.clone()),
                by: note.by.clone(),
                at: note.at,
            };
            self.append(work, added.into())?;
        }
        Ok(())
    }

    fn consents(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let Some(source) = &self.source.person else {
            return Ok(());
        };
        let theirs = work.state::<ConsentBook>(source.as_str())?.clone();
        let ours = work.state::<ConsentBook>(self.person.as_str())?.clone();
        for change in stricter(&ours, &theirs) {
            let change = ConsentChanged {
                customer_id: Some(self.into.clone()),
                person: self.person.clone(),
                source: ConsentSource::Staff,
                ..change
            };
            work.decide::<ConsentBook>(self.person.as_str(), &change)?;
        }
        Ok(())
    }

    /// Guest orders with the duplicate's address are the other one's from now on.
    fn mailbox(&self, work: &mut UnitOfWork<'_>, from: &CustomerId) -> Result<(), Rejection> {
        let hash = &self.source.email_hash;
        if hash.is_empty() || work.state::<Mailboxes>(hash)?.customer.as_ref() != Some(from) {
            return Ok(());
        }
        let claim = MailboxCommand::Claim(self.into.clone());
        work.decide::<Mailboxes>(hash, &claim).map(drop)
    }
}
