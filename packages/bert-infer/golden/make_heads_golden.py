"""Makes heads.npz: small seeded models of three families with every head, their inputs, and transformers' logits, float and quantize_dynamic.

Arrays: NAME.config (JSON), NAME.p.PARAMETER, NAME.ids, NAME.mask, NAME.types; NAME.float.OUTPUT, NAME.ENGINE.OUTPUT for fbgemm and qnnpack.
Run: python make_heads_golden.py       Made with transformers 4.57.6, PyTorch 2.15.0 on x86.
"""
import io, json, os, warnings, zipfile
import numpy as np, torch, transformers
from torch.ao.quantization import quantize_dynamic

warnings.filterwarnings("ignore")
here = os.path.dirname(os.path.abspath(__file__))
bert = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, vocab_size=53, max_position_embeddings=20)
distil = dict(dim=16, n_layers=2, n_heads=2, hidden_dim=24, vocab_size=53, max_position_embeddings=20)
three = dict(id2label={0: "a", 1: "b", 2: "c"}, label2id={"a": 0, "b": 1, "c": 2})
T = transformers
models = {
    "bert-sequence": T.BertForSequenceClassification(T.BertConfig(**bert, **three)),
    "bert-token": T.BertForTokenClassification(T.BertConfig(**bert, **three, hidden_act="gelu_new")),
    "bert-mlm": T.BertForMaskedLM(T.BertConfig(**bert)),
    "bert-qa": T.BertForQuestionAnswering(T.BertConfig(**bert, hidden_act="relu")),
    "bert-none": T.BertModel(T.BertConfig(**bert)),
    "distilbert-qa": T.DistilBertForQuestionAnswering(T.DistilBertConfig(**distil)),
    "distilbert-sequence": T.DistilBertForSequenceClassification(T.DistilBertConfig(**distil, **three)),
    "distilbert-mlm": T.DistilBertForMaskedLM(T.DistilBertConfig(**distil)),
    "roberta-qa": T.RobertaForQuestionAnswering(T.RobertaConfig(**{**bert, "max_position_embeddings": 22}, type_vocab_size=1, pad_token_id=1)),
    "roberta-sequence": T.RobertaForSequenceClassification(T.RobertaConfig(**{**bert, "max_position_embeddings": 22}, type_vocab_size=1, pad_token_id=1, **three)),
    "roberta-mlm": T.RobertaForMaskedLM(T.RobertaConfig(**{**bert, "max_position_embeddings": 22}, type_vocab_size=1, pad_token_id=1)),
}
arrays = {}
for number, (name, model) in enumerate(models.items()):
    generator = torch.Generator().manual_seed(20261124 + number)
    with torch.no_grad():
        for parameter, tensor in model.named_parameters():
            # float16 values, so that the file is half as large.
            value = torch.randn(tensor.shape, generator=generator) * (0.3 if tensor.dim() == 2 else 0.2)
            if parameter.endswith(("LayerNorm.weight", "layer_norm.weight")):
                value += 1
            tensor.copy_(value.half().float())
    model.eval()
    if hasattr(model, "tie_weights"):
        model.tie_weights()
    ids = torch.randint(2, 53, (3, 11), generator=generator)
    mask = torch.ones(3, 11, dtype=torch.long)
    mask[1, 7:] = 0
    mask[2, 4:] = 0
    if name.startswith("roberta"):
        ids[mask == 0] = 1
    types = torch.randint(0, 1 if name.startswith("roberta") else 2, (3, 11), generator=generator)
    inputs = dict(input_ids=ids, attention_mask=mask)
    if not name.startswith("distil"):
        inputs["token_type_ids"] = types
    arrays[f"{name}.config"] = np.array(json.dumps(model.config.to_diff_dict() | {"model_type": model.config.model_type, "architectures": [type(model).__name__]}))
    seen = set()
    for parameter, tensor in model.state_dict().items():
        if tensor.dtype != torch.float32 or tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        arrays[f"{name}.p.{parameter}"] = tensor.half().numpy()
    arrays |= {f"{name}.ids": ids.numpy().astype(np.int32), f"{name}.mask": mask.numpy().astype(np.int32), f"{name}.types": types.numpy().astype(np.int32)}
    def outputs(engine, module):
        with torch.no_grad():
            out = module(**inputs)
        for key in ("logits", "start_logits", "end_logits", "last_hidden_state"):
            if key in out:
                arrays[f"{name}.{engine}.{key}"] = out[key].numpy()
    outputs("float", model)
    for engine in ("fbgemm", "qnnpack"):
        torch.backends.quantized.engine = engine
        outputs(engine, quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8))
with zipfile.ZipFile(os.path.join(here, "heads.npz"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for key, value in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, value)
        out.writestr(zipfile.ZipInfo(key + ".npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)
print(torch.__version__, transformers.__version__, os.path.getsize(os.path.join(here, "heads.npz")))
