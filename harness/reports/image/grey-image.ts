import { crc32, deflateSync } from 'node:zlib';

/**
 * A grey-scale picture as a data URI (PNG): one pixel a number, smallest white, largest black.
 *
 * @param values [rows, columns], row-major; a sequence [T, F] shows time from top to bottom
 */
export function greyImage(values: ArrayLike<number>, rows: number, columns: number): string {
  let least = Infinity;
  let most = -Infinity;
  for (let i = 0; i < rows * columns; i++) {
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
  }
  const pixels = Buffer.alloc(rows * (columns + 1));
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      const share = most > least ? (values[r * columns + c] - least) / (most - least) : 0;
      pixels[r * (columns + 1) + 1 + c] = 255 - Math.round(255 * share);
    }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(columns, 0);
  header.writeUInt32BE(rows, 4);
  header[8] = 8; // bits a pixel; the colour type that follows is 0, grey
  const png = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return `data:image/png;base64,${png.toString('base64')}`;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
