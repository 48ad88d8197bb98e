import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '../exchange/refusal.ts';
import { Secret } from '../exchange/target.ts';
import { createProviders } from './providers.ts';
import { cloud, provider, target, world } from './sample-world.test.ts';

const globalCloud = { settings: { project: 'p-1' } };

test('a service account signs for its token, once for all who wait, until a minute before it ends', async () => {
  const { small, asked, move } = world();
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const account = {
    type: 'service_account',
    project_id: 'from-file',
    client_email: 'a@p.test',
    private_key_id: 'id-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: 'https://token.test/token',
  };
  const one = provider('vertex', { keys: [new Secret(JSON.stringify(account))], settings: { location: 'us-east5' } });
  const providers = createProviders(small);
  const where = target(one, 'gemini-2.5-pro');
  assert.throws(() => providers.address(where, true), { refusal: 'upstream_error' });
  const waits = [providers.prepare(where), providers.prepare(where)];
  assert.equal(asked.length, 1);
  const { request, handler } = asked[0] ?? assert.fail();
  assert.equal(request.origin + request.path, 'https://token.test/token');
  const jwt = new URLSearchParams(String(request.body)).get('assertion') ?? '';
  const [head = '', claims = '', signature = ''] = jwt.split('.');
  assert.ok(verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url')));
  assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64url').toString()), {
    iss: 'a@p.test',
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    aud: 'https://token.test/token',
    iat: 1000,
    exp: 4600,
  });
  handler.start(200, {});
  handler.data(Buffer.from('{"access_token":"ya29.t","expires_in":3600}'));
  handler.end();
  await Promise.all(waits);
  const address = providers.address(where, false);
  assert.equal(address.headers.authorization, 'Bearer ya29.t');
  assert.equal(
    address.origin + address.path,
    'https://us-east5-aiplatform.googleapis.com/v1beta1/projects/from-file/locations/us-east5/publishers/google/models/gemini-2.5-pro:generateContent',
  );
  move(3_539_000);
  assert.equal(providers.prepare(where), undefined);
  move(1_000);
  assert.ok(providers.prepare(where));
  assert.equal(asked.length, 2);
});

test('without a credential the metadata server is asked, and nothing else may reach it', async () => {
  const { small, asked } = world();
  const providers = createProviders(small);
  const where = target(provider('vertex-anthropic', globalCloud), 'claude-haiku-4-5@20251001');
  const wait = providers.prepare(where);
  const { request, handler } = asked[0] ?? assert.fail();
  assert.equal(request.origin, 'http://169.254.169.254');
  assert.equal(request.trust, 'metadata');
  assert.equal(request.headers['metadata-flavor'], 'Google');
  handler.start(200, {});
  handler.data(Buffer.from('{"access_token":"t","expires_in":300}'));
  handler.end();
  await wait;
  const { origin, path } = providers.address(where, true);
  assert.equal(
    origin + path,
    'https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict',
  );
});

test('a failed token says why without its secret, and is not asked for again at once', async () => {
  const { small, asked, logged, move } = world();
  const providers = createProviders(small);
  const secret = { type: 'authorized_user', client_id: 'c', client_secret: 'hush-1', refresh_token: 'hush-2' };
  const where = target(provider('vertex', { ...cloud, keys: [new Secret(JSON.stringify(secret))] }), 'm');
  const wait = providers.prepare(where);
  const { handler } = asked[0] ?? assert.fail();
  handler.start(400, {});
  handler.data(Buffer.from('{"error":"invalid_grant","error_description":"Token has been revoked."}'));
  handler.end();
  await assert.rejects(wait ?? assert.fail(), /vertex.*400 \(invalid_grant: Token has been revoked\.\)/);
  await assert.rejects(providers.prepare(where) ?? assert.fail(), Refusal);
  assert.equal(asked.length, 1);
  assert.ok(!logged.join().includes('hush'));
  move(2_000);
  const second = providers.prepare(where);
  assert.equal(asked.length, 2);
  move(10_000);
  await assert.rejects(second ?? assert.fail(), /within 10 s/);
  for (const [credential, reason] of [
    ['{"type":"external_account"}', /neither a service account/],
    ['{"type":"service_account","client_email":"a","private_key":"x"}', /private key.*cannot be read/],
    ['{"type":"service_account"}', /no `private_key`|no `client_email`/],
  ] as const) {
    const bad = target(provider('vertex', { ...cloud, keys: [new Secret(credential)] }), 'm');
    await assert.rejects(providers.prepare(bad) ?? assert.fail(), reason);
  }
});
