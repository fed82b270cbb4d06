import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { asError, describeThrown } from '../../../harness/base/side-errors';
import fc from 'fast-check';
import { decodeFloat32, decodeTensor, encodeTensor, parseAnswer } from '../../../harness/base/process/index';

describe('the line protocol', () => {
  it('carries float32 numbers unchanged', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1 }), (data) => {
        const wire = JSON.parse(JSON.stringify(encodeTensor({ shape: [data.length], data }))) as ReturnType<
          typeof encodeTensor
        >;
        expect(Array.from(decodeFloat32(wire))).to.deep.equal(Array.from(data));
        expect(decodeTensor(wire).shape).to.deep.equal([data.length]);
      }),
    );
  });

  it('writes little-endian base64, as the peers in Python read it', () => {
    // base64.b64encode(numpy.array([1.5, -2], '<f4').tobytes())
    expect(encodeTensor({ shape: [2], data: [1.5, -2] }).float32).to.equal('AADAPwAAAMA=');
  });

  it('refuses numbers that do not fill the shape', () => {
    expect(() => decodeTensor({ shape: [3], float32: 'AADAPwAAAMA=' })).to.throw(RangeError, '8 bytes came');
  });

  it('takes what is no answer for noise', () => {
    for (const noise of ['', 'hello', '{', '{}', '[1]', '{"id": "1", "result": {}}', '{"id": 1}', 'null']) {
      expect(parseAnswer(noise), noise).to.equal(undefined);
    }
    expect(parseAnswer('{"id": 1, "result": {}}')).to.deep.equal({ id: 1, result: {} });
  });

  it('says of what was thrown what can be said: also of rings, big integers and getters that throw', () => {
    const ring: { self?: object } = {};
    ring.self = ring;
    const says = (thrown: unknown): string => describeThrown(thrown).message;
    expect([undefined, null, 'no', Symbol('no'), 10n].map(says)).to.deep.equal([
      ...['undefined', 'null', 'a string: "no"', 'a symbol: Symbol(no)', 'a bigint: 10'],
    ]);
    for (const odd of [ring, { code: 10n }])
      expect(says(odd)).to.equal('an object, not an Error: [object Object]');
    const getter = {
      get message(): string {
        throw new Error('in the getter');
      },
    };
    expect(says(getter)).to.equal('an object, not an Error: [object Object]');
    expect(says(new Error())).to.equal('an error without a message');
  });

  it('knows an Error of another realm, as those of a test runner that gives each file globals of its own', () => {
    const other: unknown = runInNewContext('new RangeError("too cold")', {}, { filename: 'my-layer.js' });
    expect(other).to.not.be.instanceOf(Error);
    const { name, message, stack } = describeThrown(other);
    expect({ name, message }).to.deep.equal({ name: 'RangeError', message: 'too cold' });
    expect(stack).to.include('my-layer.js');
    expect(asError(other)).to.equal(other);
    expect(asError('no').message).to.equal('a string: "no"');
  });
});
