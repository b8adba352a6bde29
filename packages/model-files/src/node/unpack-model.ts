import {
  PYTORCH_LAYOUTS,
  type PytorchLayout,
  writeElementaryPytorch,
  writeOnnx,
  writeQuantizedPytorch,
  writeSafetensors,
} from '@prune/checkpoint';
import { modelFolderFiles, type WriteModelFolderOptions, writeModelFolder } from '@prune/checkpoint/node';
import {
  type ByteSink,
  checkArgument,
  isPruneError,
  locateError,
  type ModelMetadata,
  PruneError,
  type ReadableMap,
  type StateDict,
  type Tensor,
} from '@prune/core';
import { recompose } from '@prune/csr';
import { floatTables } from '../float-tables.js';
import { pytorchModules } from '../pytorch-modules.js';
import type { OpenModel } from './open-model.js';

/** The file of weights that each form has. */
const FILE_OF_FORM = {
  safetensors: 'model.safetensors',
  torch: 'quantized.pt',
  'torch-elementary': 'elementary.pt',
  onnx: 'model_quantized.onnx',
} as const;

/**
 * What a model can be unpacked as: `safetensors`, dense float32 tensors; `torch`, the state dict of a model that
 * PyTorch quantized; `torch-elementary`, the notebook's `torch.save` of the elementary form; `onnx`, the dense int8 graph
 * of onnxruntime's `quantize_dynamic`.
 */
export type UnpackedForm = keyof typeof FILE_OF_FORM;

/** Every form, the default first. */
export const UNPACKED_FORMS = Object.keys(FILE_OF_FORM) as readonly UnpackedForm[];

/** Options of {@link unpackModel}. */
export interface UnpackModelOptions extends Omit<WriteModelFolderOptions, 'onTensor'> {
  /** Default: the first of {@link UNPACKED_FORMS}. */
  readonly form?: UnpackedForm;
  /** Of the form `torch`. Default: the first of `PYTORCH_LAYOUTS` of `@prune/checkpoint`. */
  readonly layout?: PytorchLayout;
  /**
   * Of the form `torch`: whether quantized embedding tables become floats, for a model whose Linears alone are
   * quantized. Default false.
   */
  readonly floatTables?: boolean;
  /** Called for each tensor or module that is written, with how many there are. */
  readonly onEntry?: (name: string, count: number) => void;
}

/** The files that {@link unpackModel} writes, by their paths in the folder. */
export function unpackedFiles(metadata: ModelMetadata, form: UnpackedForm = UNPACKED_FORMS[0]): readonly string[] {
  return modelFolderFiles({ metadata, file: FILE_OF_FORM[form] });
}

/**
 * Writes a model into a folder in one of {@link UNPACKED_FORMS}: its file of weights, config.json, the tokenizer's files
 * and those of sentence-transformers, as `writeModelFolder` of `@prune/checkpoint/node` does. Every form but
 * `safetensors` takes a store. Throws `unsupported` for a checkpoint in its place, and what the form's writer throws.
 */
export async function unpackModel(
  folder: string,
  model: OpenModel,
  { form = UNPACKED_FORMS[0], layout, floatTables, onEntry, ...options }: UnpackModelOptions = {},
): Promise<void> {
  const wanted = UNPACKED_FORMS.join(', ');
  checkArgument(Object.hasOwn(FILE_OF_FORM, form), { what: 'form of unpackModel', wanted }, form);
  const { metadata } = model;
  const { names, tensors, write } = await weightsOf(model, form, { layout, floatTables });
  const { signal } = options;
  const count = names.length;
  const told = (name: string) => onEntry?.(name, count);
  await writeModelFolder(
    folder,
    {
      metadata,
      file: FILE_OF_FORM[form],
      tensors,
      write(sink, isBeside) {
        const own = names.filter((name) => !isBeside(name));
        return write(sink, own, { signal, onEntry: told }).catch((error) => {
          throw isPruneError(error) ? locateError(error, { where: model.path }) : error;
        });
      },
    },
    { name: model.path, ...options, onTensor: told },
  );
}

/** What a form writes into its file. */
interface Weights {
  /** The names of what is written. */
  readonly names: readonly string[];
  /** The float tensors among it. */
  readonly tensors: ReadableMap<Tensor>;
  write(
    sink: ByteSink,
    names: readonly string[],
    options: { readonly signal?: AbortSignal; readonly onEntry: (name: string) => void },
  ): Promise<void>;
}

async function weightsOf(
  model: OpenModel,
  form: UnpackedForm,
  options: Pick<UnpackModelOptions, 'layout' | 'floatTables'>,
): Promise<Weights> {
  if (form === 'safetensors') return floatWeights(await model.floats());
  const { store, metadata } = model;
  if (store === undefined) {
    const what = `the form ${form} takes a store`;
    const wanted = 'a .prune or .h5 file (prune pack makes one)';
    throw new PruneError('unsupported', { where: model.path, what, got: 'a checkpoint', wanted });
  }
  if (form === 'torch-elementary') {
    return weights(store, (sink, elementary, options) => writeElementaryPytorch(sink, elementary, options));
  }
  if (form === 'onnx') {
    const { config } = metadata;
    if (config === undefined) {
      throw new PruneError('missing', { where: model.path, what: 'no config.json, which an ONNX graph needs' });
    }
    return weights(floatTables(store), (sink, own, { signal }) => writeOnnx(sink, own, config, { signal }));
  }
  const { layout = PYTORCH_LAYOUTS[0] } = options;
  const modules = pytorchModules(store.keys(), metadata, layout);
  const quantized = options.floatTables ? floatTables(store) : recompose(store);
  return weights(quantized, (sink, own, rest) => writeQuantizedPytorch(sink, own, { modules, layout, ...rest }));
}

function floatWeights(tensors: StateDict): Weights {
  return weights(tensors, (sink, own, { signal, onEntry }) =>
    writeSafetensors(sink, own, { signal, onTensor: onEntry }),
  );
}

function weights<V>(
  all: ReadableMap<V>,
  write: (sink: ByteSink, own: ReadableMap<V>, options: Parameters<Weights['write']>[2]) => Promise<void>,
): Weights {
  const names = [...all.keys()];
  const get = (name: string) => all.get(name);
  return {
    names,
    // The modules of which files of their own are made are not quantized.
    tensors: { keys: () => names, get: get as unknown as ReadableMap<Tensor>['get'] },
    write: (sink, own, options) => write(sink, { keys: () => own, get }, options),
  };
}
