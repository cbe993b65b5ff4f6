//! A customer's account.

use contracts::identity::{CustomerAccountClosed, CustomerEvent, CustomerId, CustomerRegistered};
use kernel::{Decider, Personal, Rejection};
use serde::{Deserialize, Serialize};

/// A customer as identity knows them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Customer {
    /// Their address; its person is the customer's.
    pub email: Option<Personal<String>>,
    /// Nobody signs in to it any more.
    pub closed: bool,
}

/// What can be asked of a customer's account.
pub enum CustomerCommand {
    /// Open it.
    Register(CustomerRegistered),
    /// Close it for good.
    Close(CustomerId),
}

/// The rules of customer accounts.
pub struct Customers;

impl Decider for Customers {
    const CATEGORY: &'static str = "customer";
    type State = Customer;
    type Command = CustomerCommand;
    type Event = CustomerEvent;

    fn decide(
        state: &Customer,
        command: &CustomerCommand,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        Ok(match (command, &state.email) {
            (CustomerCommand::Register(register), None) => vec![register.clone().into()],
            (CustomerCommand::Close(customer_id), Some(_)) if !state.closed => {
                let customer_id = customer_id.clone();
                vec![CustomerAccountClosed { customer_id }.into()]
            }
            _ => Vec::new(),
        })
    }

    fn evolve(state: &mut Customer, event: &CustomerEvent) {
        match event {
            CustomerEvent::Registered(registered) => state.email = Some(registered.email.clone()),
            CustomerEvent::Closed(_) => state.closed = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;

    use super::*;

    #[test]
    fn a_customer_registers_once() {
        let register = CustomerRegistered {
            customer_id: "cus_1".parse().expect("an id"),
            email: Personal::new("per_1".parse().expect("an id"), "ann@example.org".into()),
        };
        let mut customer = given::<Customers>([]);
        let mut opened = |register| customer.when(CustomerCommand::Register(register));
        assert_eq!(opened(register.clone()).expect("registered").len(), 1);
        assert!(opened(register.clone()).expect("nothing").is_empty());
        let close = || CustomerCommand::Close(register.customer_id.clone());
        assert_eq!(customer.when(close()).expect("closed").len(), 1);
        assert!(customer.when(close()).expect("closed before").is_empty());
        assert!(customer.state.closed);
    }
}
