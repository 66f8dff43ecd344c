// Slips of the hand lead to the name that was meant; other words lead nowhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from './nearest.ts';

test('a slip leads to the nearest name, another word to none', () => {
  const names = ['secret', 'database', 'url', 'accessTtl'];
  assert.equal(nearestName('secrte', names), 'secret');
  assert.equal(nearestName('DATABASES', names), 'database');
  assert.equal(nearestName('acessTTL', names), 'accessTtl');
  assert.equal(nearestName('uri', names), 'url');
  for (const given of ['', 'x', 'colour', 'refresh']) assert.equal(nearestName(given, names), null, given);
  assert.equal(nearestName('anything', []), null);
});
