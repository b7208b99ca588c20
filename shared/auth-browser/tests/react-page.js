// A page of a team's own in React, for components.mjs.
import { StrictMode, createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Account, ConsentResult, LatchkeyProvider, Protected, useSession } from '../react.js';

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
createRoot(document.getElementById('root')).render(h(StrictMode, {}, h(LatchkeyProvider, options, h(Page))));
