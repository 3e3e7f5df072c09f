// Translates with a published release of microsoft-cognitiveservices-speech-sdk, unmodified, as an application does.
//
// node javascript.js OPTIONS-AS-JSON
//
// The options, and what is printed, are those of native.py beside it; README.md lists them. Each event of the SDK is
// one line of JSON on standard output. Exit code 0: it came to its end, whatever the SDK reported; 1: this program or
// the SDK threw; 9: nothing came any more, and the watch-dog ended it.

'use strict';

const fs = require('fs');
const path = require('path');
const tls = require('tls');

const CHUNK = 0.1; // seconds of audio that are pushed at a time
const GRACE = 1000; // ms that a last event of a run may take once the run has returned
const FAILED = 1;
const HUNG = 9;

const given = JSON.parse(process.argv[2]);
const begun = process.hrtime.bigint();

const tell = (event, members) => {
  const t = Math.round(Number(process.hrtime.bigint() - begun) / 1e6) / 1000;
  process.stdout.write(`${JSON.stringify({ t, event, ...members })}\n`); // undefined members are left out
};

const leave = (event, code, members) => {
  tell(event, members);
  process.exit(code);
};

const raised = (error) => leave('error', FAILED, { message: String((error && error.stack) || error) });
process.on('uncaughtException', raised);
process.on('unhandledRejection', raised);
setTimeout(() => leave('hang', HUNG), 1000 * (given.timeout || 60)).unref();

// The packages lie beside the other Node clients. Old ones write notes of their own to the console.
console.log = console.error;
const sdk = require(path.join(__dirname, '..', 'node', 'node_modules', given.package));

// What a browser has in place of headers: a WebSocket that takes an address and nothing else.
if (given.browser) {
  const WebSocket = require(path.join(__dirname, '..', 'node', 'node_modules', 'ws'));
  globalThis.WebSocket = class extends WebSocket {
    constructor(address) {
      super(address);
    }
  };
}

// The port at which a test server has what others have at 443.
if (given.https) {
  const { connect } = tls;
  tls.connect = (options, ...rest) =>
    connect(Number(options.port) === 443 ? { ...options, port: given.https } : options, ...rest);
}

const text = (error) => (error && error.message) || String(error);
const ms = (duration) => new Promise((resolve) => setTimeout(resolve, Math.max(0, duration)));

function configuration() {
  const make = given.how === 'host' ? 'fromHost' : 'fromEndpoint';
  const kind = given.plain ? sdk.SpeechConfig : sdk.SpeechTranslationConfig;
  const config = kind[make](new URL(given.url), given.key);
  if (given.token) config.authorizationToken = given.token;
  if (given.from) config.speechRecognitionLanguage = given.from;
  if (!given.plain) {
    for (const language of given.to) config.addTargetLanguage(language);
    if (given.voice) config.voiceName = given.voice;
  }
  for (const [name, value] of Object.entries(given.properties || {})) config.setProperty(name, value);
  for (const [name, value] of Object.entries(given.service || {})) {
    config.setServiceProperty(name, value, sdk.ServicePropertyChannel.UriQueryParameter);
  }
  const capital = (word) => word[0].toUpperCase() + word.slice(1);
  if (given.profanity) config.setProfanity(sdk.ProfanityOption[capital(given.profanity)]);
  if (given.output) config.outputFormat = sdk.OutputFormat[capital(given.output)];
  if (given.words) config.requestWordLevelTimestamps();
  return config;
}

// The chunks of a RIFF file that matter: its format, and its samples.
function wave(file) {
  const bytes = fs.readFileSync(file);
  const found = {};
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4);
    found[bytes.toString('latin1', at, at + 4)] = bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  const format = found['fmt '];
  return {
    channels: format.readUInt16LE(2),
    rate: format.readUInt32LE(4),
    bits: format.readUInt16LE(14),
    samples: found.data,
  };
}

