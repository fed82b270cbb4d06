import writeFile from 'write-file-atomic';

/**
 * Writes a file so that at any moment, even after a power cut or SIGKILL, it is the old one or the whole new one:
 * written beside it, flushed to the disk, renamed over it.
 */
export async function writeFileAtomic(file: string, data: string | Uint8Array): Promise<void> {
  await writeFile(
    file,
    typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  );
}
