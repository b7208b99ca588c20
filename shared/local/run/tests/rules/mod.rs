//! Rules across operations.

mod admission;
mod bad_input;
mod bad_invocations;
mod bad_requests;
mod bearer_tokens;
mod cognitos_limits;
mod cookies;
mod costs;
mod devices;
mod failing_calls;
mod limits;
mod notices;
mod operators;
mod passkey_proofs;
mod public_sessions;
mod races;
mod remembered_devices;
mod required_factors;
mod rotation;
mod same_answers_to_codes;
mod same_answers_to_passwords;
mod seconds;
mod secrecy;
mod unproved_users;
mod walking_round;
