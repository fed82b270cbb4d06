// An ESLint rule: what the compiler says of a file. The rules ask the compiler for types anyway, so `eslint` alone takes two thirds of
// the CPU time of `tsc` and `eslint`.
import path from 'node:path';
import ts from 'typescript';

/** Programs whose options and global declarations were looked at. */
const seen = new WeakSet();

export const noTypeError = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    'Program:exit': (node) => {
      const { program } = context.sourceCode.parserServices;
      const file = program.getSourceFile(context.filename);
      const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      if (!seen.has(program)) {
        seen.add(program);
        found.push(...program.getConfigFileParsingDiagnostics(), ...program.getOptionsDiagnostics());
        found.push(...program.getGlobalDiagnostics());
      }
      for (const { messageText, code, file: where, start } of found) {
        const isHere = where === file;
        const place = isHere || where === undefined ? '' : `${path.relative(context.cwd, where.fileName)}: `;
        const message = `TS${code}: ${place}${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
        context.report(
          isHere ? { loc: context.sourceCode.getLocFromIndex(start), message } : { node, message },
        );
      }
    },
  }),
};
