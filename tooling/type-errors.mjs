import ts from 'typescript';

const sources = new Map();

/** One text for each error that TypeScript finds in these files under --strict, declaration files included. */
export function typeErrors(files, options) {
  const compilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    ...options,
  };
  const host = ts.createCompilerHost(compilerOptions);
  const read = host.getSourceFile;
  // The declarations are the same for all programs: parsed once.
  host.getSourceFile = (name, ...rest) => {
    if (!sources.has(name)) sources.set(name, read(name, ...rest));
    return sources.get(name);
  };
  return ts.getPreEmitDiagnostics(ts.createProgram(files, compilerOptions, host)).map((one) => {
    const text = ts.flattenDiagnosticMessageText(one.messageText, ' ');
    if (one.file === undefined) return text;
    return `${one.file.fileName}:${one.file.getLineAndCharacterOfPosition(one.start).line + 1}: ${text}`;
  });
}
