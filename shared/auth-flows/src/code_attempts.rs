//! Mailed codes of sign-ins in progress: claimed, counted, and evaluated by Cognito.

use auth_aws::{
    CognitoSignIn, ConfigurationError, EmailCodes, Platform, Proof, SignIns, TokenPurpose, Whose,
};
use auth_domain::{
    Email, OtpCode, Problem, ProofOfWork, SignIn, SignInId, SignInRules, Timestamp, Tokens, UserSub,
};
use auth_lambda::Exchange;
use tokio::join;

use crate::{
    Attempt, CodeTries, NetworkAttempts, Requester, Requesters,
    attempt::{Budget, Claim, Tally, others_end},
    counted::note_kept,
};

/// Attempts at the codes of sign-ins.
#[derive(Clone)]
pub struct CodeAttempts {
    requesters: Requesters,
    sign_ins: SignIns,
    codes: EmailCodes,
    tries: CodeTries,
    network: Option<NetworkAttempts>,
    rules: SignInRules,
    purpose: TokenPurpose,
}

/// A code from a request.
pub struct BroughtCode<'a> {
    /// The sign-in that it is for.
    pub sign_in: SignInId,
    /// The required owner of the sign-in.
    pub whose: Whose<'a>,
    /// The code.
    pub code: &'a OtpCode,
    /// The solved challenge that pays for the attempt, if strangers have spent theirs.
    pub proof_of_work: Option<&'a ProofOfWork>,
}

/// A sign-in with a claimed attempt, before any count or evaluation.
pub struct ClaimedCode<'a> {
    /// The requester with the code.
    pub requester: Requester<'a>,
    /// The sign-in.
    pub sign_in: SignIn,
    /// The sign-in's name.
    pub id: SignInId,
}

/// A right code, and Cognito's answer to it. The sign-in is open until its attempt finishes it.
pub struct ProvedCode<'a> {
    /// The attempt.
    pub attempt: Attempt<'a>,
    /// The requester with the code.
    pub requester: Requester<'a>,
    /// The sign-in.
    pub sign_in: SignIn,
    /// The new session's tokens.
    pub tokens: Tokens,
    /// The user who signed in.
    pub sub: UserSub,
    /// When the sign-in began.
    pub begun: Timestamp,
}

