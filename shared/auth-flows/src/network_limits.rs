//! Admission by network, and by an agent's conversation or gateway, over all addresses.

use auth_aws::{ConfigurationError, Limits, Platform};
use auth_domain::{Clock, ConversationId, KeyRing, Limit, LimitSubject, Problem, Randomness};
use auth_lambda::Exchange;

use crate::{Requester, Turn, counted::Counted};

/// Admission of one network's starts of an operation, before any lookup.
#[derive(Clone)]
pub struct NetworkStarts {
    limits: Limits,
    limit: Limit,
}

impl NetworkStarts {
    /// Starts within `limit`.
    pub fn new(platform: &Platform, limit: Limit) -> Result<Self, ConfigurationError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
        })
    }

    /// Counts a start of the sender's network. Requests through the other doors have no network.
    pub async fn admit(&self, turn: &Turn<'_>, keys: &KeyRing) -> Result<(), Problem> {
        self.count(turn, keys).await.tell(turn.exchange)
    }

    pub(crate) async fn count(&self, turn: &Turn<'_>, keys: &KeyRing) -> Counted {
        let Some(network) = turn.exchange.network() else {
            return Counted::free();
        };
        let subject = LimitSubject::network(&network, keys);
        let counting = self.limits.admit(&self.limit, turn.event(&subject));
        Counted::new(counting.await)
    }
}

/// Admission of the authorizations that agents begin.
#[derive(Clone)]
pub struct AgentStarts {
    limits: Limits,
    limit: Limit,
    per_gateway: Limit,
    clock: Clock,
    randomness: Randomness,
}

impl AgentStarts {
    /// As many for a conversation as `startAuthorization` allows a network.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let limit = environment.limit(
            "authorization-start-agent",
            "AUTHORIZATION_STARTS_PER_IP",
            "AUTHORIZATION_START_WINDOW_SECONDS",
        )?;
        let per_gateway = Limit {
            name: "authorization-start-gateway",
            ..environment.for_gateway(limit)?
        };
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
            per_gateway,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Counts a start of the conversation that a gateway or a direct invocation names: a model
    /// cannot write that. Without one, it counts for the conversation that the request asks for.
    /// A model writes it and can make it up, so it counts for the gateway too, whose chats nothing
    /// tells apart. A call over HTTP that asks for none counts for its network.
    pub async fn admit(
        &self,
        asked: Option<&ConversationId>,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let named = exchange.conversation();
        let gateway = exchange.gateway().filter(|_| named.is_none());
        let subject = match (named, asked, gateway, exchange.network()) {
            (Some(named), _, _, _) => Some(LimitSubject::conversation(named, keys)),
            (None, Some(asked), Some(gateway), _) => {
                let asked = asked.as_str();
                Some(LimitSubject::conversation_at(gateway, asked, keys))
            }
            (None, Some(asked), None, _) => Some(LimitSubject::conversation(asked.as_str(), keys)),
            (None, None, None, Some(network)) => Some(LimitSubject::network(&network, keys)),
            (None, None, _, _) => None,
        };
        let turn = Turn::of(exchange, &self.clock, &self.randomness);
        if let Some(subject) = &subject {
            let counting = self.limits.admit(&self.limit, turn.event(subject));
            Counted::new(counting.await).tell(exchange)?;
        }
        // Only then: a conversation that is refused takes nothing from the others.
        if let Some(gateway) = gateway {
            let subject = LimitSubject::gateway(gateway, keys);
            let event = turn.event(&subject);
            let counting = self.limits.admit_in_window(&self.per_gateway, event);
            Counted::new(counting.await).tell(exchange)?;
        }
        Ok(())
    }
}

/// Admission of the attempts of one network, or of one agent's conversation, at an operation, over
/// all addresses. A gateway that names no conversation has more, for all its chats.
#[derive(Clone)]
pub struct NetworkAttempts {
    limits: Limits,
    limit: Limit,
    per_gateway: Limit,
}

impl NetworkAttempts {
    /// Attempts under the policy's name, which is the operation's own.
    pub fn new(platform: &Platform, policy: &'static str) -> Result<Self, ConfigurationError> {
        let limit = platform.environment().attempts_per_network(policy)?;
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
            per_gateway: limit,
        })
    }

    /// The same for an operation that is an agent's tool.
    pub fn of_tool(platform: &Platform, policy: &'static str) -> Result<Self, ConfigurationError> {
        let of_network = Self::new(platform, policy)?;
        Ok(Self {
            per_gateway: platform.environment().for_gateway(of_network.limit)?,
            ..of_network
        })
    }

    /// Counts an attempt. Known devices are exempt: an office may share a network, and one attacker
    /// there must not lock out its known devices. Direct invocations without a conversation are
    /// exempt too: IAM has allowed each.
    pub async fn admit(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        self.count(requester).await.tell(requester.exchange())
    }

    pub(crate) async fn count(&self, requester: &Requester<'_>) -> Counted {
        if requester.device().is_some() {
            return Counted::free();
        }
        let (exchange, keys) = (requester.exchange(), requester.keys());
        let network = exchange.network();
        let (limit, subject) = match (network, exchange.conversation(), exchange.gateway()) {
            (Some(network), _, _) => (&self.limit, LimitSubject::network(&network, keys)),
            (None, Some(named), _) => (&self.limit, LimitSubject::conversation(named, keys)),
            (None, None, Some(gateway)) => {
                (&self.per_gateway, LimitSubject::gateway(gateway, keys))
            }
            (None, None, None) => return Counted::free(),
        };
        let counting = self
            .limits
            .admit_in_window(limit, requester.event(&subject));
        Counted::new(counting.await)
    }
}
