/**
 * A device's notes about passkeys, in `localStorage`, also after a sign-out: the addresses with a
 * passkey here, since the API asks for the address before a passkey, and the people who were
 * offered one already.
 */
const KEY = 'latchkey.passkeys';

/** A device shared by many people forgets those who were asked long ago. */
const MOST_OFFERED = 16;

/** The address that has a passkey here, or null. */
export const addressOnDevice = () => read().email;

export const remember = (email) => void write({ ...read(), email });

export const forget = () => void write({ ...read(), email: null });

export const wasOffered = (sub) => read().offered.includes(sub);

/**
 * Returns whether it is stored: with storage forbidden, a person would be asked again and again.
 */
export function noteOffer(sub) {
  const known = read();
  return write({ ...known, offered: [...known.offered, sub].slice(-MOST_OFFERED) });
}

function read() {
  try {
    const { email, offered } = JSON.parse(localStorage.getItem(KEY));
    return {
      email: typeof email === 'string' ? email : null,
      offered: Array.isArray(offered) ? offered.filter((sub) => typeof sub === 'string') : [],
    };
  } catch {
    return { email: null, offered: [] };
  }
}

function write(known) {
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
    return true;
  } catch {
    return false;
  }
}
