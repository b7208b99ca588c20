/**
 * `<latchkey-sign-in>`: a sign-in as a conversation, one question at a time.
 *
 * Attributes: `api-url`, `token-delivery` (`body` or `cookie`), `email`, `ways` (of `code password
 * passkey register`, all when absent; the first is offered first, unless this device has a
 * passkey). Properties: `client`, `texts`. Events: `latchkey-signed-in` with the session as
 * `detail`, at the end of the conversation; `latchkey-step` with the step's name.
 */
import { LatchkeyElement, define, endings, spent } from './base.js';
import { addressOnDevice } from './device.js';
import { field, form, isOff, make, markFields, missing, withWork } from './parts.js';
import { FEW_CODES } from './texts.js';

/** Loaded by browsers that have passkeys, if the page uses them. */
const passkeySteps = () => import('./passkey-steps.js');

/** Loaded if a sign-in waits for an authenticator. */
const authenticatorSteps = () => import('./authenticator-steps.js');

const STATE_KEY = 'latchkey.sign-in';

/** These can only begin anew. */
const DEAD = new Set(['INVALID_SESSION', 'SESSION_EXPIRED', 'SIGN_IN_COMPLETED', 'MAX_ATTEMPTS_EXCEEDED', 'OTP_EXPIRED']);

/** At these steps the person is signed in already. */
const SIGNED_IN = new Set(['codes', 'offer', 'done']);

export class LatchkeySignIn extends LatchkeyElement {
  #email = '';
  #name = '';
  /** The sign-in under way: its token, which step it is at, and until when. */
  #attempt = null;
  /** The right password of this sign-in, as a proof for the offered passkey. */
  #proved;
  /** Ends the browser's offer of a passkey in the address's input. */
  #autofill = null;
  /** How many answers are awaited: a session that one of them brings is this element's own. */
  #asking = 0;
  #stop = null;
  #at = '';
  /** Who has signed in, by the name in Cognito. */
  #person = null;

  start() {
    this.#stop ??= this.client.onSessionChange((change) => this.#heard(change));
    this.#email = this.#email || this.getAttribute('email') || '';
    const session = this.client.loadSession();
    if (session !== null) return this.#done(session);
    const { hasShown } = this;
    this.#resumed();
    // A page that has just been loaded keeps its focus, also when the cookie has a session.
    this.hasShown = hasShown;
    return void this.search();
  }

