/**
 * The elements' words for people, by language. English is complete; a text that another language
 * lacks is shown in English. `{name}` is replaced by a value.
 */
import { de } from './german.js';

const en = {
  'start.title': 'Sign in',
  'start.go': 'Continue',
  'start.password': 'Use a password',
  'start.register': 'Create an account',
  'code.title': 'Check your mail',
  'code.hint': 'We have sent a code to {destination}, if this address can sign in by code.',
  'code.go': 'Sign in',
  'code.again': 'Send another code',
  'code.againIn': 'Another code in {time}',
  'code.sent': 'Another code is on its way. The one before works too.',
  'code.other': 'Use another address',
  'password.title': 'Sign in with your password',
  'password.go': 'Sign in',
  'password.code': 'Email me a code instead',
  'password.forgot': 'Forgot password?',
  'passkey.use': 'Use a passkey',
  'passkey.go': 'Sign in with a passkey',
  'passkey.code': 'Use a code instead',
  'offer.title': 'Sign in faster next time',
  'offer.hint': 'With a passkey, this device signs you in by its screen lock: no code, no password.',
  'offer.go': 'Create a passkey',
  'offer.later': 'Not now',
  'proof.hint': 'First show that it is you.',
  'proof.mail': 'Email me a code',
  'proof.mailed': 'Code from the mail',
  'proof.password': 'Use the password',
  'proof.sent': 'A code is on its way to your mailbox.',
  'proof.present': 'Code of the authenticator, or a backup code',
  'factor.title': 'One more step',
  'factor.hint': 'Enter the code that your authenticator app shows.',
  'factor.go': 'Confirm',
  'factor.backup': 'Use a backup code',
  'factor.app': 'Use the authenticator app',
  'factor.backupHint': 'Enter one of the backup codes that you have kept. It works once.',
  'factor.mailHint': 'Enter the code from the mail that we have sent you.',
  'factor.remember': 'Do not ask again in this browser for {time}',
  'codes.left': '{count} backup codes left.',
  'codes.one': 'One backup code left.',
  'codes.none': 'No backup code left.',
  'codes.few': 'For new ones, turn the authenticator off and set it up again.',
  'setUp.title': 'Protect your account',
  'setUp.hint': 'This account needs a second step at every sign-in. Set one up to go on.',
  'setUp.app': 'Use an authenticator app',
  'setUp.passkey': 'Use a passkey',
  'setUp.unverified': 'This passkey has not checked that it is you. Use one that asks for a PIN or a fingerprint.',
  'authenticator.title': 'Authenticator app',
  'authenticator.scan': 'Scan this with your authenticator app, or enter the key by hand. Then type the code that it shows.',
  'authenticator.key': 'Key',
  'authenticator.turnOn': 'Turn on',
  'authenticator.isOn': 'The authenticator is on.',
  'authenticator.keep': 'Keep these backup codes where you find them without this phone. Each works once, and they are shown only now.',
  'authenticator.copy': 'Copy',
  'authenticator.copied': 'Copied.',
  'authenticator.notCopied': 'This browser has not copied them. Select them and copy them yourself, or write them down.',
  'authenticator.kept': 'I have kept them',
  'register.title': 'Create an account',
  'register.go': 'Create account',
  'register.have': 'I have an account',
  'confirm.title': 'Confirm your address',
  'confirm.hint': 'We have sent a code to {destination}.',
  'confirm.go': 'Confirm',
  'recover.title': 'Set a new password',
  'recover.hint': 'We send a code to your address, if it has an account.',
  'recover.go': 'Send the code',
  'reset.title': 'Set a new password',
  'reset.hint': 'Enter the code from the mail, and the password that you want.',
  'reset.go': 'Set password',
  'reset.done': 'Your password is set. Sign in with it now.',
  'new.title': 'Choose a new password',
  'new.hint': 'This account needs a new password before you can go on.',
  'new.go': 'Set password',
  'wait.title': 'A short wait',
  'wait.until': 'There were too many attempts. You can try again in {time}.',
  'wait.work': 'Too many attempts came for this address. Your browser is proving that you are a person: this takes a few seconds.',
  'wait.other': 'Use another way',
  'done.title': 'You are signed in',
  'done.as': 'as {email}',
  'ended.deleted': 'Your account is being deleted.',
  back: 'Back',
  busy: 'One moment',
  ended: 'The time for this code is over.',
  timeLeft: 'The code works for another {time}.',
  'label.email': 'Email address',
  'label.code': 'Code',
  'label.password': 'Password',
  'label.newPassword': 'New password',
  'label.name': 'Name (if you like)',
  'label.backupCode': 'Backup code',
  show: 'Show the password',
  hide: 'Hide the password',
  rule: 'At least 12 characters. A few words of your own are best.',
  'proof.wrong': 'That is not right. Please check what you have entered.',
  'problem.VALIDATION_FAILED': 'Please look at what is marked.',
  'problem.INVALID_OTP': 'This code is not right. Look at the newest mail and try again.',
  'problem.INVALID_OTP.left': 'This code is not right. You can try {count} more times.',
  'problem.INVALID_OTP.last': 'This code is not right. You can try once more.',
  'problem.INVALID_CREDENTIALS': 'Address or password is not right. If you have not confirmed your address yet, use a code by mail.',
  'password.wrong': 'Address or password is not right.',
  'problem.INVALID_SESSION': 'This sign-in has ended. Please begin again.',
  'problem.SESSION_EXPIRED': 'This took too long. Please begin again.',
  'problem.OTP_EXPIRED': 'This code has ended. Please ask for another one.',
  'problem.MAX_ATTEMPTS_EXCEEDED': 'That was the last attempt with this code. Please ask for a new one.',
  'problem.RATE_LIMITED': 'There were too many attempts. You can try again in {time}.',
  'problem.EMAIL_EXISTS': 'This address has an account. Sign in with it.',
  'problem.SIGN_IN_COMPLETED': 'You have signed in with this code already.',
  'problem.EMAIL_DELIVERY_FAILED': 'We could not send a mail to this address. Please check it.',
  'problem.PASSKEY_REQUIRED': 'Your second step is a passkey. Please continue with it.',
  'problem.REFUSED': 'This passkey does not sign in here any more. Please use another way.',
  'problem.NOT_ALLOWED': 'No passkey was used. Try again, or use another way.',
  'problem.CANCELLED': 'No passkey was used. Try again, or use another way.',
  'problem.ALREADY_REGISTERED': 'This device has a passkey of your account already.',
  'problem.UNSUPPORTED': 'This browser or device has no passkeys here.',
  'problem.WRONG_SITE': 'Passkeys do not work at this address of the site.',
  'problem.FAILED': 'The device gave no passkey. Try again, or use another way.',
  'problem.USER_MISMATCH': 'This account needs the help of its operator.',
  'problem.AUTH_REQUIRED': 'You are signed out. Please sign in again.',
  'problem.NO_SESSION': 'You are signed out. Please sign in again.',
  'problem.REFRESH_REFUSED': 'Your session has ended. Please sign in again.',
  'problem.INVALID_REFRESH_TOKEN': 'Your session has ended. Please sign in again.',
  'problem.SERVICE_UNAVAILABLE': 'This does not work right now. Please try again in a moment.',
  'problem.UNREACHABLE': 'There is no connection. Please check it and try again.',
  'problem.REFRESH_FAILED': 'There is no connection. Please check it and try again.',
  'problem.SIGN_OUT_FAILED': 'You are still signed in, because the service did not answer. Please try again.',
  'problem.TIMEOUT': 'This takes too long. Please try again.',
  problem: 'Something went wrong. Please try again.',
  'problem.request': 'Request {requestId}',
  'field.required': 'Please fill this in.',
  'field.email': 'This is no email address.',
  'field.code': 'A code has 6 to 8 digits.',
  'field.too_short': 'At least 12 characters.',
  'field.too_long': 'At most 256 characters.',
  'field.space_at_an_end': 'No space at the beginning or the end.',
  'field.control_character': 'This has a character that cannot be seen.',
  'field.the_email': 'Your address is too easy to guess.',
  'field.common': 'This password is too common.',
  field: 'This does not fit.',
};

