/** The steps that set up an authenticator app. A sign-in loads them only if it needs one. */
import { drawing, field, form, make } from './parts.js';

/** The secret, as a QR code and a key, and the code that proves that the app has it. */
export function scanSecret(element, { secret, qrSvg, turnOn, ways }) {
  const { voice } = element;
  const code = field(voice, 'code');
  const { node } = form(voice, { fields: [code], go: 'authenticator.turnOn', onSubmit: (input) => turnOn(input.code, code) });
  element.show({
    title: 'authenticator.title',
    hint: voice.say('authenticator.scan'),
    content: [
      drawing(qrSvg, voice.say('authenticator.scan')),
      make('p', {}, `${voice.say('authenticator.key')}: `, make('code', { part: 'key' }, secret.match(/.{1,4}/g).join(' '))),
      node,
    ],
    focus: code.input,
    ways,
  });
}

/** The backup codes, which are shown this once: nothing else replaces them. */
export function keepBackupCodes(element, { codes, done }) {
  const { voice } = element;
  const button = (say, part, onclick) => make('button', { type: 'button', class: part, part, onclick }, voice.say(say));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(codes.join('\n'));
      element.tell(voice.say('authenticator.copied'), { good: true });
    } catch {
      element.tell(voice.say('authenticator.notCopied'));
    }
  };
  const kept = () => {
    element.tell('');
    element.letGo(done);
  };
  element.keep({
    title: 'authenticator.isOn',
    hint: voice.say('authenticator.keep'),
    content: [
      make('ul', { class: 'codes', part: 'codes' }, ...codes.map((code) => make('li', {}, code))),
      make('div', { class: 'ways' }, button('authenticator.copy', 'quiet', copy), button('authenticator.kept', 'primary', kept)),
    ],
  });
}
