import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayDial } from './dialer.ts';

const inner = [
  '127.0.0.1',
  '127.8.8.8',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '::1',
  '[::1]',
  'fc00::1',
  'fe80::1%eth0',
  '::ffff:10.0.0.1',
  '::ffff:127.0.0.1',
  '64:ff9b::a00:1',
  '2002:a00:1::',
];
const metadata = ['169.254.169.254', '::ffff:169.254.169.254', 'fd00:ec2::254'];
const outer = ['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111'];
const notAddresses = ['localhost', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', ''];

for (const address of inner)
  test(`${address}: the config file may, an API or a client may not`, () => {
    assert.equal(mayDial(address, 'config'), true);
    assert.equal(mayDial(address, 'public'), false);
  });

for (const address of metadata)
  test(`${address}: for the fetcher of cloud tokens alone`, () => {
    assert.equal(mayDial(address, 'metadata'), true);
    assert.equal(mayDial(address, 'config'), false);
    assert.equal(mayDial(address, 'public'), false);
  });

for (const address of outer) test(`${address}: anybody may`, () => assert.equal(mayDial(address, 'public'), true));

for (const text of notAddresses)
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(mayDial(text, 'config'), false));
