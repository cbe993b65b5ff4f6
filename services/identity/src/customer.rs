//! A customer's account.

use contracts::identity::{CustomerEvent, CustomerRegistered};
use kernel::{Decider, Personal, Rejection};
use serde::{Deserialize, Serialize};

/// A customer as identity knows them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Customer {
    /// Their address; its person is the customer's.
    pub email: Option<Personal<String>>,
}

/// The rules of customer accounts.
pub struct Customers;

impl Decider for Customers {
    const CATEGORY: &'static str = "customer";
    type State = Customer;
    type Command = CustomerRegistered;
    type Event = CustomerEvent;

    fn decide(
        state: &Customer,
        register: &CustomerRegistered,
    ) -> Result<Vec<CustomerEvent>, Rejection> {
        match state.email {
            None => Ok(vec![register.clone().into()]),
            Some(_) => Ok(Vec::new()),
        }
    }

    fn evolve(state: &mut Customer, event: &CustomerEvent) {
        let CustomerEvent::Registered(registered) = event;
        state.email = Some(registered.email.clone());
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
        assert_eq!(
            customer.when(register.clone()).expect("registered").len(),
            1
        );
        assert!(customer.when(register).expect("nothing").is_empty());
    }
}
