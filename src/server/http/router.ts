export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Route<H> {
  readonly method: Method;
  /** segments; one that begins with a colon stands for any text and is handed on under that name */
  readonly path: string;
  readonly handler: H;
}

export type Match<H> =
  | { readonly kind: 'found'; readonly route: Route<H>; readonly params: Readonly<Record<string, string>> }
  /** the path exists without its trailing slash */
  | { readonly kind: 'slash'; readonly path: string }
  | { readonly kind: 'none' };

interface Node<H> {
  readonly literal: Map<string, Node<H>>;
  param: { readonly name: string; readonly node: Node<H> } | undefined;
  readonly routes: Map<string, Route<H>>;
}

/**
 * Finds the route of a request by the path as it was sent. Dot segments are never folded, written out or encoded:
 * a proxy in front may show only a part of the API to its users and passes `..` on.
 */
export class Router<H> {
  readonly #root: Node<H> = emptyNode();

  constructor(routes: readonly Route<H>[]) {
    for (const route of routes) this.#add(route);
  }

  match(method: string, rawPath: string): Match<H> {
    const found = this.#find(method, rawPath);
    if (found) return found;
    if (rawPath.length > 1 && rawPath.endsWith('/')) {
      const path = rawPath.slice(0, -1);
      if (this.#find(method, path)) return { kind: 'slash', path };
    }
    return { kind: 'none' };
  }

  #find(method: string, rawPath: string): Match<H> | undefined {
    const segments = rawPath.split('/').slice(1);
    const params: Record<string, string> = {};
    let node = this.#root;
    for (const segment of segments) {
      const literal = node.literal.get(segment);
      if (literal) {
        node = literal;
        continue;
      }
      const value = decode(segment);
      if (!node.param || value === undefined) return undefined;
      params[node.param.name] = value;
      node = node.param.node;
    }
    const route = node.routes.get(method);
    return route && { kind: 'found', route, params };
  }

  #add(route: Route<H>): void {
    let node = this.#root;
    for (const segment of route.path.split('/').slice(1)) {
      node = segment.startsWith(':') ? paramNode(node, segment.slice(1)) : literalNode(node, segment);
    }
    node.routes.set(route.method, route);
  }
}

function emptyNode<H>(): Node<H> {
  return { literal: new Map(), param: undefined, routes: new Map() };
}

function literalNode<H>(parent: Node<H>, segment: string): Node<H> {
  const node = parent.literal.get(segment) ?? emptyNode<H>();
  parent.literal.set(segment, node);
  return node;
}

function paramNode<H>(parent: Node<H>, name: string): Node<H> {
  parent.param ??= { name, node: emptyNode<H>() };
  return parent.param.node;
}

/** The text of a segment, or undefined where it is empty, a dot segment or badly encoded. */
function decode(segment: string): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    return undefined;
  }
  return text === '' || text === '.' || text === '..' ? undefined : text;
}
