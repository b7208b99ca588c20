// Renders the React components on a server, without a session or an element: node react.mjs
import assert from 'node:assert/strict';

import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { ConsentResult, LatchkeyProvider, Protected, SignIn, useSession } from 'latchkey/react';

const apiUrl = 'https://example.com/api';
const Seen = () => `session: ${useSession()}`;

assert.equal(renderToString(h(LatchkeyProvider, { apiUrl }, h(Seen))), 'session: undefined');
assert.equal(renderToString(h(LatchkeyProvider, { apiUrl }, h(Protected, {}, 'for guests'))), '');
assert.match(renderToString(h(LatchkeyProvider, { apiUrl }, h(SignIn, { ways: 'code' }))), /<latchkey-sign-in awaits-client="" ways="code">/);
assert.match(renderToString(h(LatchkeyProvider, { apiUrl }, h(ConsentResult))), /<latchkey-consent-result/);
assert.throws(() => renderToString(h(Seen)), /LatchkeyProvider/);
console.log('React renders it on a server');
