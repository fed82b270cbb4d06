// The borders between the rooms (scratch, src, harness, test) live here, so that a broken border is an error of the linter.
import tseslint from 'typescript-eslint';
import { noCircle } from './eslint-circles.mjs';
import { noTypeError } from './eslint-types.mjs';

/** What src/ may take from scratch/: the makers and checkers of inputs, never the network's arithmetic. */
const inputMakers = [
  'toTensor',
  'borrowTensor',
  'ownCopy',
  'checkSize',
  'formatShape',
  'indexOf',
  'toNested',
  'makeTensor',
  'zeros',
  'sizeOf',
  'checkChoice',
  'checkLabels',
  'checkMask',
  'checkFitOptions',
  'checkFlag',
  'checkMemory',
  'checkNotFitting',
  'checkOptions',
  'checkSequences',
  'checkSimpleRNNOptions',
  'checkSimpleRNNWeights',
  'checkUpstream',
  'evaluateOptions',
  'createRandom',
  'restoreRandom',
  'glorotUniform',
  'orthogonal',
  'scaledNormal',
  'initialClassifierWeights',
  'checkClassifierWeights',
  'classifierLayers',
  'weightsByLayer',
  'weightsOfLayers',
  'resolveClassifier',
  'resolveCompile',
  'simpleRNNWeights',
  'weightShapes',
  'slotNames',
  'runFit',
  'runFitOn',
  'resolveNetwork',
  'NetworkPlan',
  'StackPlan',
  'someInputs',
  'firstNotFinite',
  'TrainingDivergedError',
];

const message = 'Enter another room only through its index.ts (see CONTRIBUTING.md, "Borders").';
/** Patterns that reach into another room past its index. */
const deep = (...rooms) => ({
  group: rooms.flatMap((room) => [
    `**/${room}/*`,
    `!**/${room}/index`,
    `!**/${room}/browser`,
    `!**/${room}/browser/index`,
  ]),
  message,
});
const closed = (...rooms) => ({
  group: rooms.flatMap((room) => [`../${room}/**`, `../../${room}/**`, `../../../${room}/**`]),
  message: 'This room may not know that one (see CONTRIBUTING.md, "Borders").',
});

/** The rooms of harness/, from the top floor down: a room imports only rooms below it (types count). */
const harnessRooms = [
  'cli',
  'bench',
  'training',
  'check',
  'trial',
  'fuzz',
  'parity',
  'coverage',
  'diagnosis',
  'examine',
  'judge',
  'budget',
  'faults',
  'equations',
  'problems',
  'frameworks',
  'models',
  'sides',
  'reports',
  'base',
];
/** Rooms that must also run in a browser. What needs Node lies in rooms or folders of its own: `onlyNode`. */
const browserClean = [
  'coverage',
  'diagnosis',
  'examine',
  'judge',
  'budget',
  'faults',
  'equations',
  'problems',
  'sides',
];
const onlyNode = [
  'problems/digits',
  'problems/vectors',
  'sides/candidate',
  'sides/frameworks',
  'sides/engine',
  'sides/remote',
];
const noNode = { regex: '^node:', message: 'This room must also run in a browser: no import of Node.' };
const upward = (rooms) => ({
  regex: `^(\\.\\./)+(${['no-room', ...rooms].join('|')})/`,
  message: 'A room of harness/ imports only rooms below it (see CONTRIBUTING.md, "Borders").',
});
/** Past the index of another room; base has no index: each of its files is a concept. */
const pastIndex = (rooms) => ({
  regex: `^(\\.\\./)+(${['no-room', ...rooms.filter((room) => room !== 'base')].join('|')})/(?!(\\w+/)*index$)`,
  message,
});

export default tseslint.config(
  { ignores: ['dist/', 'dist-test/', 'coverage/', 'docs/', 'node_modules/', 'test/fixtures/**/*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'A seed is an argument.' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Dense numeric loops index typed arrays whose bounds are checked where they enter.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // what is taken out of a rest is left out of it
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
    },
  },
  {
    files: ['**/*.ts'],
    plugins: { compiler: { rules: { 'no-type-error': noTypeError } } },
    rules: { 'compiler/no-type-error': 'error' },
  },
  {
    files: ['scratch/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^[^.]', message: 'scratch/ has no dependency at all.' },
            closed('src', 'harness', 'test'),
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            closed('harness', 'test'),
            deep('scratch'),
            {
              group: ['**/scratch/index'],
              allowImportNames: inputMakers,
              allowTypeImports: true,
              message:
                'src/ takes types and input makers from scratch/, never its arithmetic: one bug must not pass on both sides.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/{eager,backends,browser}/**/*.ts', 'src/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noNode] }] },
  },
  {
    files: ['{scratch,src,harness}/**/*.ts'],
    plugins: { borders: { rules: { 'no-circle': noCircle } } },
    rules: { 'borders/no-circle': 'error' },
  },
  {
    files: ['harness/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [closed('test'), deep('src', 'scratch')] },
      ],
    },
  },
  ...harnessRooms.map((room, floor) => ({
    files: [`harness/${room}/**/*.ts`],
    rules: {
      ...(browserClean.includes(room) && { 'no-restricted-imports': ['error', { patterns: [noNode] }] }),
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            closed('test'),
            deep('src', 'scratch'),
            upward(harnessRooms.slice(0, floor)),
            ...(room === 'cli' ? [] : [pastIndex(harnessRooms.slice(floor + 1))]),
          ],
        },
      ],
    },
  })),
  {
    files: onlyNode.map((folder) => `harness/${folder}/**/*.ts`),
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // what runs inside the page, of a room that also holds files for Node
    files: [
      'harness/parity/{audit,conclude,compare-vectors,run-side,side-run}.ts',
      'harness/parity/page/**/*.ts',
    ],
    rules: { 'no-restricted-imports': ['error', { patterns: [noNode] }] },
  },
  {
    files: ['harness/faults/**/*.ts'],
    rules: {
      // One method an equation: a right one need not look at everything that a wrong one does.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-floating-promises': 'error',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      'no-restricted-exports': 'off',
      '@typescript-eslint/no-require-imports': 'off',
    },
  },
);
