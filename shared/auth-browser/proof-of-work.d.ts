/**
 * The challenge in an answer with the code `RATE_LIMITED`, if work admits the request (ALTCHA,
 * version 2).
 */
export interface WorkChallenge {
  readonly parameters: {
    readonly algorithm: string;
    readonly cost: number;
    readonly data?: Readonly<Record<string, unknown>>;
    readonly expiresAt?: number;
    readonly keyLength: number;
    readonly keyPrefix: string;
    readonly nonce: string;
    readonly salt: string;
  };
  readonly signature?: string;
}

export interface SolveOptions {
  /** Ends the search; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with the search's progress, from 0 to 1. It never decreases, and need not reach 1. */
  readonly onProgress?: (progress: number) => void;
}

/**
 * Solves a challenge, in workers if there are some: half a second to five seconds of a phone. Send
 * the same request again with the text as `proofOfWork`, within five minutes, once.
 *
 * Rejects with a `TypeError` for a challenge that this version does not understand.
 */
export function solveChallenge(challenge: WorkChallenge, options?: SolveOptions): Promise<string>;
