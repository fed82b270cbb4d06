import { expect } from 'chai';
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
});
