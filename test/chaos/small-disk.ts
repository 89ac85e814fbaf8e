import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE_MIB = 64;

/** A file system of 64 MiB in memory, to be filled to its last byte. */
export class SmallDisk implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Undefined where this process may not mount. */
  static mount(path: string): SmallDisk | undefined {
    mkdirSync(path, { recursive: true });
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', path]);
    return status === 0 ? new SmallDisk(path) : undefined;
  }

  fill(): void {
    const fd = openSync(join(this.path, 'ballast'), 'w');
    try {
      for (const bytes of [1 << 20, 1 << 12, 1]) {
        const piece = Buffer.alloc(bytes);
        while (takes(fd, piece));
      }
    } finally {
      closeSync(fd);
    }
  }

  free(): void {
    rmSync(join(this.path, 'ballast'), { force: true });
  }

  [Symbol.dispose](): void {
    // Lazily: somebody may still be on his way out of it.
    spawnSync('umount', ['-l', this.path]);
  }
}

function takes(fd: number, piece: Buffer): boolean {
  try {
    return writeSync(fd, piece) === piece.length;
  } catch {
    return false;
  }
}
