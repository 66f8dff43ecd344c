import assert from 'node:assert/strict';
import test from 'node:test';
import { isOneCharacter, isRunOfKeys } from './keyboard.ts';

test('rows, columns, digits and alphabet are runs, in either direction and one after another', () => {
  for (const run of [
    '12345678',
    '87654321',
    '90123456',
    'abcdefgh',
    'zyxwvuts',
    'qwertyuiop',
    'poiuytrewq',
    'qwertzuiop',
    'azertyuiop',
    'asdfghjkl',
    'qwerasdf',
    '1qaz2wsx3edc',
    'zaq12wsx',
    '!@#$%^&*',
    '11112222',
    '1234abcd',
  ]) {
    assert.equal(isRunOfKeys(run), true, run);
  }
});

test('a text with anything between the runs is none', () => {
  for (const text of [
    'qwerty uiop',
    'qwertyx',
    '12345679x',
    'wearedog',
    '18273645',
    'abacabad',
    '83920174',
  ]) {
    assert.equal(isRunOfKeys(text), false, text);
  }
});

test('one character is told from two', () => {
  assert.equal(isOneCharacter('🔑🔑🔑🔑🔑🔑🔑🔑'), true);
  assert.equal(isOneCharacter('aaaaaaab'), false);
});
