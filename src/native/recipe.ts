/**
 * What the native engine is built from. tfjs-node's own installer downloads libtensorflow 2.9.1 from a host that often
 * refuses; the same C API is inside TensorFlow's pip wheel, which every Python mirror carries and which a sha256 pins.
 */
export interface Recipe {
  /** the tfjs-node whose addon is compiled */ readonly tfjsNode: string;
  /** the TensorFlow whose libraries it is linked with */ readonly tensorflow: string;
  /** the pip package */ readonly wheel: {
    readonly name: string;
    readonly sha256: string;
    readonly bytes: number;
  };
  /** for which interpreter and platform pip picks the wheel, whatever Python it runs on */
  readonly pipTags: readonly string[];
  readonly libraries: readonly string[];
  /** the headers that the addon's sources include, below `tensorflow/include` in the wheel */
  readonly headers: readonly string[];
  /** counted up whenever the steps change, so that older cache entries are not used */ readonly revision: number;
  /** free disk space that the build needs */ readonly freeBytes: number;
}

export const recipe: Recipe = {
  tfjsNode: '4.22.0',
  tensorflow: '2.21.0',
  wheel: {
    name: 'tensorflow-cpu',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    bytes: 273_829_956,
  },
  pipTags: ['3.11', 'cp', 'cp311', 'manylinux_2_27_x86_64'],
  libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  headers: [
    ...[
      'c_api',
      'c_api_macros',
      'tf_attrtype',
      'tf_buffer',
      'tf_datatype',
      'tf_status',
      'tf_tensor',
      'tf_tstring',
    ].map((name) => `tensorflow/c/${name}.h`),
    'tensorflow/c/eager/c_api.h',
    'tensorflow/core/platform/ctstring.h',
    'tensorflow/core/platform/ctstring_internal.h',
    'tsl/platform/ctstring.h',
    'tsl/platform/ctstring_internal.h',
    'xla/tsl/c/tsl_status.h',
  ],
  revision: 4,
  freeBytes: 2e9,
};

/** The cache entry of a recipe: everything that the binary depends on is in the name. */
export function entryName({ tfjsNode, tensorflow, wheel, revision }: Recipe): string {
  return `tfjs-node-${tfjsNode}-tensorflow-${tensorflow}-${wheel.sha256.slice(0, 12)}-linux-x64-${revision}`;
}
