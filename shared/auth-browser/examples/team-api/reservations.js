// The team's data. Each guest's is kept under the token's `sub`, which never changes and is never
// reused; an email address can change and be reused.
const ROOMS = ['Harbour', 'Orchard', 'Lighthouse', 'Meadow', 'Station'];
const reservations = new Map();

/** The reservations of one guest; a new guest gets one, so that there is something to see. */
export function reservationsOf(sub) {
  if (!reservations.has(sub)) {
    const room = ROOMS[reservations.size % ROOMS.length];
    reservations.set(sub, [{ room: `${room} room`, arrival: '2027-03-12', nights: 2 }]);
  }
  return reservations.get(sub);
}
