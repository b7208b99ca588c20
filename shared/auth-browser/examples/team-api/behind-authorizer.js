// The same API as a Lambda function. The gateway has asked Latchkey's authorizer before.
import { reservationsOf } from './reservations.js';

export async function handler({ requestContext: { authorizer } }) {
  // An HTTP API puts the authorizer's context under `lambda`, a REST API does not.
  const { sub } = authorizer.lambda ?? authorizer;
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: JSON.stringify({ reservations: reservationsOf(sub) }),
  };
}
