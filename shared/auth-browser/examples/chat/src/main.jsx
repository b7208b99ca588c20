// A chat with an agent that signs people in.
import { useChat } from '@ai-sdk/react';
import { createLatchkey } from 'latchkey';
import { LatchkeyProvider, useSession } from 'latchkey/react';
import { agentTransport } from 'latchkey/streams';
import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { chatTransport } from './transport.js';

// The session lies in sessionStorage: it outlives a reload, and ends with the tab.
const latchkey = createLatchkey({ apiUrl: new URL('/api', location.href).href });
const KEPT_UNDER = 'conversation';

/** The name of this tab's conversation: hard to guess, and never used for a second person. */
function currentConversation() {
  const kept = sessionStorage.getItem(KEPT_UNDER);
  return kept ?? newConversation();
}

function newConversation() {
  const name = `conversation-${crypto.randomUUID()}`;
  sessionStorage.setItem(KEPT_UNDER, name);
  return name;
}

function App() {
  const [conversation, setConversation] = useState(currentConversation);
  const session = useSession();

  const signOut = () =>
    latchkey.signOut().catch(() => alert('You are still signed in. Please try again.'));

  // The next person must not see the previous one's conversation.
  useEffect(
    () => latchkey.onSessionChange(({ session }) => session ?? setConversation(newConversation())),
    [],
  );

  return (
    <main>
      <header>
        {session ? (
          <>
            <output>{session.email}</output>
            <button onClick={signOut}>Sign out</button>
          </>
        ) : (
          <output>Nobody is signed in</output>
        )}
      </header>
      <Chat
        key={conversation}
        conversation={conversation}
        onOtherPerson={() => setConversation(newConversation())}
      />
    </main>
  );
}

function Chat({ conversation, onOtherPerson }) {
  const [other, setOther] = useState(null);
  const transport = useMemo(() => {
    const endpoint = new URL('/invocations', location.href);
    const send = agentTransport({
      latchkey,
      endpoint,
      token: 'payload',
      onOtherPerson: (event, accept) => setOther({ email: event.email, accept }),
    });
    return chatTransport({ endpoint: endpoint.href, send, conversation });
  }, [conversation]);
  const { messages, sendMessage, status, error } = useChat({ transport });
  const isBusy = status === 'submitted' || status === 'streaming';

  function submit(event) {
    event.preventDefault();
    const text = new FormData(event.target).get('text').trim();
    if (text === '' || isBusy) return;
    event.target.reset();
    sendMessage({ text });
  }

  return (
    <>
      <ol>
        {messages.map(({ id, role, parts }) => (
          <li key={id} data-role={role}>
            {parts.map((part) => (part.type === 'text' ? part.text : ''))}
          </li>
        ))}
      </ol>
      {error && <p role="alert">That did not work. Say it again.</p>}
      {other && (
        <p role="alert">
          You are signed in as somebody else.{' '}
          <button onClick={() => (other.accept(), onOtherPerson())}>Go on as {other.email}</button>
        </p>
      )}
      <form onSubmit={submit}>
        <input name="text" aria-label="Message" autoComplete="off" />
        <button disabled={isBusy}>Send</button>
      </form>
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <LatchkeyProvider client={latchkey}>
    <App />
  </LatchkeyProvider>,
);
