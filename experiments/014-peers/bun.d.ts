/** The part of Bun that bun-uwebsockets.ts uses. The project depends neither on Bun nor on its types. */
declare namespace Bun {
  type Server<Data> = {
    port: number;
    upgrade(request: Request, options: { data: Data }): boolean;
    publish(topic: string, text: string): number;
  };
  type Session<Data> = {
    data: Data;
    subscribe(topic: string): void;
    close(code: number, reason: string): void;
  };
  function serve<Data>(options: {
    hostname: string | undefined;
    port: string | undefined;
    fetch(request: Request, server: Server<Data>): Response | undefined;
    websocket: {
      open(session: Session<Data>): void;
      message(session: Session<Data>, frame: string | Uint8Array): void;
    };
  }): Server<Data>;
}
