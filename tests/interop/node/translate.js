// Runs the published package ms-translator-speech-service, unmodified, the way its README does: start, sendFile, stop.
//
// node translate.js URL RECORDING [OPTIONS-AS-JSON]
//
// URL is that of the speech endpoint; OPTIONS are the package's own (fromLanguage, toLanguage, features, voice, …).
// Each message that comes is one line of JSON on standard output, and so is the end.

'use strict';

const fs = require('fs');
const TranslatorService = require('ms-translator-speech-service');

const [speechUrl, recording, given] = process.argv.slice(2);
const options = Object.assign({ subscriptionKey: 'test-key' }, JSON.parse(given || '{}'));
const speaks = Boolean(options.features && options.features.textToSpeech);

const translator = new TranslatorService(options);
// The package has no option for its two addresses, but keeps them in properties. The query stays its own.
translator.speechTranslateUrl = speechUrl + translator.speechTranslateUrl.replace(/^[^?]*/, '');
translator.issueTokenUrl = new URL('/sts/v1.0/issueToken', speechUrl.replace(/^ws/, 'http')).href;

const tell = (members) => process.stdout.write(`${JSON.stringify(members)}\n`);

const fail = (error) => {
  tell({ event: 'error', message: String(error) });
  process.exit(1); // a refused upgrade leaves a connection that is kept alive, and node with it
};

translator.start((error, service) => {
  if (error) return fail(error);

  service.on('message', (message) => {
    if (message.type === 'binary') {
      const voice = message.binaryData;
      if (process.env.VOICE_FILE) fs.writeFileSync(process.env.VOICE_FILE, voice);
      tell({ event: 'binary', bytes: voice.length, first: voice.subarray(0, 4).toString('latin1') });
      translator.stop(() => {});
      return undefined;
    }
    const result = JSON.parse(message.utf8Data);
    tell({ event: 'text', result });
    if (result.type === 'final' && !speaks) translator.stop(() => {});
    return undefined;
  });
  service.on('close', (code, description) => tell({ event: 'close', code, description }));
  service.on('error', fail);

  return service.sendFile(recording, (problem) => {
    if (problem) fail(problem);
    else tell({ event: 'sent' });
  });
});
