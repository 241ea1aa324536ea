// Talks to the simulator with the official OpenAI client for Node.js.
// Run by a test that has the npm package "openai" in reach:
//
//   BASE_URL=http://127.0.0.1:PORT/v1 API_KEY=sk-sim node --test openai-client.mjs
//
// The simulator must accept that key; OPENAI_MODULE may name the module's file
// when it is not installed above this file.
import test from 'node:test';
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';

const module = process.env.OPENAI_MODULE;
const { default: OpenAI } = await import(module ? pathToFileURL(module).href : 'openai');
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0, timeout: 10_000 });
const ask = (content, more = {}) => client.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content }], ...more });

/** Reads a stream to its end. */
async function read(stream) {
  const got = { text: '', finish: null, usage: null };
  for await (const chunk of stream) {
    const choice = chunk.choices[0];
    got.text += choice?.delta?.content ?? '';
    got.finish = choice?.finish_reason ?? got.finish;
    got.usage = chunk.usage ?? got.usage;
  }
  return got;
}

test('lists models', async () => {
  const names = [];
  for await (const m of client.models.list()) names.push(m.id);
  assert.ok(names.includes('gpt-4o-mini'), names.join());
});

test('answers as a whole, with usage', async () => {
  const r = await ask('Where is my order?');
  assert.match(r.choices[0].message.content, /Where is my order\?/);
  assert.equal(r.choices[0].finish_reason, 'stop');
  assert.equal(r.usage.total_tokens, r.usage.prompt_tokens + r.usage.completion_tokens);
});

test('streams the same answer, with usage', async () => {
  const whole = await ask('几点开门?');
  const got = await read(await ask('几点开门?', { stream: true, stream_options: { include_usage: true } }));
  assert.equal(got.text, whole.choices[0].message.content);
  assert.equal(got.finish, 'stop');
  assert.deepEqual(got.usage, whole.usage);
});

test('the helper of the client reads the stream too', async () => {
  const runner = client.chat.completions.stream({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: '[[say:Hello "there" 😀]]' }] });
  assert.equal(await runner.finalContent(), 'Hello "there" 😀');
});

test('keeps to max_tokens', async () => {
  const r = await ask('[[tokens:50]]', { max_completion_tokens: 7 });
  assert.equal(r.choices[0].finish_reason, 'length');
  assert.equal(r.usage.completion_tokens, 7);
});

test('errors arrive as the client’s own error types', async () => {
  await assert.rejects(ask('[[500]]'), OpenAI.InternalServerError);
  await assert.rejects(ask('[[400]]'), OpenAI.BadRequestError);
  await assert.rejects(ask('[[429]]'), (e) => e instanceof OpenAI.RateLimitError && e.headers.get('retry-after') === '1');
  const stranger = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: 'sk-nobody', maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'x' }] }), OpenAI.AuthenticationError);
});

test('a marker with a number recovers under the client’s own retries', async () => {
  const patient = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 2 });
  const r = await patient.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: '[[500:1]] again ' + Date.now() }] });
  assert.equal(r.choices[0].finish_reason, 'stop');
});

test('a broken stream is an error', async () => {
  await assert.rejects(async () => read(await ask('[[cut]]', { stream: true })));
  await assert.rejects(async () => read(await ask('[[error]]', { stream: true })), OpenAI.APIError);
});

test('a tool call nobody asked for', async () => {
  const r = await ask('[[tool]]');
  assert.equal(r.choices[0].finish_reason, 'tool_calls');
  assert.equal(r.choices[0].message.tool_calls[0].function.name, 'delete_everything');
});

test('rate limit headers', async () => {
  const { response } = await ask('hi').withResponse();
  const limit = response.headers.get('x-ratelimit-limit-requests');
  if (limit !== null) {
    assert.ok(Number(limit) > Number(response.headers.get('x-ratelimit-remaining-requests')));
    assert.match(response.headers.get('x-ratelimit-reset-requests'), /^[0-9.hmsµ]+$/);
  }
});

test('moderations', async () => {
  const r = await client.moderations.create({ input: 'please flagme' });
  assert.equal(r.results[0].flagged, true);
});
