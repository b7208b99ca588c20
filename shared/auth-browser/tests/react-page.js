// Pages of a team's own in React, for components.mjs and page.mjs: `?router` is the second one.
import { StrictMode, createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createLatchkey } from '../latchkey.js';
import { Account, ConsentResult, LatchkeyProvider, Protected, SignIn, useSession } from '../react.js';

function Page() {
  const session = useSession();
  const [outcomes, setOutcomes] = useState([]);
  return h(
    'div',
    {},
    session ? h('p', {}, `done ${session.email}`) : null,
    outcomes.length > 0 ? h('p', {}, `heard ${outcomes.join(' ')} ${outcomes.length === 1 ? 'once' : 'again'}`) : null,
    h(ConsentResult, { onDone: (outcome) => setOutcomes((before) => [...before, outcome]) }),
    h(Protected, {}, h(Account, { sections: 'profile sessions sign-out' })),
  );
}

const options = { apiUrl: new URL('/api', location.href).href, tokenDelivery: 'cookie' };
const client = createLatchkey(options);

/** Routes without a hook above them: on two of three, nothing listens to the session. */
function Router() {
  const [route, go] = useState('/');
  const link = (to) => h('button', { onClick: () => go(to) }, `to ${to}`);
  if (route === '/sign-in') return h(SignIn, { ways: 'code', onDone: () => go('/') });
  if (route === '/about') return h('div', {}, link('/'), h('button', { onClick: () => client.signOut().then(() => go('/left')) }, 'leave'));
  if (route === '/left') return link('/');
  return h(Protected, { fallback: link('/sign-in') }, h('p', {}, 'for guests'), link('/about'));
}

const page = location.search === '?router' ? h(LatchkeyProvider, { client }, h(Router)) : h(LatchkeyProvider, options, h(Page));
createRoot(document.getElementById('root')).render(h(StrictMode, {}, page));
