import type { LoadedBackend } from '../../../src/browser/index';
import { caseVerdict, compareTensor, type CaseVerdict } from '../../judge/index';
import { isSelected } from '../select';
import type { PageSide } from '../../sides/page/index';

/** How many numbers are read in both ways; the twin reads webgpu in one way only, because the other is wrong. */
export function readBackSizes(
  { backend, asIs }: Pick<PageSide, 'backend' | 'asIs'>,
  only: string | undefined,
): readonly number[] {
  const sizes = backend === 'webgpu' && !asIs ? [] : [70_000];
  return sizes.filter((numbers) => isSelected(`read-back/${numbers}`, only));
}

/**
 * Compares `dataSync()` with `data()`, bit for bit. It may cost the device, and every other side on it, so it runs alone, after them all.
 */
export async function readBack(
  backend: LoadedBackend,
  side: PageSide,
  numbers: number,
): Promise<CaseVerdict> {
  backend.use();
  const { tf } = backend;
  const caseId = `read-back/${numbers}`;
  // two tensors: what was read once is kept by tfjs
  const make = (): ReturnType<typeof tf.add> => tf.tidy(() => tf.add(tf.linspace(0, 1, numbers), 1));
  const [one, other] = [make(), make()];
  try {
    const reference = { data: Float64Array.from(await one.data()), shape: [numbers] };
    const given = { data: Float64Array.from(readSync(other, numbers)), shape: [numbers] };
    const expected = { reference, allowed: 0, axes: ['number'], tolerance: 'the same bits as data()' };
    return caseVerdict(caseId, side.name, 'data()', [
      compareTensor(side.name, caseId, 'dataSync', expected, given),
    ]);
  } finally {
    one.dispose();
    other.dispose();
  }
}

/** NaN for every number where the read throws: it gave none of them. */
function readSync(tensor: { dataSync(): ArrayLike<number> }, numbers: number): ArrayLike<number> {
  try {
    return tensor.dataSync();
  } catch {
    return new Float64Array(numbers).fill(NaN);
  }
}