let feed; // pushes the recording at the pace that is asked for, across all runs
let ends = 0; // how often the end of speech was told

function audio() {
  const source = given.input;
  if (source.kind === 'file') {
    return sdk.AudioConfig.fromWavFileInput(fs.readFileSync(source.wav), path.basename(source.wav));
  }
  if (source.commits) throw new Error('input.commits: this SDK has no such call');
  const { rate, bits, channels, samples } = wave(source.wav);
  const stream = sdk.AudioInputStream.createPushStream(sdk.AudioStreamFormat.getWaveFormatPCM(rate, bits, channels));
  const frame = (channels * bits) / 8;
  const silence = Buffer.alloc(Math.round((source.silence_before || 0) * rate) * frame);
  const whole = Buffer.concat([silence, samples]);
  const size = Math.round(rate * CHUNK) * frame;
  const pace = source.pace === undefined ? 1 : source.pace;
  feed = async () => {
    feed = undefined;
    await ms(1000 * (source.late || 0));
    const start = Date.now();
    let pushed = 0;
    const push = async (audio) => {
      for (let at = 0; at < audio.length; at += size) {
        const chunk = audio.subarray(at, at + size);
        stream.write(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.length));
        pushed += 1;
        if (pace) await ms(start + (pushed * CHUNK * 1000) / pace - Date.now());
      }
    };
    await push(whole);
    for (let time = 1; time <= (source.again || 0); time += 1) {
      while (ends < time) await push(Buffer.alloc(size));
      await push(samples);
    }
    tell('fed', { hold: Boolean(source.hold) });
    if (!source.hold) stream.close();
  };
  return sdk.AudioConfig.fromStreamInput(stream);
}

const targets = new Set();

// Releases before 1.18 do not say which languages there are: those are asked for that may be.
function translations(result) {
  const map = result.translations;
  if (!map) return {};
  for (const language of given.to) targets.add(language).add(language.split('-')[0]);
  const found = {};
  for (const language of map.languages || targets) {
    const value = map.get(language, undefined);
    if (value !== undefined || map.languages) found[language] = value === undefined ? null : value;
  }
  return found;
}

function details(reason, code, message) {
  return {
    reason: sdk.CancellationReason[reason],
    errorCode: sdk.CancellationErrorCode[code],
    errorDetails: message === undefined || typeof message === 'string' ? message : JSON.stringify(message),
  };
}

function resultMembers(result) {
  const found = {
    reason: sdk.ResultReason[result.reason],
    text: result.text,
    translations: translations(result),
    offset: result.offset,
    duration: result.duration,
    json: result.json,
    language: result.language,
    errorDetails: result.errorDetails,
  };
  if (result.reason === sdk.ResultReason.NoMatch) {
    found.noMatch = sdk.NoMatchReason[sdk.NoMatchDetails.fromResult(result).reason];
  }
  if (result.reason === sdk.ResultReason.Canceled) {
    const why = sdk.CancellationDetails.fromResult(result);
    Object.assign(found, details(why.reason, why.ErrorCode, why.errorDetails));
  }
  return found;
}

function voice(result) {
  const bytes = result.audio ? Buffer.from(result.audio) : Buffer.alloc(0);
  return {
    reason: sdk.ResultReason[result.reason],
    audioBytes: bytes.length,
    audio: bytes.length ? bytes.toString('base64') : undefined,
  };
}

