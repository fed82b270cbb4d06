import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { childScript, runTool, tfjsNodePackage } from '../../../src/index';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('what the native library writes on stderr', () => {
  const directory = temporaryDirectory();
  const env = { ...process.env };
  Reflect.deleteProperty(env, 'TF_CPP_MIN_LOG_LEVEL');
  const step = childScript(path.join(__dirname, '..', '..', 'support', 'masked-step-child'));

  it('nothing, while it loads and at the first masked step', async () => {
    const result = await runTool('/usr/bin/env', ['-i', ...pairs(env), process.execPath, ...step]);
    expect(result.stderr).to.equal('');
    expect(result.stdout).to.equal('true\n');
  });

  it('its notices, where they are asked for', async () => {
    const result = await runTool(process.execPath, step, { env: { TF_CPP_MIN_LOG_LEVEL: '0' } });
    expect(result.stderr).to.contain('This TensorFlow binary is optimized to use available CPU instructions');
  });

  /** Logs one line of every severity as the library does, whatever the processor. */
  const speaker = `
#include <string_view>
namespace absl { inline namespace lts_20250814 {
enum class LogSeverity : int {};
namespace log_internal { void WriteToStderr(std::string_view message, LogSeverity severity); }
} }
__attribute__((constructor)) static void speak() {
  for (int severity = 0; severity < 4; severity++) {
    const char line[] = {static_cast<char>('0' + severity), '\\n'};
    absl::log_internal::WriteToStderr(std::string_view(line, 2), static_cast<absl::LogSeverity>(severity));
  }
  absl::log_internal::WriteToStderr("oneDNN supports DT_BOOL only on platforms with AVX-512. Falling back to the default\\n",
                                    static_cast<absl::LogSeverity>(2));
}`;

  it('its errors always, other messages by TF_CPP_MIN_LOG_LEVEL', async () => {
    const source = path.join(directory(), 'speaker.cc');
    const library = path.join(directory(), 'speaker.node');
    fs.writeFileSync(source, speaker);
    const compiled = await runTool(process.env['CXX'] ?? 'g++', [
      '-shared',
      '-fPIC',
      '-std=c++17',
      source,
      '-o',
      library,
    ]);
    expect(compiled.stderr).to.equal('');
    const addon = fs.realpathSync(tfjsNodePackage()?.addon ?? '');
    // the library cannot be a module of Node's, so that loading it throws after it has spoken
    const script = `
      const { RTLD_NOW, RTLD_GLOBAL } = require('os').constants.dlopen;
      process.dlopen({ exports: {} }, ${JSON.stringify(addon)}, RTLD_NOW | RTLD_GLOBAL);
      try { process.dlopen({ exports: {} }, ${JSON.stringify(library)}); } catch {}`;
    const fallback = /oneDNN supports DT_BOOL/;
    for (const [level, severities, showsFallback] of [
      [undefined, ['2', '3'], false],
      ['2', ['2', '3'], false],
      ['0', ['0', '1', '2', '3'], true],
      ['3', ['3'], false],
    ] as const) {
      const asked = { ...env, ...(level !== undefined && { TF_CPP_MIN_LOG_LEVEL: level }) };
      const { stderr } = await runTool('/usr/bin/env', [
        '-i',
        ...pairs(asked),
        process.execPath,
        '-e',
        script,
      ]);
      expect(
        stderr.split('\n').filter((line) => /^\d$/.test(line)),
        `level ${level ?? 'unset'}`,
      ).to.deep.equal(severities);
      expect(fallback.test(stderr)).to.equal(showsFallback);
    }
  });
});

function pairs(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`);
}

describe('signals while the native library computes', () => {
  it('arrive, and break no memory', async () => {
    const child = childScript(path.join(__dirname, '..', '..', 'support', 'signalled-child'));
    const result = await runTool(process.execPath, child);
    expect([result.code, result.stdout, result.stderr]).to.deep.equal([0, 'true, true, 0 threads\n', '']);
  });
});
