"""The Marian network in plain PyTorch, with explicit decoder state: what the ONNX export traces and what measures the
activations for Marian's int8 models. Weights under Hugging Face's names; transformers itself is the check on it.
"""

import math

import torch
from torch import nn
from torch.nn import functional


def sinusoids(rows, d_model, marian):
    """[rows, d_model], first half sines, second half cosines. Marian divides by half - 1, Hugging Face by half."""
    half = d_model // 2
    rate = torch.exp(-torch.arange(half, dtype=torch.float64) * math.log(10000) / (half - 1 if marian else half))
    angles = torch.arange(rows, dtype=torch.float64)[:, None] * rate
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


class Attention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d_k = heads, d_model // heads
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, part, nn.Linear(d_model, d_model))

    def split(self, x):  # [batch, length, d_model] -> [batch, heads, length, d_k]
        return x.view(x.shape[0], -1, self.heads, self.d_k).transpose(1, 2)

    def keys_values(self, x):
        return self.split(self.k_proj(x)), self.split(self.v_proj(x))

    def forward(self, x, keys, values, mask):
        scores = self.split(self.q_proj(x)) @ keys.transpose(2, 3) / math.sqrt(self.d_k)
        weights = functional.softmax(scores if mask is None else scores + mask, dim=-1)
        context = (weights @ values).transpose(1, 2)
        return self.out_proj(context.reshape(x.shape[0], -1, self.heads * self.d_k))


class Ssru(nn.Module):
    """c' = f c + (1 - f) W x with f = sigmoid(Wf x + bf); the output is relu(c')."""

    def __init__(self, d_model):
        super().__init__()
        self.W = nn.Linear(d_model, d_model, bias=False)
        self.Wf = nn.Linear(d_model, d_model)

    def forward(self, x, state):
        forget = torch.sigmoid(self.Wf(x))
        state = forget * state + (1 - forget) * self.W(x)
        return functional.relu(state), state


class EncoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        d_model = config["d_model"]
        self.self_attn = Attention(d_model, config["encoder_attention_heads"])
        self.self_attn_layer_norm = nn.LayerNorm(d_model)
        self.fc1 = nn.Linear(d_model, config["encoder_ffn_dim"])
        self.fc2 = nn.Linear(config["encoder_ffn_dim"], d_model)
        self.final_layer_norm = nn.LayerNorm(d_model)
        self.activation = {"relu": functional.relu, "swish": functional.silu}[config["activation_function"]]

    def forward(self, x, mask):
        x = self.self_attn_layer_norm(x + self.self_attn(x, *self.self_attn.keys_values(x), mask))
        return self.final_layer_norm(x + self.fc2(self.activation(self.fc1(x))))


class DecoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        d_model = config["d_model"]
        if config.get("decoder") == "ssru":
            self.rnn = Ssru(d_model)
            self.rnn_layer_norm = nn.LayerNorm(d_model)
        else:
            self.self_attn = Attention(d_model, config["decoder_attention_heads"])
            self.self_attn_layer_norm = nn.LayerNorm(d_model)
        self.encoder_attn = Attention(d_model, config["decoder_attention_heads"])
        self.encoder_attn_layer_norm = nn.LayerNorm(d_model)
        self.fc1 = nn.Linear(d_model, config["decoder_ffn_dim"])
        self.fc2 = nn.Linear(config["decoder_ffn_dim"], d_model)
        self.final_layer_norm = nn.LayerNorm(d_model)
        self.activation = {"relu": functional.relu, "swish": functional.silu}[config["activation_function"]]

    def forward(self, x, state, cross, mask):
        """One step, x [batch, 1, d_model]. state: (keys, values) so far, or the SSRU's cell; returns its successor."""
        if hasattr(self, "rnn"):
            y, state = self.rnn(x, state)
            x = self.rnn_layer_norm(x + y)
        else:
            keys, values = self.self_attn.keys_values(x)
            if state is not None:
                keys, values = torch.cat([state[0], keys], dim=2), torch.cat([state[1], values], dim=2)
            state = (keys, values)
            x = self.self_attn_layer_norm(x + self.self_attn(x, keys, values, None))
        x = self.encoder_attn_layer_norm(x + self.encoder_attn(x, *cross, mask))
        return self.final_layer_norm(x + self.fc2(self.activation(self.fc1(x)))), state


class Stack(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)


class Model(nn.Module):
    def __init__(self, config, marian_positions=False):
        super().__init__()
        self.shared = nn.Embedding(config["vocab_size"], config["d_model"])
        self.encoder = Stack(EncoderLayer(config) for _ in range(config["encoder_layers"]))
        self.decoder = Stack(DecoderLayer(config) for _ in range(config["decoder_layers"]))
        self.scale = math.sqrt(config["d_model"]) if config["scale_embedding"] else 1.0
        self.register_buffer("positions", sinusoids(512, config["d_model"], marian_positions), persistent=False)


class Network(nn.Module):
    def __init__(self, config, weights, marian_positions=False):
        """weights: Hugging Face's name -> array or tensor, each once."""
        super().__init__()
        self.config = config
        self.model = Model(config, marian_positions)
        self.register_buffer("final_logits_bias", torch.zeros(1, config["vocab_size"]))
        self.load_state_dict({name: torch.as_tensor(value).view(1, -1) if name == "final_logits_bias"
                              else torch.as_tensor(value) for name, value in weights.items()})
        self.eval()

    def mask(self, attention_mask):  # [batch, keys] of 1 and 0 -> added to scores
        return (1.0 - attention_mask[:, None, None].float()) * -1e9

    def encode(self, input_ids, attention_mask):
        x = self.model.shared(input_ids) * self.model.scale + self.model.positions[:input_ids.shape[1]]
        mask = self.mask(attention_mask)
        for layer in self.model.encoder.layers:
            x = layer(x, mask)
        return x

    def cross(self, encoded):
        return [layer.encoder_attn.keys_values(encoded) for layer in self.model.decoder.layers]

    def step(self, input_ids, position, states, cross, attention_mask):
        """input_ids [batch, 1], position an int or a tensor of one; returns logits [batch, 1, vocabulary], states."""
        place = torch.as_tensor(position).view(1)
        x = self.model.shared(input_ids) * self.model.scale + functional.embedding(place, self.model.positions)
        mask, after = self.mask(attention_mask), []
        for layer, state, keys_values in zip(self.model.decoder.layers, states, cross):
            x, state = layer(x, state, keys_values, mask)
            after.append(state)
        return functional.linear(x, self.model.shared.weight) + self.final_logits_bias, after

    def start(self, batch):
        ssru = self.config.get("decoder") == "ssru"
        zero = torch.zeros(batch, 1, self.config["d_model"])
        return [zero if ssru else None for _ in self.model.decoder.layers]

    @torch.inference_mode()
    def greedy(self, input_ids, attention_mask, steps):
        """Ids [batch, steps], past the end symbol too. The start symbol's embedding is zero (its row must be)."""
        cross = self.cross(self.encode(input_ids, attention_mask))
        states, ids = self.start(len(input_ids)), []
        last = torch.full((len(input_ids), 1), self.config["decoder_start_token_id"])
        for position in range(steps):
            logits, states = self.step(last, position, states, cross, attention_mask)
            last = logits.argmax(-1)
            ids.append(last)
        return torch.cat(ids, dim=1)
