import type { Session, SessionKeeper, TokenDeliveryEvent } from './keeper.js';

/** The source of messages: an answer, its body, chunks of text or bytes, or parsed messages. */
export type StreamSource =
  | Response
  | ReadableStream<Uint8Array | string | object>
  | AsyncIterable<Uint8Array | string | object>
  | Iterable<Uint8Array | string | object>
  | string;

export interface StreamOptions {
  /** The expected address. A sign-in as another one is ignored. */
  email?: string;
  /**
   * The tool whose result counts; `verify_cognito_otp` when absent, with or without a gateway
   * target's prefix.
   */
  tool?: string;
  /**
   * Calls that begin outside the stream, as those of MCP do: the tools' names by the calls' ids.
   */
  calls?: Readonly<Record<string, string>>;
  /**
   * True if the agent's code yields each event as JSON in a string, so that it arrives quoted
   * twice. Only for code that never yields the model's text in the same way: that could forge an
   * event.
   */
  quoted?: boolean;
}

/** The next token delivery event of a stream, or null when it ends without one. */
export function tokenDeliveryFrom(source: StreamSource, options?: StreamOptions): Promise<TokenDeliveryEvent | null>;

/** Every token delivery event of a stream, in its order. */
export function tokenDeliveries(source: StreamSource, options?: StreamOptions): AsyncGenerator<TokenDeliveryEvent>;

export interface AgentTransportOptions extends StreamOptions {
  latchkey: Pick<SessionKeeper, 'loadSession' | 'getAccessToken' | 'storeSession'>;
  /** The agent's URL, such as InvokeAgentRuntime's. Requests to any other address are refused. */
  endpoint: string | URL;
  /**
   * `'bearer'` (when absent): in `Authorization`. `'payload'`: as `auth_token` in the JSON body.
   */
  token?: 'bearer' | 'payload';
  fetch?: (input: string, init?: RequestInit) => Promise<Response>;
  /**
   * Called when a stream signs another person in than the signed-in one. Nothing is stored;
   * `accept` stores it, and belongs behind a button.
   */
  onOtherPerson?: (event: TokenDeliveryEvent, accept: () => Session) => void;
}

/**
 * A `fetch` for one agent. It sends the guest's token and stores the session in the answer's
 * stream.
 */
export function agentTransport(
  options: AgentTransportOptions,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