impl CodeAttempts {
    /// Attempts by way of `operation`, which may have a limit for each network.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        network: Option<NetworkAttempts>,
    ) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            requesters: Requesters::new(platform, operation)?,
            sign_ins: SignIns::new(platform)?,
            codes: EmailCodes::new(platform)?,
            tries: CodeTries::new(platform, environment.code_tries()?)?,
            network,
            rules: environment.sign_in_rules()?,
            purpose: TokenPurpose::Session,
        })
    }

    /// The same for signed-in guests who prove their own address.
    #[must_use]
    pub fn for_own_address(self) -> Self {
        Self {
            requesters: self.requesters.for_own_address(),
            ..self
        }
    }

    /// The same, for tokens of another purpose.
    #[must_use]
    pub fn with_purpose(&self, purpose: TokenPurpose) -> Self {
        Self {
            purpose,
            ..self.clone()
        }
    }

    /// Proves a code: claims the attempt and counts it, and asks Cognito last. Both stand side by
    /// side where the request names the address. A count uses a solved challenge up, so the claim
    /// comes before that.
    pub async fn prove<'a>(
        &'a self,
        brought: BroughtCode<'_>,
        exchange: &'a Exchange,
    ) -> Result<ProvedCode<'a>, Problem> {
        let code = brought.code;
        if let (Some(email), None) = (brought.whose.email(), brought.proof_of_work) {
            return self.prove_at(email, brought, exchange).await;
        }
        let claimed = self.claim(brought, exchange).await?;
        let attempt = self.count(&claimed).await?;
        self.evaluate(claimed, attempt, code).await
    }

    /// Proves a code of a sign-in at `email`. What was counted is given back if the sign-in grants
    /// no attempt, and the other way round.
    async fn prove_at<'a>(
        &'a self,
        email: &Email,
        brought: BroughtCode<'_>,
        exchange: &'a Exchange,
    ) -> Result<ProvedCode<'a>, Problem> {
        let BroughtCode {
            sign_in: id,
            whose,
            code,
            proof_of_work: _,
        } = brought;
        let turn = self.requesters.turn(exchange);
        let claiming = self
            .sign_ins
            .claim(&id, whose, &turn.attempt, turn.now, &self.rules);
        let counting = self.requesters.meet_and_count(
            &turn,
            email,
            |requester| async move { self.tally(&requester).await },
            |tally| tally.give_back(&turn),
        );
        let give_back = async || {
            note_kept(&self.sign_ins.give_back(&id, &turn.attempt).await);
        };
        match join!(claiming, counting) {
            (Ok(sign_in), Ok((requester, tally))) => {
                let claim = Claim::SignIn(&self.sign_ins, id.clone(), Box::new(sign_in.clone()));
                let attempt = tally.decide(&turn, Some(claim)).await?;
                let claimed = ClaimedCode {
                    requester,
                    sign_in,
                    id,
                };
                self.evaluate(claimed, attempt, code).await
            }
            (Ok(_), Err(problem)) => {
                give_back().await;
                Err(problem)
            }
            (Err(problem), counted) => {
                let counts = async {
                    if let Ok((_, tally)) = counted {
                        tally.give_back(&turn).await;
                    }
                };
                // An attempt whose answer was lost may be claimed.
                let claim = async {
                    if problem.may_have_acted() {
                        give_back().await;
                    }
                };
                join!(claim, counts);
                Err(problem)
            }
        }
    }

    /// Claims an attempt. One conditional write checks address and time too, so that parallel
    /// guesses cannot outrun it.
    pub async fn claim<'a>(
        &self,
        brought: BroughtCode<'_>,
        exchange: &'a Exchange,
    ) -> Result<ClaimedCode<'a>, Problem> {
        let BroughtCode {
            sign_in: id,
            whose,
            code: _,
            proof_of_work,
        } = brought;
        let turn = self.requesters.turn(exchange);
        let claiming = self
            .sign_ins
            .claim(&id, whose, &turn.attempt, turn.now, &self.rules);
        let give_back = self.sign_ins.give_back(&id, &turn.attempt);
        let email = |sign_in: &SignIn| sign_in.email.clone();
        let (sign_in, requester) = self
            .requesters
            .claim(&turn, claiming, give_back, email, proof_of_work)
            .await?;
        Ok(ClaimedCode {
            requester,
            sign_in,
            id,
        })
    }

    /// Counts a claimed attempt against the network and the address.
    pub async fn count<'a>(&'a self, claimed: &ClaimedCode<'a>) -> Result<Attempt<'a>, Problem> {
        let requester = &claimed.requester;
        let sign_in = Box::new(claimed.sign_in.clone());
        let claim = Claim::SignIn(&self.sign_ins, claimed.id.clone(), sign_in);
        let tally = self.tally(requester).await;
        tally.decide(&requester.turn(), Some(claim)).await
    }

    async fn tally<'a>(&'a self, requester: &Requester<'a>) -> Tally<'a> {
        let budget = Budget::Codes(&self.tries, Box::new(requester.clone()));
        let network = self.network.as_ref().map(|network| (network, requester));
        Tally::count(&requester.turn(), Some(budget), network).await
    }

    /// Asks Cognito about the code of a counted attempt.
    pub async fn evaluate<'a>(
        &self,
        claimed: ClaimedCode<'a>,
        attempt: Attempt<'a>,
        code: &OtpCode,
    ) -> Result<ProvedCode<'a>, Problem> {
        let context = claimed.requester.exchange().context();
        let codes = self.codes.for_request(context);
        let proving = codes.prove_any(&claimed.sign_in, code, self.purpose);
        match attempt.evaluate(proving).await? {
            Proof::Right(CognitoSignIn { tokens, sub, .. }) => Ok(ProvedCode {
                attempt,
                requester: claimed.requester,
                begun: claimed.sign_in.expires_at.before(self.rules.lifetime),
                sign_in: claimed.sign_in,
                tokens,
                sub,
            }),
            Proof::Wrong => {
                let address = claimed.requester.address_tag();
                tracing::warn!(address, "wrong code");
                Err(Problem::InvalidOtp(claimed.sign_in.attempts(&self.rules)))
            }
            Proof::Over => Err(self.why_over(&claimed).await),
        }
    }

    /// The reason why Cognito accepts no more codes of this sign-in: another attempt has ended the
    /// sign-in, or the code has expired.
    async fn why_over(&self, claimed: &ClaimedCode<'_>) -> Problem {
        let ClaimedCode {
            requester,
            sign_in,
            id,
        } = claimed;
        let (email, attempt) = (&sign_in.email, requester.attempt());
        let looking = || async {
            let now = self.requesters.now();
            // The same name counts once, so this call only reads.
            let looked = self
                .sign_ins
                .claim(id, Whose::Address(email), attempt, now, &self.rules);
            looked.await.map(|sign_in| sign_in.attempts)
        };
        others_end(looking).await.unwrap_or(Problem::OtpExpired)
    }
}
