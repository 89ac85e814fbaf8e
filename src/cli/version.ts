import { ibexVersion } from '../shared/version.js';

export async function main(): Promise<number> {
  console.log(ibexVersion());
  return 0;
}
