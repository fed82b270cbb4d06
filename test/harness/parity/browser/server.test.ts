import { expect } from 'chai';
import { request, type RequestOptions } from 'node:http';
import { servePage, type PageServer } from '../../../../harness/sides/remote/server';

const html = '<p>page</p><script type="application/json" id="config">\n  {}\n</script>';

function ask(
  address: string,
  options: RequestOptions = {},
  body = '',
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(address, options, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the server of the page', () => {
  let server: PageServer;
  const heard: string[] = [];
  before(async () => {
    server = await servePage(
      html,
      { seed: 7, sides: ['</script>'] },
      { report: (body) => `${heard.push(body)}` },
    );
  });
  after(() => server.close());

  it('gives the page at its secret address alone, with what it is asked for and no script in between', async () => {
    expect(server.address).to.match(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
    const { status, text } = await ask(server.address);
    expect(status).to.equal(200);
    expect(text).to.include('id="config">{"seed":7,"sides":["\\u003c/script>"]}</script>');
    const { origin } = new URL(server.address);
    for (const path of ['/', '/report', `/${'0'.repeat(32)}/`, `/${'0'.repeat(32)}/report`])
      expect(await ask(origin + path)).to.include({ status: 404 });
    expect(await ask(`${server.address}toString`, { method: 'POST' })).to.include({ status: 404 });
    expect(await ask(`${server.address}report`)).to.include({ status: 404 });
  });

  it('takes a report from its own page alone', async () => {
    const post = (headers: Record<string, string>) =>
      ask(`${server.address}report`, { method: 'POST', headers }, 'x');
    const { host, origin } = new URL(server.address);
    expect(await post({})).to.deep.equal({ status: 200, text: '1' });
    expect(await post({ host, origin })).to.deep.equal({ status: 200, text: '2' });
    expect(await post({ host: 'evil.example' })).to.include({ status: 403 });
    expect(await post({ host: host.replace('127.0.0.1', 'localhost') })).to.include({ status: 403 });
    expect(await post({ origin: 'http://evil.example' })).to.include({ status: 403 });
    expect(await post({ origin: 'null' })).to.include({ status: 403 });
    expect(heard).to.deep.equal(['x', 'x']);
  });

  it('refuses more than 64 MiB', async () => {
    const answer = await ask(`${server.address}report`, { method: 'POST' }, 'x'.repeat(2 ** 26 + 1)).catch(
      (error: unknown) => error,
    );
    // the server may hang up before everything was sent
    expect(answer).to.satisfy(
      (found: { status?: number; code?: string }) => found.status === 413 || found.code !== undefined,
    );
    expect(heard).to.have.lengthOf(2);
  });
});
