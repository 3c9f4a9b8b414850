// A relay between browser and portal that can be interrupted. Chromium's own "offline" leaves running
// streams alone, so this destroys all sockets and refuses new ones.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A relay on a port of its own. Reading works through it; posts are rejected, since its origin is not the portal's. */
export class Wire {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private readonly server = createServer(near => this.relay(near));

  private constructor(private readonly target: number) {}

  /** Starts a relay to the portal at port `target` on this machine. */
  static async to(target: number): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>(resolve => wire.server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  /** The portal's address through this relay. */
  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Destroys every connection and refuses new ones. */
  cut() {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Lets connections through again. */
  mend() {
    this.isCut = false;
  }

  /** Stops the relay. */
  remove() {
    this.cut();
    this.server.close();
  }

  private relay(near: Socket) {
    if (this.isCut) {
      near.destroy();
      return;
    }
    const far = connect(this.target, '127.0.0.1');
    for (const [from, to] of [[near, far], [far, near]]) {
      this.sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
