/**
 * One order for all, over workers: each worker tells in which order its part of a room received, and all of
 * them must agree. The first worker that has a message sets its place. Exact where nothing is lost: then each
 * order is the beginning of the same one.
 */
export class RoomOrders {
  readonly #rooms = new Map<number, RoomOrder>();
  readonly #workers: number;

  constructor(workers: number) {
    this.#workers = workers;
  }

  /**
   * The messages that a worker received next in a room; the number of one of the warm-up is inverted. Returns
   * how many measured messages came after one that another worker received later.
   */
  add(worker: number, room: number, numbers: Int32Array): number {
    let order = this.#rooms.get(room);
    if (order === undefined) {
      order = { places: new Int32Array(1024).fill(-1), next: 0, heard: new Int32Array(this.#workers) };
      this.#rooms.set(room, order);
    }
    let disordered = 0;
    for (const number of numbers) {
      const place = placeOf(order, number < 0 ? ~number : number);
      if (place >= order.heard[worker]!) order.heard[worker] = place + 1;
      else if (number >= 0) disordered++;
    }
    return disordered;
  }
}

/** By message number: its place, −1 if it has none. By worker: one more than its last place. */
type RoomOrder = { places: Int32Array; next: number; heard: Int32Array };

function placeOf(order: RoomOrder, number: number): number {
  if (number >= order.places.length) {
    const places = new Int32Array(Math.max(number + 1, order.places.length * 2)).fill(-1);
    places.set(order.places);
    order.places = places;
  }
  if (order.places[number] === -1) order.places[number] = order.next++;
  return order.places[number]!;
}