async function main() {
  const config = configuration();
  const input = audio();
  const candidates = given.candidates;
  const detect = candidates && sdk.AutoDetectSourceLanguageConfig;
  const recognizer = candidates
    ? sdk.TranslationRecognizer.FromConfig(
        config,
        candidates === 'open' ? detect.fromOpenRange() : detect.fromLanguages(candidates),
        input,
      )
    : new sdk[given.plain ? 'SpeechRecognizer' : 'TranslationRecognizer'](config, input);

  const waiting = new Set(); // functions that want to know of every event
  const handler = (event, members) => (_, argument) => {
    try {
      const found = members(argument);
      tell(event, found);
      ends += event === 'speechEndDetected';
      for (const told of [...waiting]) told(event, found);
    } catch (error) {
      raised(error); // the SDK would swallow it
    }
  };
  const nothing = () => ({});
  const offset = (event) => ({ offset: event.offset });
  recognizer.sessionStarted = handler('sessionStarted', nothing);
  recognizer.sessionStopped = handler('sessionStopped', nothing);
  recognizer.speechStartDetected = handler('speechStartDetected', offset);
  recognizer.speechEndDetected = handler('speechEndDetected', offset);
  recognizer.recognizing = handler('recognizing', (event) => resultMembers(event.result));
  recognizer.recognized = handler('recognized', (event) => resultMembers(event.result));
  recognizer.synthesizing = handler('synthesizing', (event) => voice(event.result));
  recognizer.canceled = handler('canceled', (event) => details(event.reason, event.errorCode, event.errorDetails));
  const connection = sdk.Connection.fromRecognizer(recognizer);
  const state = (event) => (argument) => handler(event, nothing)(undefined, argument);
  connection.connected = state('connected');
  connection.disconnected = state('disconnected');

  const changes = [...(given.targets_changes || [])];
  // Each change is made once; of those that wait for a result one a result.
  const change = (after) => {
    for (const due of changes.filter((each) => each.after === after)) {
      changes.splice(changes.indexOf(due), 1);
      for (const language of due.add || []) {
        targets.add(language);
        recognizer.addTargetLanguage(language);
      }
      for (const language of due.remove || []) recognizer.removeTargetLanguage(language);
      tell('changed', { targets: recognizer.targetLanguages });
      if (after === 'recognized') return;
    }
  };

  // Resolves once the session has stopped, has failed, or (after `limit` ms, if any) is due to be stopped.
  const end = (limit) =>
    new Promise((resolve) => {
      let timer;
      const within = (time, how) => {
        clearTimeout(timer);
        timer = setTimeout(() => finish(how), time);
      };
      const told = (event, found) => {
        if (event === 'sessionStopped') finish('stopped');
        if (event === 'canceled' && found.reason === 'Error') within(GRACE, 'failed');
        if (event === 'recognized') {
          change('recognized');
          if (given.stop_after === 'recognized' && given.mode === 'continuous') finish('due');
        }
      };
      const finish = (how) => {
        clearTimeout(timer);
        waiting.delete(told);
        resolve(how);
      };
      waiting.add(told);
      if (limit !== undefined) within(limit, 'due');
    });

  const call = (name) => new Promise((resolve, reject) => recognizer[name](resolve, reject));

  const once = async () => {
    const stopped = end();
    const answer = call('recognizeOnceAsync');
    change('start');
    tell('returned', resultMembers(await answer));
    await Promise.race([stopped, ms(GRACE)]);
  };

  const continuous = async () => {
    const ended = end(typeof given.stop_after === 'number' ? 1000 * given.stop_after : undefined);
    await call('startContinuousRecognitionAsync');
    change('start');
    if ((await ended) !== 'due') return;
    const stopped = end();
    await call('stopContinuousRecognitionAsync');
    tell('stopped');
    await stopped;
  };

  for (let number = 0; number < (given.runs || 1); number += 1) {
    if (number) {
      await ms(1000 * (given.pause || 0));
      change('between');
    }
    if (feed) feed();
    waiting.clear();
    try {
      await (given.mode === 'once' ? once() : continuous());
    } catch (error) {
      tell('rejected', { errorDetails: text(error) }); // what the SDK hands to the callback of a call
    }
  }
  await call('close');
  tell('done');
  setTimeout(() => process.exit(0), GRACE).unref(); // a pool of connections may live a little longer
}

main().catch(raised);
