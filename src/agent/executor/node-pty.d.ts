/**
 * The part of node-pty's Unix terminal that is used here. Its own declaration names another module (the prebuilt
 * package's), and leaves out the descriptor, the terminal's name and the 'close' event, which are public in its source.
 */
declare module 'node-pty' {
  export interface UnixTerminal {
    readonly pid: number;
    /** controlling side */
    readonly fd: number;
    /** path of the other side, e.g. /dev/pts/7 */
    readonly ptsName: string;
    /** bytes, with `encoding: null` */
    onData(listener: (data: Uint8Array) => void): void;
    onExit(listener: (exit: { readonly exitCode: number; readonly signal?: number }) => void): void;
    on(event: 'close', listener: () => void): void;
  }

  interface SpawnOptions {
    readonly name: string;
    readonly cwd: string;
    readonly env: Record<string, string>;
    readonly encoding: null;
  }

  const pty: {
    spawn(file: string, args: string[], options: SpawnOptions): UnixTerminal;
  };
  export default pty;
}
