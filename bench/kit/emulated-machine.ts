/** Where an emulated agent runs and what it dials. */
export interface EmulatedMachine {
  readonly host: string;
  /** its own address, as every machine has one */
  readonly address: string;
  /** of the server, on 127.0.0.1 */
  readonly port: number;
  readonly intervalMs: number;
}

/**
 * The address of the machine with this number, below 2^16, on the loopback interface. With one address for all of them
 * their ports would be nearly used up, and the search for a free one would take the kernel 75 µs a connection
 * (measured with 15,000; 30 with addresses of their own), which no fleet has to pay.
 */
export function machineAddress(number: number): string {
  return `127.1.${number >> 8}.${number & 0xff}`;
}