/** With so few backup codes left, a person is warned. */
export const FEW_CODES = 2;

export const TEXTS = { en, de };

/** Speaks a language by tables of words, with the page's own words if it has some. */
export function speaker(language, tables, own = {}) {
  const spoken = String(language).toLowerCase().split('-')[0];
  const words = Object.assign({}, ...tables.map((table) => table.en), ...tables.map((table) => table[spoken]), own);
  const say = (key, values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? values[name] : whole));
  return {
    say,
    has: (key) => Object.hasOwn(words, key),
    codesLeft: (count) =>
      [say(['codes.none', 'codes.one'][count] ?? 'codes.left', { count }), ...(count > FEW_CODES ? [] : [say('codes.few')])].join(' '),
    time: (seconds) => inWords(language, seconds),
    date: (instant) => inFull(language, new Date(instant)),
    country: (code) => countryIn(language, code),
  };
}

/** Seconds up to a minute and a half, then minutes, hours, days: as a person says them. */
function inWords(language, seconds) {
  const [amount, unit] =
    seconds < 90 ? [Math.max(1, Math.ceil(seconds)), 'second']
    : seconds < 5_400 ? [Math.ceil(seconds / 60), 'minute']
    : seconds < 129_600 ? [Math.ceil(seconds / 3_600), 'hour']
    : [Math.ceil(seconds / 86_400), 'day'];
  try {
    return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
  } catch {
    return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
  }
}

function inFull(language, date) {
  const options = { dateStyle: 'medium', timeStyle: 'short' };
  try {
    return new Intl.DateTimeFormat(language, options).format(date);
  } catch {
    return new Intl.DateTimeFormat('en', options).format(date);
  }
}

function countryIn(language, code) {
  try {
    return new Intl.DisplayNames(language, { type: 'region' }).of(code);
  } catch {
    return code;
  }
}
