// The ready places for what a client holds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browserStorage, memoryStorage } from './storage.ts';

function webStorage() {
  const held = new Map<string, string>();
  return {
    held,
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, text: string) => void held.set(key, text),
    removeItem: (key: string) => void held.delete(key),
  };
}

test('each place gives back what was written last, and nothing after it was cleared', async () => {
  for (const storage of [memoryStorage(), browserStorage('key', webStorage())]) {
    assert.equal(await storage.read(), null);
    await storage.write('a');
    await storage.write('b');
    assert.equal(await storage.read(), 'b');
    await storage.clear();
    assert.equal(await storage.read(), null);
  }
});

test('clients in memory have a lock each, those of one key share it', () => {
  assert.notEqual(memoryStorage().name, memoryStorage().name);
  assert.equal(browserStorage('a', webStorage()).name, browserStorage('a', webStorage()).name);
});

test('nothing but its own key is touched in a web storage', async () => {
  const place = webStorage();
  place.setItem('other', 'x');
  const storage = browserStorage('mine', place);
  await storage.write('y');
  await storage.clear();
  assert.deepEqual([...place.held], [['other', 'x']]);
});
