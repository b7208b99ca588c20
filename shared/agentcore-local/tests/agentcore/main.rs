//! What callers of AgentCore Identity see.
