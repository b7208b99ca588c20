//! The decision: count the mail, ensure a user, mail a code, and store the sign-in.

use auth_aws::Address;
use auth_domain::{
    CognitoSession, Email, NewUser, OfferedPassword, Problem, SessionToken, SignIn, Timestamp,
};
use auth_flows::{Leaving, Requester};
use auth_lambda::{CodeSent, Exchange};
use tokio::{join, try_join};

use crate::{InitiateOtp, Input, Started};

/// The answer for every address, known or not.
const MESSAGE: &str =
    "If this address can sign in by code, one is on its way; otherwise sign in with your password.";

/// A user and a possible mail with a code.
struct Sent {
    session: Option<CognitoSession>,
    password: OfferedPassword,
}

impl InitiateOtp {
    pub(crate) async fn initiate(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Started, Problem> {
        let email = &input.email;
        let (counted, address) = join!(self.count(input, exchange), self.guests.at(email));
        let requester = counted?;
        let address = match address {
            Ok(address) => address,
            Err(problem) => {
                self.mails.withdraw(&requester).await;
                return Err(problem);
            }
        };
        let now = requester.now();
        let new_user = match &address {
            Some(Address::Claimed(claim)) if !claim.is_leaving && claim.other.is_none() => {
                NewUser::Never
            }
            Some(Address::Claimed(_) | Address::Waiting(_)) | None => NewUser::Possible,
        };
        self.mails.admit_to_pool(&requester, new_user).await?;
        let address = self.settled(email, address, exchange).await?;

        let sent = self.send(&requester, address.as_ref()).await?;
        let session_token = SessionToken::generate(&self.randomness);
        self.remember(&session_token, email, sent, now).await?;
        let rules = &self.rules;
        let (expires_in, resend_after) = (rules.lifetime.as_secs(), rules.resend_after.as_secs());
        let code_sent = CodeSent::new(session_token, email, expires_in, resend_after, MESSAGE);
        Ok(Started {
            code_sent,
            sent_at: now,
        })
    }

    /// Counts the start for everything that may refuse its requester.
    async fn count<'a>(
        &self,
        input: &Input,
        exchange: &'a Exchange,
    ) -> Result<Requester<'a>, Problem> {
        let proof = input.proof_of_work.as_ref();
        let meeting = self.requesters.meet(exchange, &input.email, proof);
        let requester = meeting.await?;
        if exchange.network().is_none() {
            self.agents.admit(&requester).await?;
        }
        self.mails.count(&requester, Some(&self.starts)).await?;
        Ok(requester)
    }

    /// The address's state with nothing half done. An interrupted deletion is finished first, and
    /// the address is then free. An interrupted change of address is finished first, too: the
    /// address is then free or the guest's.
    async fn settled(
        &self,
        email: &Email,
        address: Option<Address>,
        exchange: &Exchange,
    ) -> Result<Option<Address>, Problem> {
        match address {
            Some(Address::Claimed(claim)) if claim.is_leaving => {
                let leaving = Leaving {
                    sub: &claim.sub,
                    guest_id: &claim.guest_id,
                    email,
                    other: claim.other.as_ref(),
                    locale: claim.locale.as_ref(),
                };
                self.deletions.resume(leaving, exchange).await?;
                Ok(None)
            }
            Some(Address::Claimed(claim)) if claim.other.is_some() => {
                if let Some(guest) = self.guests.find(&claim.sub).await? {
                    // On the heap: it is long and rare, and every start would be as large.
                    Box::pin(self.changes.resume(guest, exchange)).await?;
                }
                self.guests.at(email).await
            }
            address @ (Some(Address::Claimed(_) | Address::Waiting(_)) | None) => Ok(address),
        }
    }

    /// Asks Cognito to mail a code. An address with a proved guest has a user, and costs one call.
    /// Any other address gets a user first, and so does a guest whose user was deleted: Cognito
    /// then offers a password, which it never offers for users made here.
    ///
    /// An older user with a password and an unproved address may be a stranger's. The code will
    /// make Cognito mark the address as verified, so this asks for the mark before.
    async fn send(
        &self,
        requester: &Requester<'_>,
        address: Option<&Address>,
    ) -> Result<Sent, Problem> {
        let (email, attempt, now) = (requester.email(), requester.attempt(), requester.now());
        let codes = self.codes.for_request(requester.exchange().context());
        let (bound, has_password) = match address {
            Some(Address::Claimed(claim)) => (true, claim.has_password),
            Some(Address::Waiting(_)) | None => (false, false),
        };
        let locale = requester.exchange().locale();
        let ensured = || self.new_users.ensure(email, locale.as_ref(), attempt, now);
        let is_new = !bound && ensured().await?.is_some();
        let mut sending = codes.send(email).await?;
        if bound && sending.password_offered && !has_password && ensured().await?.is_some() {
            sending = codes.send(email).await?;
        }
        let may_be_a_strangers = !bound && !is_new;
        let password = if !sending.password_offered {
            OfferedPassword::None
        } else if may_be_a_strangers && !self.is_proved(email).await? {
            OfferedPassword::Unproven
        } else {
            OfferedPassword::Proven
        };
        Ok(Sent {
            session: sending.session,
            password,
        })
    }

    /// Whether the owner of the address chose the password: the address was proved before it was
    /// set, as far as anybody knows.
    async fn is_proved(&self, email: &Email) -> Result<bool, Problem> {
        let (is_verified, is_marked) = try_join!(
            self.codes.is_address_verified(email),
            self.earlier_passwords.is_marked(email)
        )?;
        Ok(is_verified && !is_marked)
    }

    async fn remember(
        &self,
        session_token: &SessionToken,
        email: &Email,
        sent: Sent,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let sessions = sent.session.into_iter().collect();
        let sign_in = SignIn {
            password: sent.password,
            ..SignIn::begun(email, sessions, &self.rules, now)
        };
        let id = session_token.sign_in_id();
        let marking = async {
            if sign_in.password == OfferedPassword::Unproven {
                self.earlier_passwords.mark(email, now).await?;
            }
            Ok(())
        };
        try_join!(self.sign_ins.begin(&id, &sign_in), marking)?;
        Ok(())
    }
}
