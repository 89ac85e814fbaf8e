import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router } from './router.js';

const router = new Router([
  { method: 'GET', path: '/ping', handler: 'ping' },
  { method: 'GET', path: '/tasks', handler: 'list' },
  { method: 'POST', path: '/tasks', handler: 'create' },
  { method: 'GET', path: '/task/:id', handler: 'view' },
  { method: 'PUT', path: '/task/:id/host/:host/action', handler: 'act' },
]);

function handlerOf(method: string, path: string): string {
  const match = router.match(method, path);
  return match.kind === 'found' ? match.route.handler : match.kind;
}

test('a route is found by method and path, its parameters decoded', () => {
  assert.equal(handlerOf('POST', '/tasks'), 'create');
  const match = router.match('PUT', '/task/7/host/web%2001%2Fa/action');
  assert.deepEqual(match.kind === 'found' && match.params, { id: '7', host: 'web 01/a' });
});

test('another method, an unknown path and an empty segment match nothing', () => {
  for (const [method, path] of [
    ['DELETE', '/tasks'],
    ['get', '/tasks'],
    ['GET', '/'],
    ['GET', '//ping'],
    ['GET', '/task/'],
    ['GET', '/task//'],
    ['GET', '/task/7/more'],
    ['GET', '/ping//'],
    ['GET', '/task/%zz'],
  ] as const) {
    assert.equal(handlerOf(method, path), 'none', `${method} ${path}`);
  }
});

test('dot segments are not folded and match no parameter', () => {
  for (const path of ['/task/../tasks', '/task/..', '/task/.', '/task/%2e%2e', '/task/%2E', '/./tasks']) {
    assert.equal(handlerOf('GET', path), 'none', path);
  }
});

test('a trailing slash is told apart only where the path without it exists', () => {
  assert.deepEqual(router.match('GET', '/task/7/'), { kind: 'slash', path: '/task/7' });
  assert.equal(handlerOf('PUT', '/task/7/'), 'none');
});
