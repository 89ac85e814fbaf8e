import { after, before, test } from 'node:test';
import { World } from './world.ts';

/** Tests of one file that share a world; what its processes logged is printed where one of them fails. */
export function systemTests(
  hosts: readonly string[],
  define: (check: (name: string, run: (world: World) => Promise<void>) => void) => void,
): void {
  let world: World | undefined;
  before(async () => {
    world = await World.open(...hosts);
  });
  after(async () => {
    await world?.close();
  });
  define((name, run) => {
    test(name, async () => {
      if (!world) throw new Error('no world');
      try {
        await run(world);
      } catch (error) {
        console.error(world.logs());
        throw error;
      }
    });
  });
}
