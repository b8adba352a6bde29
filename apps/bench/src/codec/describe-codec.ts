import type { CodecReport } from './measure-codec.js';

/** A report as a Markdown table, with the bounds below it. */
export function describeCodec({
  model,
  matrices,
  nonzeros,
  bounds,
  parts,
  rows,
  cabacStyle,
  nncodec,
  twoThreads,
  dense,
}: CodecReport): string {
  const bytes = (n: number) => Math.round(n).toLocaleString('en-US');
  const bits = (n: number) => ((8 * n) / nonzeros).toFixed(3);
  const lines = [
    `### ${model}: ${matrices} matrices, ${bytes(nonzeros)} nonzeros`,
    '',
    '| coder | bytes | bits a nonzero | encode, M nonzeros/s | decode, M nonzeros/s (quartiles) | decode time against `fast` |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ form, bytes: size, bitsPerNonzero, encode, decode, decodeTime }) => {
      const [low, high] = decode.quartiles.map((q) => q.toFixed(1));
      return `| ${form} | ${bytes(size)} | ${bitsPerNonzero.toFixed(3)} | ${encode.toFixed(1)} | ${decode.median.toFixed(1)} (${low} to ${high}) | ${decodeTime.toFixed(2)} |`;
    }),
    ...(nncodec?.rows ?? []).map(({ setting, bytes: size, encode, decode }) => {
      const [low, high] = decode.quartiles.map((q) => q.toFixed(1));
      return `| NNCodec ${nncodec!.version}, ${setting} | ${bytes(size)} | ${bits(size)} | ${encode.toFixed(1)} | ${decode.median.toFixed(1)} (${low} to ${high}) | |`;
    }),
    `| DeepCABAC's binarization, ideal coder | ${bytes(cabacStyle)} | ${bits(cabacStyle)} | | | |`,
    '',
    '| bound | bytes | bits a nonzero |',
    '|---|---|---|',
    `| mask, independent bits | ${bytes(bounds.independent)} | ${bits(bounds.independent)} |`,
    `| mask, row gaps order 0 | ${bytes(bounds.rowGaps)} | ${bits(bounds.rowGaps)} |`,
    `| mask, row and column counts known | ${bytes(bounds.rowsAndColumns)} | ${bits(bounds.rowsAndColumns)} |`,
    `| values, order 0 | ${bytes(bounds.values)} | ${bits(bounds.values)} |`,
    '',
    '| where the bytes go | mask | values | densities and tables | structure |',
    '|---|---|---|---|---|',
    ...Object.entries(parts).map(
      ([form, { mask, values, model: tables, structure }]) =>
        `| ${form} | ${bytes(mask)} | ${bytes(values)} | ${bytes(tables)} | ${bytes(structure)} |`,
    ),
    '',
    ...(twoThreads === undefined
      ? []
      : [
          `Two threads, each half of the blocks of every matrix, \`fast\`: the busier one computes ${twoThreads.median.toFixed(2)} times less than one alone (quartiles ${twoThreads.quartiles.map((q) => q.toFixed(2)).join(' to ')}).`,
          '',
        ]),
    `Dense tensors: ${bytes(dense.raw)} bytes as they are, ${bytes(dense.coded)} under \`entropy\`.`,
  ];
  return `${lines.join('\n')}\n`;
}
