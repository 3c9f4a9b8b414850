// A wire between browser and portal that can be cut and mended. Chromium's own "offline" leaves running
// streams alone, so the connection is really lost: all sockets are destroyed and new ones refused.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A relay on a port of its own; reading works through it, while posts need the portal's own origin. */
export class Wire {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private readonly server = createServer(near => this.relay(near));

  private constructor(private readonly target: number) {}

  /** Lays a wire to the portal at `target` on this machine. */
  static async to(target: number): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>(resolve => wire.server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  /** Where the portal is reached through this wire. */
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

  /** Ends it for good. */
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
