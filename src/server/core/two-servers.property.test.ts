import { it } from 'node:test';
import * as fc from 'fast-check';
import { HOSTS, SERVERS, World, type Asked, type Move } from './testing/two-servers.js';

const server = fc.constantFrom(...SERVERS);
const host = fc.constantFrom(...HOSTS);
const asked: fc.Arbitrary<Asked> = fc.oneof(
  fc.record({
    kind: fc.constant('act' as const),
    action: fc.constantFrom('start' as const, 'start' as const, 'pause' as const, 'cancel' as const, 'kill' as const),
  }),
  fc.record({
    kind: fc.constant('act-on' as const),
    host,
    action: fc.constantFrom('ignore' as const, 'redo' as const, 'kill' as const),
  }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('result' as const), host, older: fc.nat(1) }) },
  fc.record({ kind: fc.constant('list' as const), host }),
  fc.record({ kind: fc.constant('refresh' as const) }),
);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), server, asked }) },
  fc.record({ kind: fc.constant('wait' as const), server, ms: fc.nat(60_000) }),
  fc.record({
    kind: fc.constant('stop' as const),
    server,
    asked: fc.option(asked, { nil: undefined }),
    committed: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('reach' as const), agents: fc.boolean(), others: fc.boolean() }),
  fc.record({ kind: fc.constant('go on' as const), server, commits: fc.boolean() }),
  fc.record({ kind: fc.constant('take over' as const), server }),
);

it('two servers that both believe they have a task start no host twice, whatever they do in whatever order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 }),
      fc.boolean(),
      fc.array(move, { maxLength: 40, size: 'max' }),
      (batch, agents, moves) => {
        const world = new World(batch, agents);
        for (const next of moves) world.play(next);
        world.finish();
      },
    ),
    { numRuns: 6_000 },
  );
});
