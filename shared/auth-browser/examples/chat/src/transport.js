/**
 * The AI SDK's way to an agent on AgentCore Runtime: sends a prompt, and turns Strands' events into
 * the chunks that `useChat` reads.
 *
 * Text alone gets through. The results of tools stay outside messages, and so do the tokens in
 * them: `send` (latchkey/streams' `agentTransport`) has its own copy of the stream.
 */
export function chatTransport({ endpoint, send, conversation }) {
  return {
    async sendMessages({ messages, abortSignal }) {
      const response = await send(endpoint, {
        method: 'POST',
        headers: {
          Accept: 'text/event-stream',
          'Content-Type': 'application/json',
          'X-Amzn-Bedrock-AgentCore-Runtime-Session-Id': conversation,
        },
        body: JSON.stringify({ prompt: textOf(messages.at(-1)) }),
        signal: abortSignal,
      });
      if (!response.ok) throw new Error(`the agent answered ${response.status}`);
      return response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new TransformStream(serverSentEvents()))
        .pipeThrough(new TransformStream(chunks()));
    },
    // The runtime keeps no stream for a browser that reconnects.
    reconnectToStream: async () => null,
  };
}

function textOf({ parts }) {
  return parts
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .join('');
}

/** The JSON in server-sent events, as AgentCore Runtime writes them: one line of data each. */
function serverSentEvents() {
  let rest = '';
  return {
    transform(text, controller) {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith('data: ')) controller.enqueue(JSON.parse(line.slice('data: '.length)));
      }
    },
  };
}

/** One part of text for each block that Strands streams. */
function chunks() {
  let id = 0;
  let isOpen = false;
  const close = (controller) => {
    if (isOpen) controller.enqueue({ type: 'text-end', id: String(id) });
    isOpen = false;
  };
  return {
    start: (controller) => controller.enqueue({ type: 'start' }),
    transform({ event, error }, controller) {
      const delta = event?.contentBlockDelta?.delta?.text;
      if (error !== undefined) controller.enqueue({ type: 'error', errorText: 'the agent failed' });
      if (event?.contentBlockStop !== undefined) close(controller);
      if (typeof delta !== 'string') return;
      if (!isOpen) {
        id += 1;
        isOpen = true;
        controller.enqueue({ type: 'text-start', id: String(id) });
      }
      controller.enqueue({ type: 'text-delta', id: String(id), delta });
    },
    flush(controller) {
      close(controller);
      controller.enqueue({ type: 'finish' });
    },
  };
}
