import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and cuts their connection where the test wants it. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: { readonly text: string; readonly where: 'question' | 'answer' } | undefined;
  #cuts = 0;
  #questions = 0;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => this.#join(client, connect(target.port, target.host)));
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** How often a connection was cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** How often a client has sent something; a long text may count more than once. */
  get questions(): number {
    return this.#questions;
  }

  /** Cuts once: the next time the client sends this text, before the server sees it, or before its answer comes back. */
  cutAt(text: string, where: 'question' | 'answer'): void {
    this.#cut = { text, where };
  }

  /** Ends every connection. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    let answersLost = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (data) => {
      this.#questions += 1;
      const cut = this.#cut;
      if (cut && data.includes(cut.text)) {
        this.#cut = undefined;
        this.#cuts += 1;
        if (cut.where === 'question') {
          client.destroy();
          return;
        }
        answersLost = true;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (answersLost) client.destroy();
      else client.write(data);
    });
  }
}
