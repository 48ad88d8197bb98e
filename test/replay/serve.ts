// `npm run replay -- --port N`: serves what providers once answered, to try a gateway against real traffic for nothing.

import { parseArgs } from 'node:util';
import { sampled, startReplay } from './replay.ts';

const help = `Usage: npm run replay -- [--port N] [--host HOST]

Plays recorded provider traffic by the name of the model: ask for replay-ID. Recordings lie in ../shared/recordings, or
where TOLLGATE_SHARED points; without them the cases of fixtures/ are played by their folder's name.

--port N      8090; 0 takes a free one
--host HOST   127.0.0.1
--help        This text`;

function fail(message: string): never {
  console.error(`replay: ${message}`);
  process.exit(2);
}

function options(): { help?: boolean; port: string; host: string } {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8090' },
        host: { type: 'string', default: '127.0.0.1' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  }
}

const asked = options();
if (asked.help) {
  console.log(help);
  process.exit(0);
}
if (!/^\d{1,5}$/.test(asked.port) || Number(asked.port) > 65535) fail('--port must be a number from 0 to 65535');
const server = await startReplay(Number(asked.port), asked.host).catch((error: Error) => fail(error.message));
console.log(`Plays ${server.about} at ${server.url}

Paste into tollgate.yaml:

providers:
  replay-chat: { base_url: "${server.url}/v1", format: openai-chat, api_key: none, free: true }
  replay-messages: { base_url: "${server.url}/v1", format: anthropic-messages, api_key: none, free: true }
  replay-gemini: { base_url: "${server.url}/v1beta", format: gemini-generate, api_key: none, free: true }

and ask for a model such as:
${sampled(server.ids, 5)
  .map((id) => `  replay-chat/replay-${id}`)
  .join('\n')}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
