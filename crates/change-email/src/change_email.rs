//! The decision: the proofs, the limits, and a mail: the code, or a word to the address's owner.

use auth_aws::Address;
use auth_domain::{
    AddressCode, AddressCodeHash, CodeMail, FieldProblem, Guest, Locale, NewUser, Notice, OtpCode,
    Problem, ProofBinding, ProofPurpose, SessionToken,
};
use auth_flows::Requester;
use auth_lambda::{Delivery, Exchange};
use tokio::try_join;

use crate::{AddressCodeSent, ChangeEmail, Input};

impl ChangeEmail {
    pub(crate) async fn ask(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<AddressCodeSent, Problem> {
        let (caller, to) = (exchange.caller()?, &input.email);
        let guest = self.callers.find(caller).await?;
        if guest.email == *to {
            return Err(already_theirs());
        }
        self.mailer.check().map_err(Problem::EmailDeliveryFailed)?;
        self.proofs.require(&guest, &input.proofs, exchange).await?;
        let (requester, address) =
            try_join!(self.requesters.meet(exchange, to, None), self.guests.at(to))?;
        self.admit(&guest, &requester).await?;

        let (token, now) = (SessionToken::generate(&self.randomness), requester.now());
        let id = token.address_code_id();
        // Drawn and hashed for every address, so that the time tells nothing.
        let code = OtpCode::generate(&self.randomness);
        let hash = AddressCodeHash::of(&code, &id, requester.keys());
        let is_free = is_free_for(&guest, address.as_ref());
        let waiting = AddressCode {
            to: to.clone(),
            since: guest.address_changed_at,
            code: is_free.then_some(hash),
            attempts: 0,
            expires_at: now.after(self.rules.lifetime),
        };
        let binding = ProofBinding::of(caller, ProofPurpose::Email);
        self.codes.begin(&id, &waiting, &binding).await?;
        let sent = if is_free {
            let locale = guest.locale.clone().or_else(|| exchange.locale());
            let language = locale.and_then(|locale| locale.language());
            let mailing = self
                .mailer
                .mail_code(to, CodeMail::Address, &code, language);
            mailing.await
        } else {
            let locale = address.as_ref().and_then(Address::locale);
            let language = locale.and_then(Locale::language);
            let notice = Notice::AddressWanted;
            self.mailer.notify(to, notice, now, language).await
        };
        sent.map_err(Problem::EmailDeliveryFailed)?;
        Ok(AddressCodeSent {
            session_token: token,
            expires_in: self.rules.lifetime.as_secs(),
            delivery: Delivery::to(to),
        })
    }

    /// Counts the mail for the guest, and then for its mailbox, where every guest is a stranger.
    async fn admit(&self, guest: &Guest, requester: &Requester<'_>) -> Result<(), Problem> {
        let turn = requester.turn();
        self.per_guest.admit(&guest.cognito_sub, &turn).await?;
        self.mails.admit(requester, NewUser::Never).await
    }
}

/// Whether an address may become the guest's. One that is claimed for the guest already may.
fn is_free_for(guest: &Guest, address: Option<&Address>) -> bool {
    match address {
        Some(Address::Claimed(claim)) => claim.sub == guest.cognito_sub,
        Some(Address::Waiting(_)) => false,
        None => true,
    }
}

fn already_theirs() -> Problem {
    Problem::ValidationFailed(vec![FieldProblem {
        field: "email".to_owned(),
        code: "unchanged",
        message: "must differ from the present address".to_owned(),
    }])
}
