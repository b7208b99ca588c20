// The hotel's data, under each guest's `sub`.
const ROOMS = ['Harbour', 'Orchard', 'Lighthouse', 'Meadow', 'Station'];
const reservations = new Map();

/** The reservations of one guest; a new guest gets one, so that there is something to see. */
export function reservationsOf(sub) {
  if (!reservations.has(sub)) {
    const room = `${ROOMS[reservations.size % ROOMS.length]} room`;
    reservations.set(sub, [{ room, arrival: '2027-03-12' }]);
  }
  return reservations.get(sub);
}
