import { EmulatedAgent } from './emulated-agent.js';
import { EmulatedLegacyAgent } from './emulated-legacy-agent.js';
import { machineAddress } from './emulated-machine.js';

/**
 * A process of emulated agents: `node emulator-main.js PORT COUNT INTERVAL_MS [legacy]`. Hosts are called emu-0, emu-1
 * and so on. Tells its parent ten times a second how many are ready and how many assignments and acknowledgements there
 * were.
 */
const [port = 0, count = 0, intervalMs = 1_000] = process.argv.slice(2).map(Number);
const Kind = process.argv[5] === 'legacy' ? EmulatedLegacyAgent : EmulatedAgent;
const tally = { ready: 0, assigned: 0, acknowledged: 0 };
// While a server is away every dial ends in an error, whose stack takes longer than the dial and is read by nobody.
Error.stackTraceLimit = 0;

/** Agents that dial at the same moment at the start; those of a whole fleet don't. */
const DIALS_PER_TURN = 50;

const agents = Array.from(
  { length: count },
  (_, number) =>
    new Kind(
      { host: `emu-${number}`, address: machineAddress(number), port, intervalMs },
      {
        onReady: () => tally.ready++,
        onLost: () => tally.ready--,
        onAssigned: () => tally.assigned++,
        onAcknowledged: () => tally.acknowledged++,
      },
    ),
);
let dialled = 0;
const dialling = setInterval(() => {
  for (const agent of agents.slice(dialled, dialled + DIALS_PER_TURN)) agent.dial();
  dialled += DIALS_PER_TURN;
  if (dialled >= count) clearInterval(dialling);
}, 5);
setInterval(() => process.send?.(tally), 100);
process.on('disconnect', () => process.exit(0));