  /** Where a reload has left the conversation, or its beginning. */
  #resumed() {
    const kept = this.#restore();
    if (kept !== null) {
      this.#email = kept.email;
      this.#attempt = kept;
      if (kept.step === 'factor') return this.#factor();
      if (kept.step === 'set-up') return this.#setUp();
      if (kept.step === 'confirm') return this.#confirm();
      if (kept.step === 'code') return this.#code();
    }
    return this.#begun();
  }

  async #heard({ session, reason }) {
    const wasIn = SIGNED_IN.has(this.#at);
    if (reason === 'refreshed') return;
    if (session !== null) {
      // Signed in elsewhere on this page: by an agent's stream, say.
      const isKnown = wasIn && this.#person === session.cognitoSub;
      if (!isKnown && this.#asking === 0) this.unlessKept(() => this.#goOn());
      return;
    }
    if (wasIn) this.noteEnd({ session, reason });
    // In cookie mode a sign-in in another tab is one here.
    await (reason === 'elsewhere' ? this.search(true) : null);
    // The others have heard of it by now, and the account has let go of the focus.
    if (wasIn && SIGNED_IN.has(this.#at) && this.isConnected && this.client.loadSession() === null) this.#begun();
  }

  /** The first step, which says why it is there if a session has ended. */
  #begun() {
    const why = endings.get(this.client);
    this.#first();
    if (why === undefined) return;
    this.tell(this.voice.say(why), { good: why === 'ended.deleted' });
    endings.set(this.client, why);
  }

  /** Whatever is said now is newer than the end of a session. */
  tell(text, options) {
    endings.delete(this.client);
    super.tell(text, options);
  }

  stop() {
    this.#stop?.();
    this.#stop = null;
    this.#autofill?.abort();
  }

  get #ways() {
    return (this.getAttribute('ways') ?? 'code password passkey register').split(/\s+/);
  }

  get #hasPasskeys() {
    return this.#has('passkey') && globalThis.PublicKeyCredential !== undefined;
  }

  #has(way) {
    return this.#ways.includes(way);
  }

  #first() {
    if (this.#hasPasskeys && addressOnDevice() !== null) this.#start();
    else if (this.#ways[0] === 'register') this.#register();
    else this.#signIn();
  }

  /** The first of the ways that sign in here. */
  get #wayIn() {
    return this.#ways.find((way) => way === 'code' || way === 'password' || (way === 'passkey' && this.#hasPasskeys));
  }

  #signIn() {
    if (this.#wayIn === 'password') this.#password();
    else if (this.#wayIn === undefined && this.#has('register')) this.#register();
    else this.#start();
  }

  #step(name, view) {
    this.#autofill?.abort();
    this.#at = name;
    this.dispatch('latchkey-step', name);
    this.setAttribute('data-step', name);
    this.show(view);
  }

  #way(say, go) {
    return { say, onclick: () => (this.tell(''), go()) };
  }

  #address() {
    return field(this.voice, 'email', { value: this.#email });
  }

  /**
   * Asks for the address. On a device with a passkey, and where no code is mailed, the passkey is
   * the first way.
   */
  #start() {
    if (!this.#has('code') && !this.#hasPasskeys && this.#has('password')) return this.#password();
    this.#forget();
    const known = this.#hasPasskeys ? addressOnDevice() : null;
    this.#email ||= known ?? '';
    const isKnown = known !== null && known === this.#email;
    const byPasskey = isKnown || !this.#has('code');
    const email = this.#address();
    const { node } = form(this.voice, {
      fields: [email],
      go: byPasskey ? 'passkey.go' : 'start.go',
      onSubmit: (input) => (byPasskey ? this.#passkey(input.email, [email]) : this.#mail(input.email, [email])),
    });
    this.#step('start', {
      title: 'start.title',
      content: [node],
      focus: email.input,
      ways: [
        isKnown && this.#has('code') && this.#wayFor(email, 'passkey.code', (address) => this.#mail(address, [email])),
        this.#has('password') && this.#way('start.password', () => (this.#keep(email), this.#password())),
        !byPasskey && this.#byPasskey(email),
        this.#toRegister(email),
      ],
    });
    if (isKnown) this.#offerInInput(email.input);
    return undefined;
  }

  #byPasskey(email) {
    return this.#hasPasskeys && this.#wayFor(email, 'passkey.use', (address) => this.#passkey(address, [email]));
  }

  #toRegister(email) {
    return this.#has('register') && this.#way('start.register', () => (this.#keep(email), this.#register()));
  }

  /** A way that wants the address first. */
  #wayFor(email, say, go) {
    return this.#way(say, () => {
      const wrong = missing(email);
      if (wrong === null) return this.#asking > 0 ? undefined : go(email.input.value.trim());
      email.wrong(this.voice.say(wrong));
      return email.input.focus();
    });
  }

  async #passkey(address, fields) {
    this.#email = address;
    this.#autofill?.abort();
    const call = async () => (await passkeySteps()).signIn(this.client, { email: address });
    const answer = await this.#ask(fields, call, () => this.#start());
    if (answer) await this.#answered(answer, { byPasskey: true });
  }

  /** The browser offers the device's passkey in the input, as long as the input has its address. */
  async #offerInInput(input) {
    const { signal } = (this.#autofill = new AbortController());
    const stop = this.#autofill;
    input.autocomplete = 'username webauthn';
    input.addEventListener('input', () => stop.abort(), { once: true });
    let isChosen = false;
    const onChosen = () => {
      isChosen = true;
      this.#asking += 1;
    };
    try {
      const { signInByAutofill } = await passkeySteps();
      const answer = await signInByAutofill(this.client, { email: this.#email, signal, onChosen });
      if (answer !== null) await this.#answered(answer, { byPasskey: true });
    } catch (problem) {
      if (!signal.aborted) this.#failed(problem, [], () => this.#start());
    } finally {
      if (isChosen) this.#asking -= 1;
    }
  }

  /** The typed text survives a change to another way. */
  #keep(email) {
    this.#email = email.input.value.trim();
  }

  async #mail(address, fields) {
    this.#email = address;
    const sent = await this.#ask(fields, (more) => this.client.initiateOtp({ email: address, ...more }), () => this.#start());
    if (sent) this.#begin('code', sent);
  }

  /** A code is on its way: remembers the attempt, and asks for the code. */
  #begin(step, { sessionToken, expiresIn = 300, resendAfter = 30, delivery }) {
    const now = this.client.now();
    this.#attempt = {
      step,
      email: this.#email,
      sessionToken,
      destination: delivery?.destination ?? this.#email,
      ends: now + expiresIn * 1000,
      again: now + resendAfter * 1000,
    };
    this.#remember();
    this.tell('');
    if (step === 'confirm') this.#confirm();
    else this.#code();
  }

  #code() {
    this.#codeStep('code', (input, more) => this.client.verifyOtp({ ...input, email: this.#email, ...more }), async (more) =>
      this.client.resendOtp({ sessionToken: this.#attempt.sessionToken, ...more }),
    );
  }

  #confirm() {
    this.#codeStep('confirm', (input, more) => this.client.confirmRegistration({ ...input, ...more }), async (more) => {
      const answer = await this.client.confirmRegistration({ sessionToken: this.#attempt.sessionToken, resend: true, ...more });
      return { ...this.#attempt, ...answer };
    });
  }

  #codeStep(step, verify, resend) {
    const { voice } = this;
    const code = field(voice, 'code');
    const attempt = this.#attempt;
    const { sessionToken } = attempt;
    const form_ = form(voice, {
      fields: [code],
      go: `${step}.go`,
      onSubmit: async (input) => {
        const answer = await this.#ask([code], (more) => verify({ code: input.code, sessionToken }, more), () => this.#resume());
        if (answer) await this.#answered(answer);
        else code.input.select();
      },
    });
    const time = make('p', { class: 'note' });
    const again = make('button', { type: 'button', part: 'quiet', onclick: () => isOff(again) || this.#resend(resend) });
    this.#step(step, {
      title: `${step}.title`,
      hint: voice.say(`${step}.hint`, { destination: attempt.destination }),
      content: [form_.node, time],
      focus: code.input,
      ways: [{ node: again }, this.#way('code.other', () => (step === 'confirm' ? this.#signIn() : this.#start()))],
    });
    this.every(() => {
      const now = this.client.now();
      const left = Math.ceil((attempt.ends - now) / 1000);
      const wait = Math.ceil((attempt.again - now) / 1000);
      time.textContent = left > 0 ? voice.say('timeLeft', { time: voice.time(left) }) : voice.say('ended');
      time.classList.toggle('wrong', left <= 0);
      form_.close(left <= 0);
      this.#countDown(again, left > 0 ? wait : 0);
    });
  }

  async #resend(resend) {
    // If the attempt has ended, another code needs another attempt.
    if (this.client.now() >= this.#attempt.ends) {
      if (this.#attempt.step === 'confirm') return this.#register();
      return this.#mail(this.#email, []);
    }
    const sent = await this.#ask([], resend, () => this.#resume());
    if (!sent) return undefined;
    this.#attempt.again = this.client.now() + (sent.resendAfter ?? 30) * 1000;
    this.#remember();
    return this.tell(this.voice.say('code.sent'), { good: true });
  }

  #resume() {
    if (this.#attempt?.step === 'confirm') this.#confirm();
    else if (this.#attempt?.step === 'code') this.#code();
    else this.#first();
  }

  #password(said) {
    this.#forget();
    const email = this.#address();
    const password = field(this.voice, 'password');
    const { node } = form(this.voice, {
      fields: [email, password],
      go: 'password.go',
      onSubmit: async (input) => {
        this.#email = input.email;
        const answer = await this.#ask([email, password], (more) => this.client.loginUser({ ...input, ...more }), () => this.#password());
        if (answer) await this.#answered(answer, { password: input.password });
        else password.input.select();
      },
    });
    this.#step('password', {
      title: 'password.title',
      content: [node],
      focus: this.#email === '' ? email.input : password.input,
      ways: [
        this.#has('code') && this.#way('password.code', () => (this.#keep(email), this.#start())),
        // With codes, the step of the address has these two.
        !this.#has('code') && this.#byPasskey(email),
        !this.#has('code') && this.#toRegister(email),
        this.#way('password.forgot', () => (this.#keep(email), this.#recover())),
      ],
    });
    if (said) this.tell(said, { good: true });
  }

  #register() {
    this.#forget();
    const name = field(this.voice, 'name', { value: this.#name, optional: true });
    const email = this.#address();
    const newPassword = field(this.voice, 'newPassword', {
      label: 'label.password',
      hint: this.voice.say('rule'),
      as: ['password'],
    });
    const fields = [name, email, newPassword];
    const { node } = form(this.voice, {
      fields,
      go: 'register.go',
      onSubmit: async (input) => {
        this.#email = input.email;
        this.#name = input.name;
        const wanted = { email: input.email, password: input.newPassword, ...(input.name && { name: input.name }) };
        const sent = await this.#ask(fields, (more) => this.client.registerUser({ ...wanted, ...more }), () => this.#register());
        if (!sent) return;
        this.#proved = input.newPassword;
        this.#begin('confirm', sent);
      },
    });
    this.#step('register', {
      title: 'register.title',
      content: [node],
      focus: name.input,
      ways: [this.#wayIn && this.#way('register.have', () => (this.#keep(email), this.#signIn()))],
    });
  }

  #recover() {
    const email = this.#address();
    const { node } = form(this.voice, {
      fields: [email],
      go: 'recover.go',
      onSubmit: async (input) => {
        this.#email = input.email;
        const sent = await this.#ask([email], (more) => this.client.requestPasswordReset({ ...input, ...more }), () => this.#recover());
        if (sent) this.#reset();
      },
    });
    this.#step('recover', {
      title: 'recover.title',
      hint: this.voice.say('recover.hint'),
      content: [node],
      focus: email.input,
      ways: [this.#way('back', () => this.#password())],
    });
  }

  #reset() {
    const code = field(this.voice, 'code');
    const newPassword = field(this.voice, 'newPassword', { hint: this.voice.say('rule') });
    const again = this.client.now() + 30_000;
    const { node } = form(this.voice, {
      fields: [code, newPassword],
      go: 'reset.go',
      onSubmit: async (input) => {
        const call = (more) => this.client.confirmPasswordReset({ ...input, email: this.#email, ...more });
        const answer = await this.#ask([code, newPassword], async (more) => (await call(more), {}), () => this.#reset());
        if (answer) this.#password(this.voice.say('reset.done'));
      },
    });
    const resend = make('button', {
      type: 'button',
      part: 'quiet',
      onclick: async () => {
        if (isOff(resend)) return;
        const sent = await this.#ask([], (more) => this.client.requestPasswordReset({ email: this.#email, ...more }), () => this.#reset());
        if (sent) this.#reset();
        if (sent) this.tell(this.voice.say('code.sent'), { good: true });
      },
    });
    this.#step('reset', {
      title: 'reset.title',
      hint: this.voice.say('reset.hint'),
      content: [node],
      focus: code.input,
      ways: [{ node: resend }, this.#way('back', () => this.#recover())],
    });
    this.every(() => {
      const wait = Math.ceil((again - this.client.now()) / 1000);
      this.#countDown(resend, wait);
    });
  }

  /** *Send another code* says how long it has to wait. It keeps the focus meanwhile. */
  #countDown(button, seconds) {
    button.setAttribute('aria-disabled', String(seconds > 0));
    const { voice } = this;
    button.textContent = seconds > 0 ? voice.say('code.againIn', { time: voice.time(seconds) }) : voice.say('code.again');
  }

  #factor(withBackupCode = false) {
    const { sessionToken, challenge } = this.#attempt;
    const isMailed = challenge === 'EMAIL_OTP';
    if (challenge === 'NEW_PASSWORD_REQUIRED') return this.#newPassword(sessionToken);
    const code = field(this.voice, withBackupCode ? 'backupCode' : 'code');
    const remember = make('input', { type: 'checkbox', name: 'rememberDevice' });
    const days = Number(this.getAttribute('remember-days') ?? 30);
    const isOffered = challenge === 'SOFTWARE_TOKEN_MFA' && days > 0;
    const rememberFor = () => this.voice.say('factor.remember', { time: this.voice.time(days * 86_400) });
    const { node } = form(this.voice, {
      fields: [code],
      go: 'factor.go',
      more: isOffered ? make('label', { class: 'choice' }, remember, rememberFor()) : null,
      onSubmit: async (input) => {
        const asked = { sessionToken, ...input, ...(remember.checked && { rememberDevice: true }) };
        const answer = await this.#ask([code], () => this.client.verifyMfa(asked), () => this.#factor(withBackupCode));
        if (answer) await this.#answered(answer);
        else code.input.select();
      },
    });
    return this.#step('factor', {
      title: 'factor.title',
      hint: this.voice.say(isMailed ? 'factor.mailHint' : withBackupCode ? 'factor.backupHint' : 'factor.hint'),
      content: [node],
      focus: code.input,
      ways: [
        !isMailed && this.#way(withBackupCode ? 'factor.app' : 'factor.backup', () => this.#factor(!withBackupCode)),
        this.#way('code.other', () => this.#first()),
      ],
    });
  }

  /** The sign-in waits until there is a second factor. */
  #setUp() {
    const { sessionToken } = this.#attempt;
    const { node } = form(this.voice, {
      fields: [],
      go: 'setUp.app',
      onSubmit: async () => {
        const made = await this.#ask([], () => this.client.setupMfa({ sessionToken }), () => this.#setUp());
        if (made) await this.#scan(made);
      },
    });
    this.#step('set-up', {
      title: 'setUp.title',
      hint: this.voice.say('setUp.hint'),
      content: [node],
      ways: [
        this.#hasPasskeys && this.#way('setUp.passkey', () => void this.#setUpPasskey()),
        this.#way('code.other', () => this.#first()),
      ],
    });
  }

  async #scan({ secret, qrSvg }) {
    const { scanSecret, keepBackupCodes } = await authenticatorSteps();
    const { sessionToken } = this.#attempt;
    const turnOn = async (code, shown) => {
      const answer = await this.#ask([shown], () => this.client.verifyMfaSetup({ sessionToken, code }), () => this.#setUp());
      if (!answer) return;
      this.#forget();
      // If its tokens are missing, the sign-in begins again, with the authenticator.
      keepBackupCodes(this, { codes: answer.backupCodes, done: () => this.#goOn() });
    };
    scanSecret(this, { secret, qrSvg, turnOn, ways: [this.#way('back', () => this.#setUp())] });
  }

  /** A passkey that verifies its user is a second factor too. It is made under a proof. */
  async #setUpPasskey() {
    const { sessionToken, email } = this.#attempt;
    const { proveAndRegister } = await passkeySteps();
    proveAndRegister(this, {
      waiting: { sessionToken, email },
      title: 'setUp.passkey',
      ways: [this.#way('back', () => this.#setUp())],
      during: (work) => this.#during(work),
      done: () => {
        const session = this.client.loadSession();
        if (session !== null) return this.#finish(session);
        this.#setUp();
        return this.tell(this.voice.say('setUp.unverified'));
      },
    });
  }

  #newPassword(sessionToken) {
    const newPassword = field(this.voice, 'newPassword', { hint: this.voice.say('rule') });
    const { node } = form(this.voice, {
      fields: [newPassword],
      go: 'new.go',
      onSubmit: async (input) => {
        const answer = await this.#ask([newPassword], () => this.client.verifyMfa({ sessionToken, ...input }), () => this.#factor());
        if (answer) await this.#answered(answer);
      },
    });
    this.#step('new-password', {
      title: 'new.title',
      hint: this.voice.say('new.hint'),
      content: [node],
      focus: newPassword.input,
      ways: [this.#way('code.other', () => this.#first())],
    });
  }

  /** A factor was right: signed in, or one more step. */
  async #answered(answer, { password, byPasskey = false } = {}) {
    this.tell('');
    this.#proved = password ?? this.#proved;
    if (answer.mfaRequired === true) {
      const { sessionToken, challenge } = answer;
      const kept = { email: this.#email, sessionToken, challenge, byPasskey };
      this.#attempt = { step: 'factor', ...kept, ends: this.client.now() + 300_000, again: 0 };
      this.#remember();
      this.#factor();
      return;
    }
    if (answer.mfaSetupRequired === true) {
      const { sessionToken, expiresIn } = answer;
      this.#attempt = { step: 'set-up', email: this.#email, sessionToken, ends: this.client.now() + expiresIn * 1000, again: 0 };
      this.#remember();
      this.#setUp();
      return;
    }
    this.#person = this.client.loadSession()?.cognitoSub ?? null;
    const known = { password: this.#proved, hasAuthenticator: this.#attempt?.step === 'factor' };
    const isByPasskey = byPasskey || this.#attempt?.byPasskey === true;
    this.#forget();
    const goOn = async () => {
      if (isByPasskey || !(await this.#offer(known))) this.#goOn();
    };
    const { backupCodesLeft: left } = answer;
    if (left !== undefined && left <= FEW_CODES) return this.#codesLeft(left, goOn);
    if (left !== undefined) spent.set(this.client, left);
    return goOn();
  }

  /** A backup code has signed in, and few are left: the person has to know before anything else. */
  #codesLeft(left, goOn) {
    const { node } = form(this.voice, { fields: [], go: 'start.go', onSubmit: goOn });
    this.#step('codes', { title: 'done.title', hint: this.voice.codesLeft(left), content: [node] });
  }

  /** Offers a passkey after the first sign-in here. False if there is nothing to offer. */
  async #offer(known) {
    if (!this.#hasPasskeys) return false;
    try {
      const { isToBeOffered, offer } = await passkeySteps();
      if (!(await isToBeOffered(this.client))) return false;
      offer(this, { ...known, step: (view) => this.#step('offer', view), done: () => this.#goOn() });
      return true;
    } catch {
      // The person is signed in, so a failure to offer a passkey is not shown.
      return false;
    }
  }

  /** Hands over the session as it is now: renewed meanwhile, or ended. */
  #goOn() {
    const session = this.client.loadSession();
    if (session === null) this.#begun();
    else this.#finish(session);
  }

  #finish(session) {
    this.#forget();
    this.tell('');
    this.#done(session);
    this.dispatch('latchkey-signed-in', session);
  }

  #done(session) {
    this.#person = session.cognitoSub;
    this.#step('done', { title: 'done.title', hint: this.voice.say('done.as', { email: session.email }), content: [] });
  }

  /**
   * Calls an operation. Undefined after a failure, which was shown to the person or led to another
   * step. `back` shows the step again after a wait.
   */
  async #ask(fields, call, back) {
    return this.#during(async () => {
      try {
        const answer = await withWork(call, (progress, controller) => this.#work(progress, controller, back));
        return answer ?? {};
      } catch (problem) {
        this.#failed(problem, fields, back);
        return undefined;
      }
    });
  }

  /** A session that this work brings is this element's own. */
  async #during(work) {
    this.#asking += 1;
    try {
      return await work();
    } finally {
      this.#asking -= 1;
    }
  }

  #failed(problem, fields, back) {
    if (problem.code === 'RATE_LIMITED') return this.#wait(problem, back);
    if (problem.code === 'SIGN_IN_COMPLETED' && this.client.loadSession() !== null) return this.#finish(this.client.loadSession());
    if (DEAD.has(problem.code) || problem.attemptsRemaining === 0) {
      const registering = this.#attempt?.step === 'confirm';
      if (registering) this.#register();
      else this.#first();
    } else if (problem.code === 'EMAIL_EXISTS') {
      this.#signIn();
    } else if (problem.code === 'PASSKEY_REQUIRED' || problem.code === 'REFUSED') {
      this.#start();
    } else if (problem.code === 'INVALID_CREDENTIALS' && !this.#has('code')) {
      return this.tell(this.voice.say('password.wrong'));
    }
    const marked = markFields(this.voice, fields, problem);
    if (!marked && problem.code === 'INVALID_OTP') fields[0]?.input.focus();
    return this.tellProblem(problem);
  }

  /**
   * Work that admits the person is being done: shows how far it is, and lets them go another way.
   */
  #work(progress, controller, back) {
    if (progress === null) {
      this.#bar = null;
      back();
      return;
    }
    if (!this.#bar) {
      this.#bar = make('progress', { max: 1, 'aria-label': this.voice.say('wait.title') });
      this.tell('');
      this.#step('wait', {
        title: 'wait.title',
        hint: this.voice.say('wait.work'),
        content: [this.#bar],
        ways: [this.#way('wait.other', () => controller.abort())],
      });
    }
    this.#bar.value = progress;
  }
  #bar = null;

  #wait(problem, back) {
    const until = this.client.now() + (problem.retryAfterSeconds ?? 60) * 1000;
    const clock = make('p', { class: 'hint', role: 'timer' });
    const isByCode = problem.signInWith === 'CODE' && this.#has('code');
    const other = isByCode ? () => this.#mail(this.#email, []) : () => this.#first();
    this.tell('');
    this.#step('wait', {
      title: 'wait.title',
      content: [clock],
      ways: [this.#way(isByCode ? 'password.code' : 'wait.other', other)],
    });
    this.every(() => {
      const left = Math.ceil((until - this.client.now()) / 1000);
      if (left <= 0) back();
      else clock.textContent = this.voice.say('wait.until', { time: this.voice.time(left) });
    });
  }

  /** The state for a reload; no password and no code. */
  #remember() {
    try {
      sessionStorage.setItem(STATE_KEY, JSON.stringify(this.#attempt));
    } catch {
      // Forbidden: then a reload begins anew.
    }
  }

  #restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(STATE_KEY));
      const strings = ['step', 'email', 'sessionToken'].every((name) => typeof kept[name] === 'string');
      const times = ['ends', 'again'].every((name) => Number.isFinite(kept[name]));
      return strings && times && kept.ends > this.client.now() ? kept : null;
    } catch {
      return null;
    }
  }

  #forget() {
    this.#attempt = null;
    this.#proved = undefined;
    try {
      sessionStorage.removeItem(STATE_KEY);
    } catch {
      // Then nothing was stored either.
    }
  }
}

define('latchkey-sign-in', LatchkeySignIn);
